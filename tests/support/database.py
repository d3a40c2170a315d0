"""A ClickHouse database per test, and rows in it as the tracker and the sink would write them."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from pipeline.producer import Record
from pipeline.tracker.enrich import enrich
from pipeline.verify import SESSIONISE
from schemas.codec import decode_touchpoint, encode_row, is_tick
from sinks.migrate import migrate, read_migrations
from tests.support.engine import EngineServer


@contextmanager
def empty_database(engine: EngineServer) -> Iterator[Client]:
    """A client in a new database without tables."""
    database = f"test_{uuid.uuid4().hex}"
    with clickhouse_connect.get_client(
        host=engine.host, port=engine.port, autogenerate_session_id=False
    ) as client:
        client.command(f"CREATE DATABASE {database}")
        client.database = database
        yield client
        client.command(f"DROP DATABASE {database}")


@contextmanager
def migrated_database(engine: EngineServer) -> Iterator[Client]:
    """A client in a new database with all tables and views."""
    with empty_database(engine) as client:
        migrate(client, read_migrations())
        yield client


def insert_json(client: Client, table: str, rows: Iterable[bytes]) -> None:
    """Insert rows that are JSON objects."""
    client.raw_insert(
        table,
        insert_block=b"\n".join(rows),
        fmt="JSONEachRow",
        settings={"date_time_input_format": "best_effort"},
    )


def track(client: Client, records: Iterable[Record]) -> None:
    """Fill `touchpoints` from records of `touchpoints.raw`, and `sessions` by SQL.

    Every visitor is a person; there are no transitions and no abandonments.
    """
    insert_json(client, "touchpoints", _rows(records))
    client.command(
        f"""
        INSERT INTO sessions (session_id, site, visitor_id, person_id, started_at, ended_at,
            touchpoints, first_touchpoint_id)
        SELECT hex(cityHash64(site, visitor_id, first_touchpoint_id)), site, visitor_id, visitor_id,
            started_at, ended_at, touchpoints, first_touchpoint_id
        FROM ({SESSIONISE})
        """,  # noqa: S608 - our own text
        parameters={"gap": timedelta(minutes=30) // timedelta(milliseconds=1)},
    )


def _rows(records: Iterable[Record]) -> Iterator[bytes]:
    for offset, record in enumerate(records):
        assert record.value is not None
        if not is_tick(record.value):
            touchpoint = decode_touchpoint(record.value)
            enrichment = enrich(touchpoint, is_late=False, partition=0, offset=offset)
            yield encode_row(touchpoint, enrichment)
