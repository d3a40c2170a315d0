"""The live funnel: sets that do not grow by repetition, by whole hours."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.migrate import migrate, read_migrations
from tests.support.database import empty_database, migrated_database
from tests.support.engine import EngineServer

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FUNNEL = ("A", "B", "C")
PAGE = Path(__file__).parents[2] / "docs/funnels.md"

Row = tuple[str, str, float]
"""A visitor, a name, and hours after noon."""

ROWS = st.lists(
    st.tuples(st.sampled_from("uvwxyz"), st.sampled_from("ABCX"), st.integers(0, 4)), max_size=30
)


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def insert(client: Client, rows: Sequence[Row], *, site: str = "shop", **same: object) -> None:
    names = ("visitor_id", "name", "occurred_at", "touchpoint_id", "site", *same)
    client.insert(
        "touchpoints",
        [
            (v, name, NOON + at * HOUR, f"{v}{name}{at}", site, *same.values())
            for v, name, at in rows
        ],
        column_names=names,
    )


def live(
    client: Client, start: float = 0, end: float = 24, steps: Sequence[str] = FUNNEL
) -> list[tuple[int, int]]:
    asked = {"site": "shop", "steps": list(steps)} | {
        name: NOON + hours * HOUR for name, hours in {"start": start, "end": end}.items()
    }
    statement = (
        "SELECT step, reach, closed FROM live_funnel(site = {site:String}, "
        "steps = {steps:Array(String)}, "
        "start = {start:DateTime('UTC')}, end = {end:DateTime('UTC')})"
    )
    rows = client.query(statement, parameters=asked).result_rows
    assert [step for step, *_ in rows] == list(steps)
    return [(reach, closed) for _, reach, closed in rows]


def test_reach_has_the_step_and_closed_all_before_it_too_in_whatever_order(client: Client) -> None:
    insert(client, [("u", "A", 0), ("u", "B", 1), ("u", "C", 2), ("v", "C", 0), ("v", "A", 3)])
    insert(client, [("w", "B", 0), ("w", "A", 0), ("x", "B", 0), ("x", "X", 0)])
    assert live(client) == [(3, 3), (3, 2), (2, 1)]
    assert live(client, steps=["C", "A"]) == [(2, 2), (3, 2)]


def test_a_funnel_that_nobody_entered_has_all_its_steps(client: Client) -> None:
    assert live(client) == [(0, 0), (0, 0), (0, 0)]


def test_a_touchpoint_that_comes_again_changes_nothing(client: Client) -> None:
    for _ in range(3):
        insert(client, [("u", "A", 0), ("u", "B", 0)])
    client.command("OPTIMIZE TABLE funnel_hours FINAL")
    assert live(client) == [(1, 1), (1, 1), (0, 0)]


def test_bots_and_late_touchpoints_and_other_sites_do_not_count(client: Client) -> None:
    insert(client, [("u", "A", 0)], is_bot=True)
    insert(client, [("v", "A", 0)], is_late=True)
    insert(client, [("w", "A", 0)], site="other")
    assert live(client) == [(0, 0), (0, 0), (0, 0)]


def test_hours_are_whole_and_the_one_that_begins_at_the_end_is_not_in_it(client: Client) -> None:
    insert(client, [("u", "A", -0.01), ("v", "A", 0), ("w", "A", 0.99), ("x", "A", 1)])
    assert live(client, start=0, end=1)[0] == (2, 2)
    assert live(client, start=0.9, end=1.1)[0] == (3, 3)


def test_what_was_there_before_the_tables_of_funnels_counts(engine: EngineServer) -> None:
    migrations = read_migrations()
    with empty_database(engine) as client:
        migrate(client, [migration for migration in migrations if migration.number < 9])
        insert(client, [("u", "A", 0)])
        migrate(client, migrations)
        insert(client, [("v", "A", 0)])
        assert live(client)[0] == (2, 2)


@settings(max_examples=6)
@given(ROWS, st.integers(0, 4), st.integers(0, 4))
def test_the_sets_are_those_of_the_visitors(
    engine: EngineServer, rows: list[Row], start: int, end: int
) -> None:
    with migrated_database(engine) as client:
        insert(client, rows)
        insert(client, rows[::2])
        seen = [
            {v for v, name, at in rows if name == step and start <= at < end} for step in FUNNEL
        ]
        closed = [set.intersection(*seen[: n + 1]) for n in range(len(FUNNEL))]
        expected = [(len(step), len(all_)) for step, all_ in zip(seen, closed, strict=True)]
        assert expected == live(client, start, end)


def test_the_statement_for_grafana_runs_as_the_page_gives_it(client: Client) -> None:
    [statement] = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    insert(
        client, [("u", "Product Viewed", 0), ("u", "Product Added", 0), ("v", "Order Completed", 0)]
    )
    variables = {
        "${site:singlequote}": "'shop'",
        "$__fromTime": f"toDateTime({NOON.timestamp():.0f})",
        "$__toTime": f"toDateTime({(NOON + HOUR).timestamp():.0f})",
    }
    for variable, value in variables.items():
        statement = statement.replace(variable, value)
    assert client.query(statement).result_rows == [
        ("Product Viewed", 1, 1, None),
        ("Product Added", 1, 1, 1.0),
        ("Checkout Started", 0, 0, 0.0),
        ("Order Completed", 1, 0, None),
    ]
