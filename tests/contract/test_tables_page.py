"""docs/tables.md: says what the database says, and its examples work."""

import re
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from schemas.codec import encode
from schemas.facts import Session
from schemas.touchpoint import TouchpointRow
from tests.support.database import insert_json, migrated_database
from tests.support.engine import EngineServer
from tests.support.examples import ROWS, examples, row_of
from tests.support.tables_page import MARK, PAGE, read_tables, write_page

PROSE = PAGE.read_text().partition(MARK)[0]
QUERIES: list[str] = re.findall(r"```sql\n(.*?)```", PROSE, re.DOTALL)
FACTS = ("session", "transition", "abandonment", "identity", "link", "dead_letter")


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    """All golden examples of facts, and a touchpoint in each session."""
    facts = [row_of(path) for path in examples(*FACTS, kind="valid")]
    touchpoint = row_of(examples("touchpoint", kind="valid")[0])
    assert isinstance(touchpoint, TouchpointRow)
    inside = [
        replace(
            touchpoint,
            touchpoint_id=session.first_touchpoint_id,
            site=session.site,
            visitor_id=session.visitor_id,
            user_id="42",
            name="Product Viewed",
            occurred_at=session.started_at,
        )
        for session in facts
        if isinstance(session, Session)
    ]
    with migrated_database(engine) as client:
        for table, kind in ROWS.items():
            rows = [encode(row) for row in (*facts, *inside) if isinstance(row, kind)]
            insert_json(client, table, rows)
        yield client


def test_the_lists_are_what_the_database_says(client: Client) -> None:
    """Else run `python -m tests.support.tables_page`."""
    assert write_page(PROSE, read_tables(client)) == PAGE.read_text()


def test_every_table_and_view_has_a_comment(client: Client) -> None:
    tables = read_tables(client)
    assert {table.name for table in tables} >= {*ROWS, "people", "session_touchpoints"}
    assert [table.name for table in tables if not table.comment] == []


def test_every_column_has_a_comment_there_or_in_the_table_it_comes_from(client: Client) -> None:
    tables = read_tables(client)
    explained = {c.name for table in tables if not table.is_view for c in table.columns}
    missing = [
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if not column.comment and not (table.is_view and column.name in explained)
    ]
    assert missing == []


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.splitlines()[0])
def test_an_example_finds_something(query: str, client: Client) -> None:
    assert client.query(query).result_rows != []


def test_there_is_an_example_for_every_table_and_view() -> None:
    wanted = {*ROWS, "people", "session_touchpoints", "person_sessions", "person_transitions"}
    wanted |= {"weak_points", "kpis", "journey_map", "visits"}
    assert {name for query in QUERIES for name in re.findall(r"FROM (\w+)", query)} == wanted
