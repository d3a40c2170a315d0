"""Rows and tables: a column for every field, and every row comes back as it was written."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from msgspec.structs import asdict, fields, replace

from schemas.codec import encode
from schemas.facts import Fact
from schemas.topics import ALL, OVERFLOW, RAW, STATE, TABLES
from schemas.touchpoint import Enrichment, Touchpoint, TouchpointRow
from sinks.clickhouse import ClickHouseSink
from tests.support.database import migrated_database
from tests.support.engine import EngineServer
from tests.support.examples import ROWS, AnyRow, examples, row_of, title_of

TABLE_OF = {row: table for table, row in ROWS.items()}
FACTS = ("session", "transition", "abandonment")
EXAMPLES = examples("touchpoint", *FACTS, "dead_letter", kind="valid")
ONE_OF_EACH_FACT = [examples(fact, kind="valid")[0] for fact in FACTS]


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


@pytest.fixture
def tables(client: Client) -> Client:
    for table in ROWS:
        client.command(f"TRUNCATE TABLE {table}")
    return client


async def insert(client: Client, token: str, *rows: AnyRow) -> None:
    table = TABLE_OF[type(rows[0])]
    await ClickHouseSink(client).write(table, [encode(row) for row in rows], token)


def fact_of(path: Path) -> Fact:
    row = row_of(path)
    assert isinstance(row, Fact)
    return row


def read(client: Client, table: str) -> list[dict[str, object]]:
    lines = client.raw_query(
        f"SELECT * FROM {table} FINAL",  # noqa: S608 - our own names
        fmt="JSONEachRow",
        settings={"date_time_output_format": "iso"},
    )
    # Not strict: ClickHouse writes `is_deleted` as a number.
    decoder = msgspec.json.Decoder(ROWS[table], strict=False)
    return comparable(decoder.decode_lines(lines))


def comparable(rows: Sequence[AnyRow]) -> list[dict[str, object]]:
    return [{column: plain(value) for column, value in asdict(row).items()} for row in rows]


def plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=value.microsecond // 1000 * 1000)
    if isinstance(value, msgspec.Raw):  # an object on the way in, a text with one on the way out
        value = msgspec.json.decode(value)
        return msgspec.json.decode(value) if isinstance(value, str) else value
    return value


def test_every_topic_but_what_the_tracker_reads_and_remembers_has_a_table() -> None:
    without = {topic.name for topic in ALL} - TABLES.keys()
    assert without == {RAW.name, OVERFLOW.name, STATE.name}


def test_a_table_holds_what_its_topic_is_said_to_hold() -> None:
    said = {TABLES[topic.name]: topic.value for topic in ALL if topic.name in TABLES}
    assert said == {table: row.__name__ for table, row in ROWS.items()}


@pytest.mark.parametrize("table", ROWS)
def test_the_columns_of_a_table_are_the_fields_of_its_rows(table: str, client: Client) -> None:
    described = client.query(f"DESCRIBE TABLE {table}").named_results()
    columns = {column["name"] for column in described if column["default_type"] != "MATERIALIZED"}
    assert columns == {field.name for field in fields(ROWS[table])}


@pytest.mark.parametrize("path", EXAMPLES, ids=title_of)
async def test_a_row_comes_back_as_it_was_written_however_often_it_is_inserted(
    path: Path, tables: Client
) -> None:
    row = row_of(path)
    for token in (path.stem, path.stem, f"{path.stem} in another batch"):
        await insert(tables, token, row)
    expected = [] if getattr(row, "is_deleted", False) else [row]
    assert comparable(expected) == read(tables, TABLE_OF[type(row)])


@pytest.mark.parametrize("older_comes_last", [False, True])
@pytest.mark.parametrize("path", ONE_OF_EACH_FACT, ids=title_of)
async def test_of_two_versions_of_a_fact_the_higher_one_stays(
    path: Path, older_comes_last: bool, tables: Client
) -> None:
    old = fact_of(path)
    new = replace(old, version=old.version + 1, person_id="somebody else")
    for row in (new, old) if older_comes_last else (old, new):
        await insert(tables, f"{path.stem} {row.version} {older_comes_last}", row)
    assert comparable([new]) == read(tables, TABLE_OF[type(old)])


@pytest.mark.parametrize("retraction_comes_first", [False, True])
@pytest.mark.parametrize("path", ONE_OF_EACH_FACT, ids=title_of)
async def test_a_retracted_fact_is_gone(
    path: Path, retraction_comes_first: bool, tables: Client
) -> None:
    row = fact_of(path)
    gone = replace(row, version=row.version + 1, is_deleted=True)
    for part in (gone, row) if retraction_comes_first else (row, gone):
        await insert(tables, f"{path.stem} {part.is_deleted} {retraction_comes_first}", part)
    assert read(tables, TABLE_OF[type(row)]) == []


@pytest.mark.parametrize("first_comes_last", [False, True])
async def test_of_two_copies_of_a_touchpoint_the_one_first_in_the_log_stays(
    first_comes_last: bool, tables: Client
) -> None:
    first = row_of(EXAMPLES[0])
    assert isinstance(first, TouchpointRow)
    second = replace(first, kafka_offset=first.kafka_offset + 1, title="sent again")
    for row in (second, first) if first_comes_last else (first, second):
        await insert(tables, f"{row.kafka_offset} {first_comes_last}", row)
    assert comparable([first]) == read(tables, "touchpoints")


def test_what_the_tracker_adds_is_what_the_row_has_more_than_the_touchpoint() -> None:
    added = {
        name: hint
        for name, hint in get_type_hints(TouchpointRow, include_extras=True).items()
        if name not in Touchpoint.__struct_fields__
    }
    assert get_type_hints(Enrichment, include_extras=True) == added
