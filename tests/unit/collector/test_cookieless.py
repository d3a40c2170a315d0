"""Who tells no id has one until midnight, if the collector was told to give one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from pipeline.collector.arrival import Arrival, is_of_a_page
from pipeline.collector.cookieless import DailyVisitors
from pipeline.collector.intake import Intake, Limits
from schemas.codec import Refused
from schemas.dead_letter import Reason

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0"
ADA = Arrival(site="shop", received_at=NOON, user_agent=BROWSER, ip="192.0.2.0")

intake = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=30)))


def salts() -> Callable[[], bytes]:
    numbers = count()
    return lambda: b"salt-%d" % next(numbers)


@pytest.fixture
def daily() -> DailyVisitors:
    return DailyVisitors(salts())


def test_the_same_browser_is_the_same_visitor_up_to_midnight(daily: DailyVisitors) -> None:
    last = replace(ADA, received_at=datetime(2026, 1, 1, 23, 59, 59, 999_999, UTC))
    assert daily.name(ADA) == daily.name(last)


def test_from_midnight_on_it_is_somebody_else(daily: DailyVisitors) -> None:
    midnight = replace(ADA, received_at=datetime(2026, 1, 2, tzinfo=UTC))
    assert daily.name(ADA) != daily.name(midnight)


@pytest.mark.parametrize(
    "other",
    [
        replace(ADA, site="blog"),
        replace(ADA, ip="192.0.3.0"),
        replace(ADA, user_agent=f"{BROWSER} Edg/156.0.0.0"),
    ],
)
def test_another_site_network_or_browser_is_another_visitor(
    daily: DailyVisitors, other: Arrival
) -> None:
    assert daily.name(ADA) != daily.name(other)


def test_without_the_salt_nobody_can_tell_who_it_was() -> None:
    assert DailyVisitors(lambda: b"one").name(ADA) != DailyVisitors(lambda: b"other").name(ADA)


def test_what_is_no_browser_gets_no_id(daily: DailyVisitors) -> None:
    assert "" == daily.name(replace(ADA, user_agent=""))


def test_a_call_without_an_id_takes_that_of_the_daily_visitor(daily: DailyVisitors) -> None:
    known = replace(ADA, daily_visitor=daily.name(ADA))
    made = intake.touchpoint(b'{"event": "Product Viewed"}', known, "track")
    assert daily.name(ADA) == made.anonymous_id


@pytest.mark.parametrize("told", [b'"anonymousId": "a-1"', b'"userId": "u-1"'])
def test_a_call_with_an_id_keeps_it(daily: DailyVisitors, told: bytes) -> None:
    known = replace(ADA, daily_visitor=daily.name(ADA))
    made = intake.touchpoint(b'{"event": "Product Viewed", %s}' % told, known, "track")
    assert made.anonymous_id in {"a-1", ""}


LOGIN = b'{"event": "Signed In", "userId": "%s"}'


def page(daily: DailyVisitors) -> Arrival:
    return replace(ADA, daily_visitor=daily.name(ADA), known=daily)


def test_who_logs_in_on_a_page_is_still_the_daily_visitor(daily: DailyVisitors) -> None:
    made = intake.touchpoint(LOGIN % b"u-1", page(daily), "track")
    assert (daily.name(ADA), "u-1") == (made.anonymous_id, made.user_id)


def test_the_second_user_of_an_office_is_not_the_first(daily: DailyVisitors) -> None:
    arrival = page(daily)
    made = [intake.touchpoint(LOGIN % who, arrival, "track") for who in (b"u-1", b"u-2", b"u-1")]
    assert [True, False, True] == [each.anonymous_id != "" for each in made]


def test_tomorrow_the_stranger_may_be_another_user(daily: DailyVisitors) -> None:
    assert daily.is_one(daily.name(ADA), "u-1")
    tomorrow = replace(ADA, received_at=NOON + timedelta(days=1))
    assert daily.is_one(daily.name(tomorrow), "u-2")


def test_a_server_that_speaks_of_users_is_no_daily_visitor(daily: DailyVisitors) -> None:
    server = replace(ADA, daily_visitor=daily.name(ADA))
    assert "" == intake.touchpoint(LOGIN % b"u-1", server, "track").anonymous_id


@pytest.mark.parametrize(
    ("headers", "is_page"),
    [
        ({}, False),
        ({"user-agent": BROWSER}, False),
        ({"origin": "https://shop.example"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"referer": "https://shop.example/"}, True),
    ],
)
def test_a_page_says_where_it_is_from(headers: dict[str, str], is_page: bool) -> None:
    assert is_page == is_of_a_page(headers)


def test_without_a_daily_visitor_such_a_call_is_refused() -> None:
    with pytest.raises(Refused) as why:
        intake.touchpoint(b'{"event": "Product Viewed"}', ADA, "track")
    assert Reason.NO_VISITOR_ID == why.value.reason
