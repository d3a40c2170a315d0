"""Writing the dashboards.

python -m tests.support.grafana.write
"""

from collections.abc import Iterator
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    GridPos,
    VariableOption,
    VariableRefresh,
)

from tests.support.grafana.boards import BOARDS, Board, Panels
from tests.support.grafana.panels import CLICKHOUSE, PROMETHEUS, Ask, Watch, panel

FOLDER = Path(__file__).parents[3] / "deploy/grafana/dashboards"

_SITES = "SELECT DISTINCT site FROM inventory_states ORDER BY site"
_MODELS = "SELECT DISTINCT model FROM journey_models FINAL ORDER BY model != 'lifecycle', model"
_CHANNELS = """SELECT 'all' AS channel UNION ALL SELECT DISTINCT toString(channel)
FROM inventory_states WHERE site = ${site:singlequote}"""
_SEGMENTS = """SELECT 'all' AS segment UNION ALL SELECT DISTINCT newest FROM (
    SELECT argMaxMerge(segment) AS newest FROM segment_states
    WHERE site = ${site:singlequote} GROUP BY visitor_id) LIMIT 200"""
_ALERTS = 'max by (alertname) (ALERTS{alertstate="firing"})'
_RELEASES = "changes(process_start_time_seconds[2m]) > 0"
_WIDTH = 24


def written(board: Board) -> str:
    """Give the JSON of a dashboard, in the form that every Grafana reads from a folder."""
    return JSONEncoder(sort_keys=False, indent=2).encode(_build(board).build()) + "\n"


def _build(board: Board) -> dashboard.Dashboard:
    built = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .tags(["touchstream"])
        .time("now-24h", "now")
        .refresh("1m")
        .timezone("browser")
        .link(
            dashboard.DashboardLink("Dashboards")
            .type(DashboardLinkType.DASHBOARDS)
            .tags(["touchstream"])
            .keep_time(True)
            .include_vars(True)
        )
        .annotation(_annotation("Alerts", _ALERTS, "red"))
        .annotation(_annotation("Restarts and releases", _RELEASES, "blue"))
    )
    for name, label, query in (
        ("site", "Site", _SITES),
        ("model", "Journey model", _MODELS),
        ("channel", "Channel", _CHANNELS),
        ("segment", "Segment", _SEGMENTS),
    ):
        built.with_variable(_variable(name, label, query))
    built.with_variable(
        dashboard.CustomVariable("lang")
        .label("Labels")
        .values("en,de")
        .current(VariableOption(text="en", value="en"))
    )
    if board.uid == "touchstream-people":
        built.with_variable(dashboard.TextBoxVariable("person").label("Person").default_value(""))
    for spec, place in _laid_out(board.panels):
        built.with_panel(panel(spec, place))
    return built


def _annotation(name: str, expression: str, colour: str) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(PROMETHEUS)
        .enable(True)
        .icon_color(colour)
        .expr(expression)
    )


def _variable(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(CLICKHOUSE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def _laid_out(panels: Panels) -> Iterator[tuple[Ask | Watch, GridPos]]:
    """Place panels from left to right, a row as high as its highest."""
    x = y = highest = 0
    for spec in panels:
        if x + spec.width > _WIDTH:
            x, y, highest = 0, y + highest, 0
        yield spec, GridPos(x=x, y=y, w=spec.width, h=spec.height)
        x, highest = x + spec.width, max(highest, spec.height)


def write() -> None:
    """Write every dashboard, and nothing else in the folder."""
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for board in BOARDS:
        name = board.uid.removeprefix("touchstream-")
        (FOLDER / f"{name}.json").write_text(written(board), encoding="utf-8")


if __name__ == "__main__":
    write()
