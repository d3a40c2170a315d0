"""What the tables must hold, computed from the log in one go, and compared."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from clickhouse_connect.driver.client import Client
from msgspec.structs import asdict

from pipeline.kafka.in_memory import Fetched, MemoryBroker, MemoryConsumer
from pipeline.kafka.records import partition_for
from pipeline.operations.comparison import Difference, Tables, compare
from pipeline.operations.oracle import by_partition, expected_tables
from schemas.topics import RAW, record_key
from tests.support.journeys import DAY, HOUR, MINUTE, NOON, RULES, SITE
from tests.support.tracker import Log, Worker, key_of, tick, touchpoint

ENDS = [1_000]
TABLES = ["touchpoints", "sessions", "transitions", "abandonments", "dead_letters"]


def log_of(*values: bytes) -> Log:
    log = Log()
    for value in values:
        log.add(value, NOON, key_of(value) if value.startswith(b"{") else b"shop:ada")
    return log


def expected(*values: bytes) -> Tables:
    return expected_tables([log_of(*values).records], RULES)


@dataclass
class Stub:
    """A client that answers every `SELECT * FROM table` with the rows it was given."""

    rows: dict[str, list[dict[str, Any]]]
    asked: list[str]

    def query(self, sql: str) -> "Stub":
        self.asked.append(sql)
        return replace(self, rows={"": self.rows.get(sql.split()[3], [])})

    def named_results(self) -> list[dict[str, Any]]:
        return self.rows[""]


def tables() -> dict[str, list[dict[str, Any]]]:
    """Tables as ClickHouse gives them, of a log with one row of every kind."""
    worker = Worker(log_of(*STORY))
    live = worker.finish()
    return {name: list(live.of(name)) for name in TABLES}


STORY = (
    touchpoint("a", NOON, name="Product Added", properties={"price": 9.99, "note": "ü"}),
    b"broken",
    tick(NOON + HOUR),
)


def found(actual: dict[str, list[dict[str, Any]]], ends: list[int] = ENDS) -> list[Difference]:
    return compare(cast("Client", Stub(actual, [])), expected(*STORY), ends)


def only_row(actual: dict[str, list[dict[str, Any]]], table: str) -> dict[str, Any]:
    (row,) = actual[table]
    return row


# --- from the log to the tables -----------------------------------------------------------------


async def test_a_log_in_a_broker_becomes_the_tables_of_all_its_partitions() -> None:
    broker = MemoryBroker(partition_count=4)
    visitors = [f"visitor-{number}" for number in range(20)]
    for visitor in visitors:
        key = record_key(SITE, visitor)
        value = touchpoint(f"of-{visitor}", NOON, anonymous_id=visitor)
        await broker.send(RAW.name, partition_for(key, 4), [(key, value, NOON)])
    consumer = MemoryConsumer(broker)
    consumer.assign(TopicPartition(*place) for place in broker.log)
    fetched = [record for records in (await consumer.getmany()).values() for record in records]
    wanted = expected_tables(by_partition(fetched, 4), RULES)
    assert {row["visitor_id"] for row in wanted["sessions"].values()} == set(visitors)
    assert len(wanted["touchpoints"]) == len(visitors)
    assert wanted["dead_letters"] == {}


def test_every_kind_of_row_is_expected_of_the_story() -> None:
    assert {table: len(rows) for table, rows in expected(*STORY).items()} == {
        "touchpoints": 1,
        "sessions": 1,
        "transitions": 1,
        "abandonments": 1,
        "identities": 0,
        "links": 0,
        "dead_letters": 1,
    }


def test_the_order_of_arrival_within_a_visitor_does_not_matter() -> None:
    values = [touchpoint(f"t{number}", NOON + number * 20 * MINUTE) for number in range(4)]
    forwards, backwards = expected(*values), expected(*reversed(values))
    assert forwards["sessions"] == backwards["sessions"]
    assert forwards["transitions"] == backwards["transitions"]


def test_the_first_copy_of_a_touchpoint_wins() -> None:
    rows = expected(touchpoint("a", NOON, title="first"), touchpoint("a", NOON, title="second"))
    (row,) = rows["touchpoints"].values()
    assert row["title"] == "first"


def test_the_same_touchpoint_id_on_two_sites_is_two_touchpoints() -> None:
    rows = expected(touchpoint("a", NOON), touchpoint("a", NOON, site="store"))
    assert sorted(rows["touchpoints"]) == ["shop ada a", "store ada a"]


def test_what_comes_too_late_is_a_row_and_no_session() -> None:
    rows = expected(touchpoint("a", NOON), touchpoint("b", NOON - DAY - 1, anonymous_id="bob"))
    assert rows["touchpoints"]["shop bob b"]["is_late"]
    assert {row["visitor_id"] for row in rows["sessions"].values()} == {"ada"}


def test_silence_is_judged_by_the_newest_time_of_the_site() -> None:
    cart = touchpoint("a", NOON, name="Product Added")
    assert expected(cart, tick(NOON + 30 * MINUTE))["abandonments"] == {}
    assert len(expected(cart, tick(NOON + 30 * MINUTE + 1))["abandonments"]) == 1
    assert expected(cart, tick(NOON + HOUR, "store"))["abandonments"] == {}


def test_records_are_sorted_into_their_partitions_and_empty_ones_count() -> None:
    records = [Fetched(RAW.name, number, 0, NOON, None, b"{}") for number in (2, 0, 2)]
    assert [len(partition) for partition in by_partition(records, 4)] == [1, 0, 2, 0]


def test_an_empty_last_partition_does_not_move_visitors() -> None:
    keys = (record_key(SITE, f"v{number}") for number in range(100))
    key = next(key for key in keys if partition_for(key, 4) == 2 and partition_for(key, 3) != 2)
    value = touchpoint("a", NOON, anonymous_id=key.decode().split(":")[1])
    records = [Fetched(RAW.name, 2, 0, NOON, None, value)]
    assert expected_tables(by_partition(records, 4), RULES)["dead_letters"] == {}


# --- comparing ----------------------------------------------------------------------------------


def test_tables_that_are_as_they_must_be_have_no_differences() -> None:
    assert found(tables()) == []


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_row_is_found(table: str) -> None:
    actual = tables()
    actual[table] = []
    (difference,) = found(actual)
    assert (difference.table, difference.column, difference.actual) == (table, "*", None)
    assert difference.expected == next(iter(expected(*STORY)[table].values()))


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_must_not_be_there_is_found(table: str) -> None:
    actual = tables()
    id_ = next(column for column in only_row(actual, table) if column.endswith("_id"))
    actual[table].append(only_row(actual, table) | {id_: "another"})
    (difference,) = found(actual)
    assert (difference.table, difference.column, difference.expected) == (table, "*", None)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("touchpoints", "path", "/elsewhere"),
        ("touchpoints", "properties", '{"price": 9.99, "note": "ü"}'),
        ("touchpoints", "is_late", True),
        ("sessions", "touchpoints", 2),
        ("sessions", "steps", []),
        ("sessions", "ended_at", datetime(2026, 1, 1, 12, 0, 0, 1000, UTC)),
        ("transitions", "kind", "skip"),
        ("abandonments", "value", 9.98),
        ("abandonments", "contents", []),
        ("abandonments", "recovered_at", datetime(2026, 1, 1, tzinfo=UTC)),
        ("dead_letters", "reason", "too_deep"),
    ],
)
def test_another_value_is_found_with_its_place(table: str, column: str, value: object) -> None:
    actual = tables()
    row = only_row(actual, table)
    (wanted,) = expected(*STORY)[table].items()
    row[column] = value
    assert found(actual) == [Difference(table, wanted[0], column, wanted[1][column], value)]


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_stands_there_twice_is_found(table: str) -> None:
    actual = tables()
    actual[table].append(dict(only_row(actual, table)))
    (wanted,) = expected(*STORY)[table]
    assert found(actual) == [Difference(table, wanted, "rows", 1, 2)]


def test_a_touchpoint_id_of_two_visitors_is_two_touchpoints() -> None:
    rows = expected(touchpoint("a", NOON), touchpoint("a", NOON, anonymous_id="bob"))
    assert sorted(rows["touchpoints"]) == ["shop ada a", "shop bob a"]


def test_a_column_that_the_table_lacks_is_found() -> None:
    actual = tables()
    del only_row(actual, "sessions")["revenue_told"]
    assert [difference.column for difference in found(actual)] == ["revenue_told"]


def test_how_a_row_came_about_is_not_compared() -> None:
    actual = tables()
    only_row(actual, "sessions")["version"] = 77
    only_row(actual, "touchpoints")["kafka_offset"] = 78
    assert found(actual) == []


def test_the_same_values_in_the_types_of_the_driver_are_equal() -> None:
    actual = tables()
    session, left = only_row(actual, "sessions"), only_row(actual, "abandonments")
    session["started_at"] = session["started_at"].replace(tzinfo=None)
    session["ended_at"] = session["ended_at"].astimezone(timezone(timedelta(hours=2)))
    left["opened_at"] += timedelta(microseconds=999)
    left["value"] = Decimal("9.99")
    left["contents"] = [
        {**asdict(product), "price": Decimal("9.99")} for product in left["contents"]
    ]
    assert found(actual) == []


@pytest.mark.parametrize("table", ["touchpoints", "sessions", "dead_letters"])
def test_rows_that_a_later_record_has_written_are_left_out(table: str) -> None:
    actual = tables()
    row = only_row(actual, table)
    for column in ("kafka_offset", "version", "position"):
        if column in row:
            row[column] = 3
    row["site"] = "changed" if table != "touchpoints" else row["site"]
    row |= {"path": "/changed"} if table == "touchpoints" else {}
    assert found(actual, ends=[3]) == []
    assert found(actual, ends=[4]) != []


def test_of_dead_letters_only_those_of_the_tracker_are_asked_for() -> None:
    stub = Stub(tables(), [])
    compare(cast("Client", stub), expected(*STORY), ENDS)
    assert "SELECT * FROM dead_letters FINAL WHERE stage = 'track'" in stub.asked
    assert "SELECT * FROM sessions FINAL" in stub.asked
