"""An insert whose answer is lost, or half of which failed, is repeated and counts once.

So it is in every table: in the one that rows are inserted into, and in those that materialised
views fill from it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from pipeline.clickhouse import connect
from pipeline.settings import Settings
from schemas.codec import encode_row
from schemas.touchpoint import Enrichment, Touchpoint
from sinks.batch import Row, token_of
from sinks.clickhouse import ClickHouseSink
from sinks.sink import SinkUnavailable
from tests.support.database import migrated_database
from tests.support.deaf import DeafWay
from tests.support.engine import EngineServer

pytestmark = pytest.mark.fault

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
VIEWS = {"inventory_states", "funnel_hours", "visitor_days"}


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def rows(first: int = 0) -> list[bytes]:
    return [encode_row(seen(number), enriched(number)) for number in range(first, first + 50)]


def enriched(number: int) -> Enrichment:
    return Enrichment(f"v{number % 7}", is_late=False, kafka_partition=0, kafka_offset=number)


def seen(number: int) -> Touchpoint:
    return Touchpoint(
        touchpoint_id=f"t{number}",
        site="shop",
        type="page",
        name="Page Viewed",
        channel="website",
        occurred_at=NOON + timedelta(minutes=number),
        received_at=NOON,
        properties=msgspec.Raw(b"{}"),
        anonymous_id=f"v{number % 7}",
        user_id=f"u{number % 7}",
    )


def stored(client: Client) -> dict[str, int]:
    """How many rows each table has, before anything is merged."""
    found = client.query(
        "SELECT table, sum(rows) FROM system.parts WHERE database = currentDatabase() AND active"
        " AND table NOT IN ('migrations', 'questions') GROUP BY table"
    )
    return {str(table): int(count) for table, count in found.result_rows}


async def put(sink: ClickHouseSink, values: list[bytes]) -> None:
    await sink.write("touchpoints", values, token_of("touchpoints", map(row, values)))


def row(value: bytes) -> Row:
    return Row(value, "touchpoints-0", 0, 0)


async def once(client: Client) -> dict[str, int]:
    """What is stored if nothing goes wrong; the tables are empty again afterwards."""
    await ClickHouseSink(client).write("touchpoints", rows(), "before")
    expected = stored(client)
    for table in expected:
        client.command(f"TRUNCATE TABLE {table}")
    assert expected["touchpoints"] == len(rows())
    assert expected.keys() >= VIEWS
    return expected


@pytest.mark.parametrize("lost", [1, 4])
async def test_an_insert_that_ran_and_was_not_heard_of_counts_once(
    engine: EngineServer, client: Client, lost: int
) -> None:
    expected = await once(client)
    async with DeafWay((engine.host, engine.port)) as way:
        url = f"http://127.0.0.1:{way.port}"
        settings = Settings(clickhouse_url=url, clickhouse_database=client.database or "")
        far = await asyncio.to_thread(connect, settings)
        way.lost = lost
        while way.lost:  # the driver itself tries again, some times
            with suppress(SinkUnavailable):
                await put(ClickHouseSink(far), rows())
        await put(ClickHouseSink(far), rows())
        far.close()
    assert stored(client) == expected


async def test_when_a_view_fails_and_is_mended_its_table_and_all_others_agree(
    client: Client,
) -> None:
    expected = await once(client)
    client.command("RENAME TABLE visitor_days TO away")
    with pytest.raises(SinkUnavailable):
        await put(ClickHouseSink(client), rows())
    client.command("RENAME TABLE away TO visitor_days")
    await put(ClickHouseSink(client), rows())
    assert stored(client) == expected


async def test_too_many_parts_make_the_sink_wait(client: Client) -> None:
    sink, limit = ClickHouseSink(client), "parts_to_delay_insert = 1, parts_to_throw_insert = 1"
    await put(sink, rows())
    client.command(f"ALTER TABLE touchpoints MODIFY SETTING {limit}")
    with pytest.raises(SinkUnavailable, match="252"):
        await put(sink, rows(50))
    reset = limit.replace(" = 1", "")
    client.command(f"ALTER TABLE touchpoints RESET SETTING {reset}")
    await put(sink, rows(50))
    assert stored(client)["touchpoints"] == 2 * len(rows())
