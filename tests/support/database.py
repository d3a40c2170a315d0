"""A ClickHouse database per test, and rows in it as the tracker and the sink would write them."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import clickhouse_connect
import msgspec
from clickhouse_connect.driver.client import Client

from pipeline.kafka.records import Record
from pipeline.operations.oracle import expected_tables
from pipeline.operations.verify import SESSIONISE
from pipeline.tracker.commerce import ORDER_NAMES, read_commerce
from schemas.codec import decode_touchpoint, encode, encode_row, is_tick
from schemas.touchpoint import Enrichment, Touchpoint, visitor_of
from sinks.migrate import migrate, read_migrations
from sinks.questions import make_questions
from tests.support.engine import EngineServer
from tests.support.journeys import RULES
from tests.support.tracker import Log

HALF_AN_HOUR = timedelta(minutes=30)


def client_of(engine: EngineServer, database: str) -> Client:
    """A client of a database that is there."""
    return clickhouse_connect.get_client(
        host=engine.host, port=engine.port, database=database, autogenerate_session_id=False
    )


@contextmanager
def empty_database(engine: EngineServer) -> Iterator[Client]:
    """A client in a new database without tables."""
    database = f"test_{uuid.uuid4().hex}"
    with client_of(engine, "default") as owner:
        owner.command(f"CREATE DATABASE {database}")
        with client_of(engine, database) as client:
            yield client
        owner.command(f"DROP DATABASE {database}")


@contextmanager
def migrated_database(engine: EngineServer) -> Iterator[Client]:
    """A client in a database with all tables and views, and without rows.

    Making one takes as long as many a test, so it is used again, unless the test changed a table.
    """
    spare = _SPARE.setdefault(engine.url, [])
    database = spare.pop() if spare else _made(engine)
    with client_of(engine, database) as owner:
        before = _shape(owner)
        with client_of(engine, database) as client:
            yield client
        if _shape(owner) == before:
            _empty(owner)
            spare.append(database)
        else:
            owner.command(f"DROP DATABASE {database}")


_SPARE: dict[str, list[str]] = {}
"""Databases of each engine that nobody uses."""


def _made(engine: EngineServer) -> str:
    database = f"test_{uuid.uuid4().hex}"
    with client_of(engine, "default") as owner:
        owner.command(f"CREATE DATABASE {database}")
    with client_of(engine, database) as client:
        migrate(client, read_migrations())
        make_questions(client)
    return database


def _shape(client: Client) -> list[Sequence[object]]:
    """What changes with every other way to change a table than to insert rows."""
    return [
        *client.query(
            "SELECT name, uuid, metadata_modification_time FROM system.tables"
            " WHERE database = currentDatabase() ORDER BY name"
        ).result_rows,
        *client.query(
            "SELECT table, mutation_id FROM system.mutations"
            " WHERE database = currentDatabase() AND NOT is_done"
        ).result_rows,
    ]


def _empty(client: Client) -> None:
    filled = client.query(
        "SELECT name FROM system.tables"
        " WHERE database = currentDatabase() AND total_rows > 0 AND name != 'migrations'"
        " AND engine LIKE '%MergeTree'"
    )
    for (name,) in filled.result_rows:
        client.command(f"TRUNCATE TABLE `{name}`")


def insert_json(client: Client, table: str, rows: Iterable[bytes]) -> None:
    """Insert rows that are JSON objects."""
    client.raw_insert(
        table,
        insert_block=b"\n".join(rows),
        fmt="JSONEachRow",
        settings={"date_time_input_format": "best_effort"},
    )


def touchpoints_in(records: Iterable[Record]) -> list[Touchpoint]:
    """Read the touchpoints of records of `touchpoints.raw`."""
    values = [record.value for record in records]
    return [decode_touchpoint(value) for value in values if value and not is_tick(value)]


def track(client: Client, touchpoints: Iterable[Touchpoint]) -> None:
    """Fill `touchpoints`, and `sessions` by SQL.

    Every visitor is a person; there are no transitions and no abandonments.
    """
    insert_json(client, "touchpoints", _rows(touchpoints))
    client.command(
        f"""
        INSERT INTO sessions (session_id, site, visitor_id, person_id, started_at, ended_at,
            touchpoints, first_touchpoint_id)
        SELECT hex(cityHash64(site, visitor_id, first_touchpoint_id)), site, visitor_id, visitor_id,
            started_at, ended_at, touchpoints, first_touchpoint_id
        FROM ({SESSIONISE})
        """,  # noqa: S608 - our own text
        parameters={"gap": HALF_AN_HOUR // timedelta(milliseconds=1)},
    )


def track_fully(client: Client, touchpoints: Iterable[Touchpoint]) -> None:
    """Fill the tables as a tracker with the lifecycle would that takes everything in one go."""
    log = Log()
    for touchpoint in touchpoints:
        log.say(encode(touchpoint), int(touchpoint.received_at.timestamp() * 1000))
    for table, rows in expected_tables([log.records], RULES).items():
        insert_json(client, table, (msgspec.json.encode(row) for row in rows.values()))


def _rows(touchpoints: Iterable[Touchpoint]) -> Iterator[bytes]:
    for offset, touchpoint in enumerate(touchpoints):
        said = msgspec.json.decode(touchpoint.properties)
        commerce = read_commerce(touchpoint.name, bytes(touchpoint.properties))
        enrichment = Enrichment(
            visitor_id=visitor_of(touchpoint.anonymous_id, touchpoint.user_id),
            is_late=False,
            order_event=commerce.order_event,
            order_id=said.get("order_id", ""),
            revenue=commerce.value if touchpoint.name in ORDER_NAMES else 0.0,
            currency=commerce.currency,
            money_problem=commerce.problem,
            kafka_partition=0,
            kafka_offset=offset,
        )
        yield encode_row(touchpoint, enrichment)
