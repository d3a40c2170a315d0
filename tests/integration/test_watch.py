"""From the tables to alerts, on the real engine: what must fire, what must not, and only once."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.roles.watch.reader import Reader
from schemas.times import milliseconds
from tests.support.backtests import LAST_STEP, RULES, about, broken, fired
from tests.support.database import migrated_database
from tests.support.engine import EngineServer
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
