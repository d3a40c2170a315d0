"""The independent check of sessions finds every difference, and none where there is none."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from pipeline.operations.verify import differences
from schemas.touchpoint import Touchpoint
from tests.support.database import HALF_AN_HOUR, migrated_database, track
from tests.support.engine import EngineServer

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def seen(*seconds: float, visitor: str = "v", site: str = "shop") -> list[Touchpoint]:
    return [
        Touchpoint(
            touchpoint_id=f"{visitor}-{number}",
            site=site,
            type="page",
            name="Page Viewed",
            channel="website",
            occurred_at=NOON + timedelta(seconds=second),
            received_at=NOON,
            properties=msgspec.Raw(b"{}"),
            anonymous_id=visitor,
        )
        for number, second in enumerate(seconds)
    ]


def found(client: Client, site: str = "") -> list[tuple[str, str, int]]:
    return [
        (difference.kind, difference.visitor_id, difference.touchpoints)
        for difference in differences(client, gap=HALF_AN_HOUR, site=site)
    ]


def sessions(client: Client) -> list[tuple[str, int]]:
    rows = client.query(
        "SELECT visitor_id, touchpoints FROM sessions FINAL ORDER BY ALL"
    ).result_rows
    return [(str(visitor), int(touchpoints)) for visitor, touchpoints in rows]


def test_a_gap_of_exactly_thirty_minutes_stays_and_a_millisecond_more_does_not(
    client: Client,
) -> None:
    track(client, seen(0, 1800, 3600, visitor="a") + seen(0, 1800.001, visitor="b"))
    assert sessions(client) == [("a", 3), ("b", 1), ("b", 1)]


def test_touchpoints_of_the_same_moment_are_in_one_session(client: Client) -> None:
    track(client, seen(0, 0, 1801, 1801, 1801))
    assert sessions(client) == [("v", 2), ("v", 3)]


def test_sites_and_visitors_have_sessions_of_their_own(client: Client) -> None:
    track(client, seen(0, visitor="a") + seen(1, visitor="b") + seen(2, visitor="c", site="two"))
    assert sessions(client) == [("a", 1), ("b", 1), ("c", 1)]


def test_what_agrees_has_no_differences(client: Client) -> None:
    track(client, seen(0, 10, 4000) + seen(5, visitor="w"))
    assert found(client) == []


def test_another_gap_makes_other_sessions(client: Client) -> None:
    track(client, seen(0, 1000))
    assert [d.kind for d in differences(client, gap=timedelta(seconds=999))] == [
        "missing",
        "unexpected",
        "missing",
    ]


def test_a_session_that_is_missing_is_found(client: Client) -> None:
    track(client, seen(0, 10) + seen(0, visitor="w"))
    client.command("ALTER TABLE sessions DELETE WHERE visitor_id = 'v' SETTINGS mutations_sync = 1")
    assert found(client) == [("missing", "v", 2)]


def test_a_session_that_stands_twice_is_found(client: Client) -> None:
    track(client, seen(0, 10))
    client.command(
        "INSERT INTO sessions (session_id, site, visitor_id, started_at, ended_at, touchpoints) "
        "SELECT 'other', site, visitor_id, started_at, ended_at, touchpoints FROM sessions"
    )
    assert found(client) == [("unexpected", "v", 2)]


def test_a_session_that_was_retracted_is_not_expected_to_stand(client: Client) -> None:
    track(client, seen(0))
    client.command(
        "INSERT INTO sessions SELECT * REPLACE (1 AS is_deleted, 9 AS version) FROM sessions"
    )
    assert found(client) == [("missing", "v", 1)]


@pytest.mark.parametrize(
    "wrong",
    ["touchpoints + 1 AS touchpoints", "ended_at + 1 AS ended_at", "'w' AS visitor_id"],
)
def test_a_session_with_a_wrong_column_is_missing_and_unexpected(
    client: Client, wrong: str
) -> None:
    track(client, seen(0, 10))
    client.command(
        "CREATE TABLE other AS sessions SETTINGS non_replicated_deduplication_window = 9"
    )
    client.command(f"INSERT INTO other SELECT * REPLACE ({wrong}) FROM sessions")  # noqa: S608
    client.command("EXCHANGE TABLES other AND sessions")
    assert sorted(kind for kind, _, _ in found(client)) == ["missing", "unexpected"]


def test_late_touchpoints_are_in_no_session(client: Client) -> None:
    track(client, seen(0))
    client.command(
        "INSERT INTO touchpoints SELECT * REPLACE ('late' AS touchpoint_id, true AS is_late, "
        "occurred_at + 60 AS occurred_at) FROM touchpoints"
    )
    assert found(client) == []


def test_a_touchpoint_that_stands_twice_counts_once(client: Client) -> None:
    track(client, seen(0, 10))
    client.command("INSERT INTO touchpoints SELECT * REPLACE (99 AS kafka_offset) FROM touchpoints")
    assert client.query("SELECT count() FROM touchpoints").result_rows == [(4,)]
    assert found(client) == []


def test_a_site_can_be_checked_alone_and_the_list_is_limited(client: Client) -> None:
    track(client, seen(0) + seen(0, visitor="w", site="two"))
    client.command("TRUNCATE TABLE sessions")
    assert found(client, site="two") == [("missing", "w", 1)]
    assert len(differences(client, gap=HALF_AN_HOUR, limit=1)) == 1
