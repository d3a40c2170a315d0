"""Nine real exports through the import: the report must say what was computed elsewhere.

Here ClickHouse makes the sessions; through the whole line the tracker makes them, and the same
figures must come.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver.client import Client
from rich.progress import Progress

from pipeline.importer.send import import_files, load_mapping
from pipeline.kafka.in_memory import MemoryBroker
from pipeline.operations.verify import differences
from pipeline.reports.funnel.answer import read_funnel
from pipeline.reports.funnel.question import (
    LONGEST_WINDOW,
    Order,
    Question,
    Step,
)
from pipeline.reports.overview.answer import FUNNEL, Funnel, read_report
from pipeline.reports.span import Span
from schemas.topics import DEAD_LETTERS, RAW
from tests.support import puffy
from tests.support.database import (
    HALF_AN_HOUR,
    insert_json,
    migrated_database,
    touchpoints_in,
    track,
)
from tests.support.engine import EngineServer


@pytest.fixture(scope="module")
async def imported() -> MemoryBroker:
    broker = MemoryBroker()
    await import_files(
        puffy.puffy_files(),
        load_mapping(puffy.MAPPINGS / "puffy.toml"),
        broker,
        site="puffy",
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        progress=Progress(disable=True),
    )
    return broker


@pytest.fixture(scope="module")
def client(engine: EngineServer, imported: MemoryBroker) -> Iterator[Client]:
    with migrated_database(engine) as client:
        track(client, touchpoints_in(imported.records(RAW.name)))
        letters = imported.records(DEAD_LETTERS.name)
        insert_json(client, "dead_letters", [letter.value or b"" for letter in letters])
        yield client


def test_every_figure_of_the_report_is_the_answer(client: Client) -> None:
    puffy.assert_puffy(read_report(client, Span(site="puffy")))


def test_importing_the_files_again_changes_no_figure(
    client: Client, imported: MemoryBroker
) -> None:
    again = touchpoints_in(imported.records(RAW.name))
    client.command("TRUNCATE TABLE sessions")
    track(client, again[::-1])
    puffy.assert_puffy(read_report(client, Span(site="puffy")))


def test_most_sessions_have_one_touchpoint_and_some_visitors_return(client: Client) -> None:
    single = client.query("SELECT countIf(touchpoints = 1) FROM sessions FINAL").result_rows
    returning = client.query(
        "SELECT count() FROM (SELECT visitor_id FROM sessions FINAL GROUP BY visitor_id "
        "HAVING count() > 1)"
    ).result_rows
    assert single == [(puffy.SINGLE_TOUCHPOINT_SESSIONS,)]
    assert returning == [(puffy.RETURNING_VISITORS,)]


def test_the_sessions_agree_with_the_touchpoints(client: Client) -> None:
    assert differences(client, gap=HALF_AN_HOUR) == []


@pytest.mark.parametrize("funnel", [puffy.BY_VISITOR, puffy.BY_SESSION], ids=["visitor", "session"])
def test_a_funnel_with_an_endless_window_has_the_three_readings_of_the_report(
    client: Client, funnel: Funnel
) -> None:
    def ask(order: Order) -> tuple[tuple[int, int], ...]:
        question = Question(
            steps=tuple(map(Step, FUNNEL)), order=order, unit=funnel.unit, window=LONGEST_WINDOW
        )
        answer = read_funnel(client, Span(site="puffy"), question)
        return tuple((step.reach, step.count) for step in answer.steps)

    assert ask("unordered") == tuple(zip(funnel.reach, funnel.closed, strict=True))
    assert ask("ordered") == tuple(zip(funnel.reach, funnel.ordered, strict=True))


def test_the_live_funnel_reaches_and_closes_the_steps_as_the_report_does(client: Client) -> None:
    statement = (
        "SELECT reach, closed FROM live_funnel(site = 'puffy', steps = {steps:Array(String)}, "
        "start = '2025-01-01 00:00:00', end = '2026-01-01 00:00:00')"
    )
    found = client.query(statement, parameters={"steps": list(FUNNEL)}).result_rows
    funnel = puffy.BY_VISITOR
    assert found == list(zip(funnel.reach, funnel.closed, strict=True))
