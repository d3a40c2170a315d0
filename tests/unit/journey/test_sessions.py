"""Which touchpoints make one session, and what a session says."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from pipeline.journey.state import Evidence, identifier
from schemas.facts import Session
from tests.support.journeys import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    SITE,
    VISITOR,
    Life,
    fold,
    new_facts,
    only,
    seen,
)

GAP = 30 * MINUTE


def session_id(first_touchpoint: str) -> str:
    return identifier(SITE, VISITOR, first_touchpoint)


def parts(*evidence: Evidence) -> list[tuple[str, str, int]]:
    """The sessions of `evidence`: first and last touchpoint, and how many there are."""
    return [
        (session.first_touchpoint_id, session.last_touchpoint_id, session.touchpoints)
        for session in only(Session, fold(*evidence))
    ]


def alone(*evidence: Evidence) -> Session:
    (session,) = only(Session, fold(*evidence))
    return session


def test_a_gap_of_exactly_thirty_minutes_stays_in_the_session() -> None:
    assert parts(seen("a"), seen("b", GAP)) == [("a", "b", 2)]


def test_a_gap_of_thirty_minutes_and_a_millisecond_begins_the_next_session() -> None:
    assert parts(seen("a"), seen("b", GAP + 1)) == [("a", "a", 1), ("b", "b", 1)]


def test_the_gap_counts_from_the_last_touchpoint_not_from_the_first() -> None:
    assert parts(seen("a"), seen("b", GAP), seen("c", 2 * GAP)) == [("a", "c", 3)]


def test_midnight_does_not_split_a_session() -> None:
    assert parts(seen("a", 12 * HOUR - SECOND), seen("b", 12 * HOUR)) == [("a", "b", 2)]


def test_an_identify_does_not_split_a_session() -> None:
    login = seen("b", MINUTE, "Identify")
    assert parts(seen("a"), login, seen("c", 2 * MINUTE)) == [("a", "c", 3)]


def test_another_campaign_does_not_split_a_session() -> None:
    assert parts(seen("a", utm_source="news"), seen("b", MINUTE, utm_source="ads")) == [
        ("a", "b", 2)
    ]


@pytest.mark.parametrize("arriving", list(permutations("abc")))
def test_touchpoints_of_the_same_time_are_ordered_by_their_ids(arriving: tuple[str, ...]) -> None:
    life = Life()
    life.see(*(seen(id_, path=f"/{id_}") for id_ in arriving))
    (session,) = only(Session, life.rows.values())
    assert (session.session_id, session.entry_path, session.exit_path) == (
        session_id("a"),
        "/a",
        "/c",
    )


def test_a_late_touchpoint_joins_two_sessions_under_the_id_of_the_earlier_one() -> None:
    life = Life()
    life.see(seen("a"), seen("c", 50 * MINUTE))
    before = {session.session_id for session in only(Session, life.rows.values())}
    life.see(seen("b", 25 * MINUTE))
    assert before == {session_id("a"), session_id("c")}
    assert only(Session, life.rows.values()) == [life.rows[session_id("a")]]
    assert parts(seen("a"), seen("b", 25 * MINUTE), seen("c", 50 * MINUTE)) == [("a", "c", 3)]


def test_the_swallowed_session_is_retracted_under_its_own_id_with_a_higher_version() -> None:
    life = Life()
    life.see(seen("a"), seen("c", 50 * MINUTE))
    written = life.rows[session_id("c")]
    life.see(seen("b", 25 * MINUTE))
    retracted = life.rows[session_id("c")]
    assert (written.is_deleted, retracted.is_deleted) == (False, True)
    assert (written.version, retracted.version) == (1, 2)


def test_an_earlier_first_touchpoint_gives_the_session_another_id_and_retracts_the_old_one() -> (
    None
):
    life = Life()
    life.see(seen("b", 10 * MINUTE), seen("a"))
    assert life.rows[session_id("b")].is_deleted
    assert only(Session, life.rows.values()) == [life.rows[session_id("a")]]


def test_a_late_touchpoint_far_from_both_neighbours_is_a_session_of_its_own() -> None:
    life = Life()
    life.see(seen("a"), seen("c", 3 * HOUR), seen("b", HOUR))
    found = [session.first_touchpoint_id for session in only(Session, life.rows.values())]
    assert found == ["a", "b", "c"]


def test_a_touchpoint_that_arrives_again_writes_nothing() -> None:
    life = Life()
    life.see(seen("a"))
    before = dict(life.rows)
    life.see(seen("a"))
    assert life.rows == before


def test_a_session_lasts_from_its_first_to_its_last_touchpoint() -> None:
    session = alone(seen("a"), seen("b", 90 * SECOND + 1))
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert (session.started_at, session.ended_at) == (
        noon,
        noon + timedelta(seconds=90, milliseconds=1),
    )


def test_page_views_are_counted_apart_from_other_touchpoints() -> None:
    session = alone(
        seen("a", is_page=True), seen("b", 1, "Product Clicked"), seen("c", 2, is_page=True)
    )
    assert (session.touchpoints, session.page_views) == (3, 2)


def test_entry_and_exit_are_the_first_and_last_paths_that_are_known() -> None:
    session = alone(seen("a"), seen("b", 1, path="/in"), seen("c", 2, path="/out"), seen("d", 3))
    assert (session.entry_path, session.exit_path) == ("/in", "/out")


def test_channel_source_and_device_are_those_of_the_first_touchpoint() -> None:
    first: dict[str, Any] = {
        "channel": "website",
        "referrer_host": "example.org",
        "utm_source": "news",
        "utm_medium": "email",
        "utm_campaign": "may",
        "device": "mobile",
    }
    session = alone(
        seen("a", **first),
        seen("b", 1, **dict.fromkeys(first, "other")),
    )
    assert {name: getattr(session, name) for name in first} == first


def test_one_touchpoint_of_a_bot_makes_it_a_session_of_a_bot() -> None:
    assert alone(seen("a"), seen("b", 1, is_bot=True), seen("c", 2)).is_bot


def test_steps_stand_once_each_in_the_order_of_the_funnel_not_of_time() -> None:
    names = ["Product Added", "Page Viewed", "Product Viewed", "Product Added", "Order Completed"]
    session = alone(*(seen(str(at), at, name) for at, name in enumerate(names)))
    assert session.steps == ["Product Viewed", "Product Added", "Order Completed"]


def test_an_order_that_is_reported_twice_counts_once() -> None:
    session = alone(
        seen("a", 0, "Order Completed", order_id="o-1", value=20.0),
        seen("b", 1, "Order Completed", order_id="o-1", value=20.0),
        seen("c", 2, "Order Completed", order_id="o-2", value=5.5),
    )
    assert (session.orders_told, session.revenue_told) == (2, 25.5)


def test_the_page_that_thanks_counts_its_order_in_the_visit_of_the_order_alone() -> None:
    one, other = only(
        Session,
        fold(
            seen("a", 0, "Order Completed", order_id="o-1", value=20.0),
            seen("b", 2 * HOUR, "Order Completed", order_id="o-1", value=20.0),
            seen("c", 2 * HOUR + 1, "Order Completed", order_id="o-2", value=5.5),
        ),
    )
    assert [(one.orders_told, one.revenue_told), (other.orders_told, other.revenue_told)] == [
        (1, 20.0),
        (1, 5.5),
    ]


def test_amounts_of_two_currencies_are_not_added() -> None:
    session = alone(
        seen("a", 0, "Order Completed", order_id="o-1", value=20.0, currency="EUR"),
        seen("b", 1, "Order Completed", order_id="o-2", value=30.0, currency="USD"),
        seen("c", 2, "Order Completed", order_id="o-3", value=1.0, currency="EUR"),
    )
    assert (session.orders_told, session.revenue_told, session.currency) == (3, 0.0, "mixed")


@pytest.mark.parametrize(
    ("first", "then", "told"),
    [
        ((20.0, "EUR"), (30.0, ""), (0.0, "mixed")),
        ((20.0, ""), (30.0, "EUR"), (0.0, "mixed")),
        ((20.0, ""), (30.0, ""), (50.0, "")),
        ((20.0, "EUR"), (0.0, ""), (20.0, "EUR")),
        ((0.0, ""), (30.0, "EUR"), (30.0, "EUR")),
    ],
)
def test_an_order_that_names_no_currency_is_not_added_to_one_that_does(
    first: tuple[float, str], then: tuple[float, str], told: tuple[float, str]
) -> None:
    session = alone(
        *(
            seen(id_, minute, "Order Completed", order_id=id_, value=value, currency=currency)
            for minute, (id_, (value, currency)) in enumerate((("a", first), ("b", then)))
        )
    )
    assert (session.revenue_told, session.currency) == told


def test_orders_without_an_order_id_are_told_apart_by_their_touchpoints() -> None:
    session = alone(
        seen("a", 0, "Order Completed", value=1.0), seen("b", 1, "Order Completed", value=2.0)
    )
    assert (session.orders_told, session.revenue_told) == (2, 3.0)


def test_a_session_that_never_ends_counts_its_orders_but_does_not_keep_all_their_ids() -> None:
    life = Life()
    for number in range(200):
        life.see(seen(f"t{number:03}", number, "Order Completed", order_id=f"o-{number}"))
    (session,) = only(Session, life.rows.values())
    remembered = life.state.head.sessions.get("")
    assert session.orders_told == 200
    assert remembered is not None
    assert len(remembered.order_ids) == 100


def test_revenue_is_rounded_to_cents() -> None:
    tenths = [seen(str(at), at, "Order Completed", value=0.1) for at in range(3)]
    assert alone(*tenths).revenue_told == 0.3


def test_a_session_names_its_site_visitor_and_place_in_the_log() -> None:
    facts = new_facts(version=7)
    session = alone(seen("a"))
    assert (session.site, session.visitor_id, session.kafka_partition) == (SITE, VISITOR, 0)
    assert session.rule_version == facts.rules.version


def test_time_before_noon_counts_as_well() -> None:
    assert parts(seen("a", -NOON + 1), seen("b", -NOON + GAP + 1)) == [("a", "b", 2)]
