"""Panels: what each asks, and how its answer is drawn. The SQL is that of `schemas/questions`."""

from dataclasses import dataclass, field
from typing import Any, Literal

from grafana_foundation_sdk.builders import barchart, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import DashboardLink, DashboardLinkType, GridPos, Panel

from schemas.questions import questions

CLICKHOUSE = DataSourceRef(type_val="grafana-clickhouse-datasource", uid="clickhouse")
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")

Kind = Literal["timeseries", "table", "stat", "barchart"]

_UNITS = {
    "short": "Counts, unless a column says otherwise.",
    "s": "In seconds.",
    "percentunit": "In per cent.",
}
_FORMAT = {"timeseries": ("timeseries", 0)}
_VALUES = {
    "site": "${site:singlequote}",
    "start": "$__fromTime",
    "end": "$__toTime",
    "model": "${model:singlequote}",
    "channel": "if(${channel:singlequote} = 'all', '', ${channel:singlequote})",
    "segment": "if(${segment:singlequote} = 'all', '', ${segment:singlequote})",
    "step": "greatest(60, $__interval_s)",
    "most": "50",
    "kpi": "''",
    "days": "30",
    "person": "${person:singlequote}",
}


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A panel that asks a question; `columns` are those it shows, `given` values of parameters.

    `title` stands for the question where it is asked about a part of it only.
    """

    question: str
    kind: Kind = "table"
    unit: str = "short"
    columns: str = "*"
    title: str = ""
    where: str = ""
    width: int = 12
    height: int = 8
    given: dict[str, str] = field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()

    @property
    def shown_title(self) -> str:
        """A question."""
        return self.title or questions()[self.question].asks

    @property
    def sql(self) -> str:
        """What Grafana's data source is given."""
        values = _VALUES | {name: f"'{value}'" for name, value in self.given.items()}
        asked = ", ".join(f"{p} = {values[p]}" for p in questions()[self.question].parameters)
        where = f"\nWHERE {self.where}" if self.where else ""
        return f"SELECT {self.columns}\nFROM {self.question}({asked}){where}"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A panel of Prometheus' metrics."""

    title: str
    description: str
    expressions: dict[str, str]
    unit: str = "short"
    width: int = 12
    height: int = 8


class _Sql(Dataquery):
    """A query of the ClickHouse data source, which the SDK does not know."""

    def __init__(self, ask: Ask) -> None:
        query_type, number = _FORMAT.get(ask.kind, ("table", 1))
        self._fields: dict[str, object] = {
            "refId": "A",
            "editorType": "sql",
            "queryType": query_type,
            "format": number,
            "rawSql": ask.sql,
        }

    def to_json(self) -> dict[str, object]:
        """Give the fields of the JSON."""
        return self._fields


class _SqlBuilder(Builder[Dataquery]):
    def __init__(self, ask: Ask) -> None:
        self._query = _Sql(ask)

    def build(self) -> Dataquery:
        """Give the query."""
        return self._query


_PANELS: dict[str, Any] = {
    "timeseries": timeseries.Panel,
    "table": table.Panel,
    "stat": stat.Panel,
    "barchart": barchart.Panel,
}


def panel(spec: Ask | Watch, place: GridPos) -> Builder[Panel]:
    """Build a panel at its place."""
    return _watching(spec, place) if isinstance(spec, Watch) else _asking(spec, place)


def _asking(spec: Ask, place: GridPos) -> Builder[Panel]:
    notes = " ".join(questions()[spec.question].notes.split())
    built = (
        _PANELS[spec.kind]()
        .title(spec.shown_title)
        .description(f"{notes} {_UNITS[spec.unit]}".strip())
        .datasource(CLICKHOUSE)
        .grid_pos(place)
        .unit(spec.unit)
        .with_target(_SqlBuilder(spec))
        .links([_link(title, uid) for title, uid in spec.links])
    )
    if spec.kind == "timeseries":
        built.min(0)
    return built  # type: ignore[no-any-return]


def _watching(spec: Watch, place: GridPos) -> Builder[Panel]:
    built = (
        timeseries.Panel()
        .title(spec.title)
        .description(f"{spec.description} {_UNITS[spec.unit]}")
        .datasource(PROMETHEUS)
        .grid_pos(place)
        .unit(spec.unit)
        .min(0)
    )
    for letter, (legend, expression) in zip("ABCDEFGH", spec.expressions.items(), strict=False):
        query = prometheus.Dataquery().ref_id(letter).expr(expression).legend_format(legend)
        built.with_target(query.datasource(PROMETHEUS))
    return built


def _link(title: str, uid: str) -> Builder[DashboardLink]:
    return (
        dashboard.DashboardLink(title)
        .type(DashboardLinkType.LINK)
        .url(f"/d/{uid}?${{__url_time_range}}&${{__all_variables}}")
    )
