"""The question `visit_sources`: a direct visit belongs to what brought the person last."""

# ruff: noqa: S608 - no text but our own.

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from tests.support.database import insert_json, migrated_database
from tests.support.engine import EngineServer
from tests.support.stories import whole

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def migrated(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


@pytest.fixture
def client(migrated: Client) -> Client:
    for table in ("sessions", "identities"):
        migrated.command(f"TRUNCATE TABLE {table}")
    return migrated


def session(id_: str, day: float, source: str = "(direct)", **more: Any) -> dict[str, Any]:
    """A session on the website, `day` days after noon; a source other than direct is google's."""
    is_direct = source == "(direct)"
    return {
        "session_id": id_,
        "site": "shop",
        "visitor_id": "ada",
        "person_id": "ada",
        "started_at": NOON + timedelta(days=day),
        "ended_at": NOON + timedelta(days=day),
        "channel": "website",
        "traffic_source": source,
        "traffic_medium": "(none)" if is_direct else "organic",
        "traffic_campaign": "" if is_direct else "May",
        "channel_group": "Direct" if is_direct else "Organic Search",
        "version": 1,
    } | more


def taken(client: Client, *rows: dict[str, Any]) -> dict[str, str]:
    """Insert sessions; give each with its last source that was not direct."""
    insert_json(client, "sessions", [msgspec.json.encode(row) for row in rows])
    found = client.query(f"SELECT session_id, last_non_direct_source FROM {whole('visit_sources')}")
    return {str(id_): str(source) for id_, source in found.result_rows}


def test_a_direct_session_takes_over_what_brought_the_visitor_last(client: Client) -> None:
    assert taken(
        client, session("a", 0, "bing"), session("b", 1, "google"), session("c", 2), session("d", 3)
    ) == {"a": "bing", "b": "google", "c": "google", "d": "google"}


def test_both_the_own_source_and_the_one_taken_over_are_there(client: Client) -> None:
    insert_json(
        client,
        "sessions",
        [msgspec.json.encode(row) for row in (session("a", 0, "google"), session("b", 1))],
    )
    found = f"SELECT * FROM {whole('visit_sources')} WHERE session_id = 'b'"
    (row,) = client.query(found).named_results()
    assert (row["traffic_source"], row["traffic_medium"]) == ("(direct)", "(none)")
    assert row["channel_group"] == "Direct"
    assert row["last_non_direct_source"] == "google"
    assert row["last_non_direct_medium"] == "organic"
    assert row["last_non_direct_campaign"] == "May"
    assert row["last_non_direct_group"] == "Organic Search"
    assert (row["last_non_direct_at"].replace(tzinfo=UTC), row["is_taken_over"]) == (NOON, 1)


def test_ninety_days_to_the_millisecond_are_the_limit(client: Client) -> None:
    millisecond = 1 / 86_400_000
    assert taken(
        client,
        session("a", 0, "google"),
        session("b", 90),
        session("c", 90 + millisecond),
    ) == {"a": "google", "b": "google", "c": "(direct)"}


def test_before_the_first_source_there_is_none_to_take_over(client: Client) -> None:
    found = taken(client, session("a", 0), session("b", 1, "google"))
    assert found == {"a": "(direct)", "b": "google"}


def test_a_late_session_in_between_changes_what_is_taken_over(client: Client) -> None:
    assert taken(client, session("a", 0, "bing"), session("c", 2))["c"] == "bing"
    assert taken(client, session("b", 1, "google"))["c"] == "google"


def test_a_retracted_session_brings_nobody(client: Client) -> None:
    taken(client, session("a", 0, "google"), session("b", 1))
    gone = session("a", 0, "google", version=2, is_deleted=1)
    assert taken(client, gone) == {"b": "(direct)"}


def test_people_and_sites_have_sources_of_their_own(client: Client) -> None:
    assert taken(
        client,
        session("a", 0, "google"),
        session("b", 1, visitor_id="bob", person_id="bob"),
        session("c", 1, site="store"),
    ) == {"a": "google", "b": "(direct)"}
    of_store = f"SELECT last_non_direct_source FROM {whole('visit_sources', site='store')}"
    assert client.query(of_store).result_rows == [("(direct)",)]


def test_two_devices_of_one_person_known_now_share_their_sources(client: Client) -> None:
    links = [
        {"site": "shop", "visitor_id": visitor, "person_id": "p", "version": 1}
        for visitor in ("ada", "phone")
    ]
    insert_json(client, "identities", [msgspec.json.encode(link) for link in links])
    found = taken(
        client, session("a", 0, "google", visitor_id="phone", person_id="x"), session("b", 1)
    )
    assert found == {"a": "google", "b": "google"}


@pytest.mark.parametrize(
    ("between", "source"),
    [
        ({"channel": "newsletter"}, "google"),
        ({"channel": "newsletter", "page_views": 1}, "newsletter"),
        ({"channel": "website"}, "newsletter"),
        ({"channel": "store", "traffic_medium": "offline"}, "google"),
        ({"channel": "delivery", "traffic_medium": "offline"}, "google"),
    ],
)
def test_mail_counts_once_it_led_to_a_page_and_what_happened_offline_never(
    client: Client, between: dict[str, Any], source: str
) -> None:
    middle = session("b", 1, "newsletter", **{"traffic_medium": "newsletter"} | between)
    found = taken(client, session("a", 0, "google"), middle, session("c", 2))
    assert source == found["c"]


@pytest.mark.parametrize(
    ("more", "is_touch"),
    [
        ({}, 1),
        ({"channel": "newsletter"}, 0),
        ({"channel": "newsletter", "page_views": 1}, 1),
        ({"channel": "delivery"}, 0),
        ({"channel": "store"}, 1),
        ({"channel": "phone"}, 1),
    ],
)
def test_a_touch_is_a_session_in_which_the_person_did_something(
    client: Client, more: dict[str, Any], is_touch: int
) -> None:
    taken(client, session("a", 0, "google", **more))
    assert client.query(f"SELECT is_touch FROM {whole('visits')}").result_rows == [(is_touch,)]
