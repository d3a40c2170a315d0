"""Every panel's SQL runs on the real engine, and says what the question behind it says.

The macros expand as the data source's documentation says, for the two hours of `SPAN`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.reports.ask import ask
from schemas.questions import questions
from tests.support.engine import EngineServer
from tests.support.grafana.boards import BOARDS, Board
from tests.support.grafana.panels import Ask, Watch
from tests.support.grafana.shares import share
from tests.support.grafana.write import FOLDER, written
from tests.support.shopping import SPAN, shop

ROOT = Path(__file__).parents[2]
PANELS = [
    panel
    for path in sorted(FOLDER.glob("*.json"))
    for panel in json.loads(path.read_text())["panels"]
]
SQL = {p["title"]: t["rawSql"] for p in PANELS for t in p["targets"] if "rawSql" in t}
ASKING = list({s.shown_title: s for b in BOARDS for s in b.panels if isinstance(s, Ask)}.values())
LINES = [spec for spec in ASKING if spec.kind == "timeseries"]
NOW = {"seconds_behind"}
"""Columns that say something else a moment later."""

UNSHOWN: dict[str, str] = {}
"""Questions without a panel, and why."""

_MACROS = {
    r"\$\{site:singlequote\}": "'shop'",
    r"\$\{model:singlequote\}": "'lifecycle'",
    r"\$\{(channel|segment):singlequote\}": "'all'",
    r"\$\{lang:singlequote\}": "'de'",
    r"\$\{person:singlequote\}": "'ann'",
    r"\$__fromTime": f"toDateTime({int(SPAN['start'].timestamp())})",
    r"\$__toTime": f"toDateTime({int(SPAN['end'].timestamp())})",
    r"\$__interval_s": "300",
}


def expand(sql: str) -> str:
    for macro, meaning in _MACROS.items():
        sql = re.sub(macro, meaning, sql)
    assert "$" not in sql, f"a macro or variable that this test does not know: {sql}"
    return sql


@pytest.fixture(scope="module")
def filled(engine: EngineServer) -> Iterator[Client]:
    with shop(engine) as client:
        yield client


def rows(client: Client, title: str, *columns: str) -> list[tuple[Any, ...]]:
    found = client.query(expand(SQL[title])).named_results()
    return [tuple(row[column] for column in columns) for row in found]


def test_labels_are_german_where_that_is_chosen(filled: Client) -> None:
    found = rows(filled, questions()["people_by_phase"].asks, "phase", "people")
    assert found[:3] == [("Aufmerksamkeit", 0), ("Interesse", 1), ("Kauf", 1)]


def test_the_funnel_has_the_values_that_were_counted_by_hand(filled: Client) -> None:
    found = rows(filled, questions()["funnel_steps"].asks, "step", "reach", "closed")
    assert found == [
        ("Product Viewed", 1, 1),
        ("Product Added", 2, 1),
        ("Checkout Started", 1, 1),
        ("Order Completed", 1, 1),
    ]


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        # Wilson's interval: 1 of 10 lies between 1.79 and 40.42 %.
        (1, 10, (None, "1 to 41 %")),
        (0, 1, (None, "0 to 80 %")),
        (29, 29, (None, "88 to 100 %")),
        (0, 0, (None, "")),
        (12, 40, (30.0, "")),
    ],
)
def test_a_share_in_a_panel_is_a_range_of_few(
    filled: Client, part: int, whole: int, shown: tuple[float | None, str]
) -> None:
    columns = share("share", str(part), str(whole))
    assert filled.query(f"SELECT {columns}").result_rows == [shown]


def test_phases_that_few_came_into_have_no_point(filled: Client) -> None:
    drawn = rows(filled, questions()["people_by_phase"].asks, "conversion %", "conversion, of few")
    assert {point for point, _ in drawn} == {None}
    assert any(" to " in text for _, text in drawn)


def test_a_share_of_few_is_a_range(filled: Client) -> None:
    drawn = rows(filled, questions()["conversion_over_time"].asks, "conversion")
    assert set(drawn) == {(None,)}
    title = "In which range does a share of few visits lie?"
    [low, high, entries] = rows(filled, title, "low", "high", "entries")[0]
    assert 0 <= low < high <= 1
    assert entries < 30


@pytest.mark.parametrize("spec", ASKING, ids=lambda spec: spec.shown_title)
def test_a_panel_shows_what_the_commands_say(filled: Client, spec: Ask) -> None:
    """All rows, unless it chooses some, and the same values in the columns it takes as they are."""
    panel = filled.query(expand(spec.sql))
    given: dict[str, Any] = {"step": 300, "days": 30, "person": "ann", "kpi": "", "most": 50}
    asked = ask(filled, spec.question, **SPAN | given | spec.given)
    names = {column.name for column in asked.columns} & set(panel.column_names)
    same = sorted(name for name in names - NOW if not re.search(f'AS "?{name}', spec.columns))
    told = [tuple(row[name] for name in same) for row in asked.named()]
    drawn = [tuple(row[name] for name in same) for row in panel.named_results()]
    if spec.where:
        told = [row for row in told if row in drawn]
    assert drawn == told


@pytest.mark.parametrize("spec", LINES, ids=lambda spec: spec.shown_title)
def test_a_line_goes_through_time_and_has_a_number(filled: Client, spec: Ask) -> None:
    found = filled.query(f"DESCRIBE TABLE ({expand(spec.sql)})").result_rows
    kinds = [kind.removeprefix("Nullable(") for _name, kind, *_ in found]
    assert kinds[0].startswith("DateTime")
    assert any(kind.startswith(("UInt", "Float")) for kind in kinds)


# --- what is there -------------------------------------------------------------------------------


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_the_file_of_a_dashboard_is_what_the_generator_writes(board: Board) -> None:
    """Else run `python -m tests.support.grafana.write`."""
    path = FOLDER / f"{board.uid.removeprefix('touchstream-')}.json"
    assert path.read_text(encoding="utf-8") == written(board)


def test_every_question_has_a_panel_or_a_reason() -> None:
    shown = {spec.question for b in BOARDS for spec in b.panels if isinstance(spec, Ask)}
    asked = {name for name, question in questions().items() if question.kind == "question"}
    assert asked - shown == UNSHOWN.keys()


@pytest.mark.parametrize("sql", SQL.values(), ids=SQL)
def test_no_panel_has_sql_of_its_own(sql: str) -> None:
    [name] = re.findall(r"\nFROM (\w+)\(", sql)
    assert name in questions()
    assert sql.count("SELECT") == 1
    assert "GROUP BY" not in sql


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_a_question_and_says_what_its_numbers_mean(panel: dict[str, Any]) -> None:
    assert panel["title"].endswith("?")
    assert panel["description"].endswith(("otherwise.", "In seconds.", "In per cent."))


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_panels_do_not_overlap(board: Board) -> None:
    found = json.loads(written(board))["panels"]
    cells = [
        (grid["x"] + dx, grid["y"] + dy)
        for grid in (panel["gridPos"] for panel in found)
        for dx in range(grid["w"])
        for dy in range(grid["h"])
    ]
    assert len(cells) == len(set(cells))


def test_panels_use_the_data_sources_that_are_provisioned() -> None:
    provisioned = (ROOT / "deploy/grafana/provisioning/datasources/touchstream.yml").read_text()
    known = set(re.findall(r"uid: (\w+)", provisioned))
    assert {panel["datasource"]["uid"] for panel in PANELS} == known


def test_a_board_watches_the_pipeline() -> None:
    assert any(isinstance(spec, Watch) for board in BOARDS for spec in board.panels)
