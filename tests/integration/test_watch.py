"""Drop-off from the table `sessions` to the metrics, on the real engine."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from pipeline import metrics
from pipeline.clickhouse import connect
from pipeline.kafka.in_memory import ManualClock
from pipeline.roles.watch.dropoff import Passage
from pipeline.roles.watch.loop import count, look, watch
from pipeline.settings import Settings
from sinks.migrate import migrate, read_migrations
from tests.support.database import migrated_database
from tests.support.engine import EngineServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEWEST = NOW - timedelta(minutes=30, milliseconds=1)
OLDEST = NOW - timedelta(minutes=90)
PAIRS = [("Product Viewed", "Product Added"), ("Product Added", "Order Completed")]
DAY = timedelta(days=1)


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def add(
    client: Client,
    started_at: datetime,
    steps: list[str],
    *,
    times: int = 1,
    site: str = "shop",
    is_bot: bool = False,
    version: int = 1,
    is_deleted: bool = False,
) -> None:
    names = ["session_id", "visitor_id", "site", "started_at", "steps", "is_bot"]
    rows = [
        (f"{started_at}-{n}", "v", site, started_at, steps, is_bot, version, int(is_deleted))
        for n in range(times)
    ]
    client.insert("sessions", rows, column_names=[*names, "version", "is_deleted"])


def value(name: str, **labels: str) -> float | None:
    return metrics.WATCH.get_sample_value(f"touchstream_watch_{name}", labels)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110  a metric, nobody can notify us
            await asyncio.sleep(0.02)


def counted(client: Client, days: int = 7) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    return {
        (p.site, p.from_step): (p.entries, p.conversions, p.usual_entries, p.usual_conversions)
        for p in count(client, PAIRS, NOW, days)
    }


def test_the_hour_counts_from_its_first_to_its_last_millisecond(client: Client) -> None:
    for started_at in (OLDEST, NEWEST):
        add(client, started_at, ["Product Viewed", "Product Added"])
    for outside in (OLDEST - timedelta(milliseconds=1), NEWEST + timedelta(milliseconds=1)):
        add(client, outside, ["Product Viewed"])
    expected = {("shop", "Product Viewed"): (2, 2, 0, 0), ("shop", "Product Added"): (2, 0, 0, 0)}
    assert expected == counted(client)


def test_the_yardstick_is_the_same_hour_of_as_many_days_as_set(client: Client) -> None:
    for days in range(1, 4):
        for edge in (OLDEST, NEWEST):
            add(
                client, edge - days * DAY, ["Product Viewed", "Product Added"], times=10**days // 10
            )
        add(client, NEWEST - days * DAY + timedelta(milliseconds=1), ["Product Viewed"])
    assert counted(client, days=2)["shop", "Product Viewed"] == (0, 0, 22, 22)


def test_a_site_and_a_pair_of_steps_are_judged_apart(client: Client) -> None:
    add(client, NEWEST, ["Product Viewed"], site="a")
    add(client, NEWEST, ["Product Added", "Order Completed"], site="b")
    expected = {("a", "Product Viewed"): (1, 0, 0, 0), ("b", "Product Added"): (1, 1, 0, 0)}
    assert expected == counted(client)


def test_bots_are_not_counted_and_of_a_session_only_its_newest_row(client: Client) -> None:
    add(client, NEWEST, ["Product Viewed"], is_bot=True)
    add(client, OLDEST, ["Product Viewed"], version=1)
    add(client, OLDEST, ["Product Viewed", "Product Added"], version=2)
    add(client, OLDEST + timedelta(minutes=1), ["Product Viewed"], version=1)
    add(client, OLDEST + timedelta(minutes=1), ["Product Viewed"], version=2, is_deleted=True)
    assert counted(client)["shop", "Product Viewed"] == (1, 1, 0, 0)


def test_empty_tables_count_nothing(client: Client) -> None:
    nothing: list[Passage] = []
    assert nothing == count(client, PAIRS, NOW, 7)


async def test_a_drop_in_the_table_is_a_drop_in_the_metrics(client: Client) -> None:
    add(client, NEWEST, ["Product Viewed", "Product Added"], times=50, site="dropped")
    add(client, OLDEST, ["Product Viewed"], times=150, site="dropped")
    add(client, NEWEST - DAY, ["Product Viewed", "Product Added"], times=300, site="dropped")
    add(client, OLDEST - DAY, ["Product Viewed"], times=300, site="dropped")
    await look(client, Settings(watch_minimum=50), PAIRS, NOW)
    labels = {"site": "dropped", "from_step": "Product Viewed", "to_step": "Product Added"}
    gauges = ("entries", "conversion", "expected_conversion", "drop")
    assert [value(gauge, **labels) for gauge in gauges] == [200.0, 0.25, 0.5, 0.5]
    assert value("last_success_timestamp_seconds") == NOW.timestamp()


async def test_while_clickhouse_is_away_it_is_counted_and_the_watch_goes_on(
    tmp_path: Path,
) -> None:
    clock = ManualClock(NOW + DAY)
    settings = Settings(watch_metrics_port=0, watch_interval=timedelta(milliseconds=1))
    failures = value("failures_total") or 0.0
    async with EngineServer(tmp_path / "data") as server:
        with connect(Settings(clickhouse_url=server.url)) as client:
            migrate(client, read_migrations())
            watching = asyncio.create_task(watch(client, settings, clock))
            await until(lambda: value("last_success_timestamp_seconds") == clock.now.timestamp())
            await server.stop()
            await until(lambda: (value("failures_total") or 0.0) >= failures + 2)
            clock.advance(DAY)
            await server.start()
            await until(lambda: value("last_success_timestamp_seconds") == clock.now.timestamp())
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
