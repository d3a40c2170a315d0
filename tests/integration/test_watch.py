"""From the tables to alerts, on the real engine: what must fire, what must not, and only once."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.kafka import clients
from pipeline.kafka.lag import ends
from pipeline.kafka.topics import create_topics
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.roles.watch.loop import Rounds
from pipeline.roles.watch.reader import Reader
from pipeline.settings import Settings
from schemas.codec import Tick, encode
from schemas.times import milliseconds
from schemas.topics import RAW
from tests.support.backtests import LAST_STEP, RULES, about, broken, fired
from tests.support.database import migrated_database
from tests.support.engine import EngineServer
from tests.support.ports import free_ports
from tests.support.visits import STEPS, Visits

START = datetime(2026, 3, 2, tzinfo=UTC)
NOW = START + timedelta(days=8, hours=12)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


@pytest.fixture(autouse=True)
def empty(client: Client) -> None:
    for table in ("touchpoints", "sessions", "alerts", "watch_states"):
        client.command(f"TRUNCATE TABLE {table}")


def fill(client: Client, visits: Visits, start: datetime, end: datetime) -> None:
    """By days, as they would come."""
    while start < end:
        until = min(start + timedelta(days=1), end)
        visits.fill(client, start, until)
        start = until


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_the_first_hour_of_a_site_is_the_same_in_every_zone(
    client: Client, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    Visits().fill(client, START, START + HOUR)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        [site] = Reader(client, STEPS, RULES).sites(milliseconds(START), milliseconds(NOW))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert site.first_hour == milliseconds(START) // 3_600_000


async def test_a_watch_whose_clock_is_fast_judges_no_minute_that_is_not_over(
    client: Client,
) -> None:
    """What the log has seen is the time: whoever comes in this minute is yet to be counted."""
    now = datetime.now(UTC)
    async with EmbeddedBroker(free_ports(1)[0]) as broker:
        settings = Settings(
            kafka_bootstrap_servers=broker.bootstrap_servers, kafka_idempotence=False
        )
        await create_topics(settings)
        fast = now + timedelta(minutes=1)
        assert await Rounds(client, settings, STEPS).progress(fast) == fast - settings.watch_grace
        watching = Rounds(client, settings, STEPS)
        for at in (now, now - timedelta(hours=7)):  # the other comes back from the overflow
            async with clients.producer(settings, RAW.name) as producer:
                tick = (None, encode(Tick(tick=at)), milliseconds(at))
                await producer.send_all({(RAW.name, 0): [tick]})
            await read_all(settings, settings.tracker_group)
            told = await watching.progress(fast)
            assert abs(told - (now - settings.watch_grace)) < timedelta(seconds=1)


async def read_all(settings: Settings, group: str) -> None:
    """Commit whatever is there."""
    positions = await ends(settings, [RAW.name])
    async with clients.consumer(settings, group_id=group) as consumer:
        consumer.assign(list(positions))
        await consumer.commit(positions)


def test_a_healthy_shop_gives_no_alert(client: Client) -> None:
    fill(client, Visits(), START, NOW)
    assert fired(client, NOW - 6 * HOUR, NOW) == []


def test_a_broken_checkout_fires_with_its_slice_and_is_over_when_it_works_again(
    client: Client,
) -> None:
    start = NOW - 4 * HOUR
    fill(client, broken(start, start + 2 * HOUR, "Safari"), START, NOW)
    [alert] = fired(client, NOW - 6 * HOUR, NOW)
    assert about(alert) == LAST_STEP
    assert (alert.dimension, alert.value) in {("browser", "Safari"), ("device", "mobile")}
    assert {(s.dimension, s.value) for s in alert.slices} >= {("browser", "Safari")}
    assert start - timedelta(minutes=10) <= alert.since <= alert.opened_at <= start + HOUR
    assert alert.state == "resolved"
    assert alert.resolved_at is not None
    assert start + 2 * HOUR < alert.resolved_at < start + 3 * HOUR
    assert 20 < alert.people < 150
    assert alert.money == pytest.approx(80 * alert.people, rel=0.05)
    assert "down" in alert.title
