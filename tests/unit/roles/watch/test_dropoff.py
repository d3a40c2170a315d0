from datetime import UTC, datetime
from statistics import NormalDist

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.roles.watch.dropoff import (
    Judgement,
    Passage,
    judge,
    window_end,
)

MINIMUM = 50


def passage(
    entries: int, conversions: int, usual_entries: int = 1000, usual_conversions: int = 500
) -> Passage:
    return Passage(
        site="shop",
        from_step="Checkout Started",
        to_step="Order Completed",
        entries=entries,
        conversions=conversions,
        usual_entries=usual_entries,
        usual_conversions=usual_conversions,
    )


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    entries, usual_entries = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**7))
    return passage(
        entries,
        draw(st.integers(0, entries)),
        usual_entries,
        draw(st.integers(0, usual_entries)),
    )


def drop_of(seen: Passage) -> float:
    return judge(seen, MINIMUM).drop


def test_half_of_the_usual_conversion_is_a_drop_of_a_half() -> None:
    expected = Judgement(entries=200, conversion=0.25, expected=0.5, drop=0.5)
    assert expected == judge(passage(200, 50), MINIMUM)


def test_everything_lost_is_a_drop_of_one() -> None:
    assert drop_of(passage(200, 0)) == 1.0


def test_the_usual_conversion_and_more_than_it_are_no_drop() -> None:
    assert [drop_of(passage(200, 100)), drop_of(passage(200, 200))] == [0.0, 0.0]


def test_the_minimum_of_entries_is_enough_and_one_less_is_not() -> None:
    assert [drop_of(passage(50, 0)), drop_of(passage(49, 0))] == [1.0, 0.0]


def test_a_yardstick_below_the_minimum_judges_nothing() -> None:
    assert [drop_of(passage(500, 0, 50, 50)), drop_of(passage(500, 0, 49, 49))] == [1.0, 0.0]


def test_without_entries_or_yardstick_all_shares_are_zero() -> None:
    expected = Judgement(entries=0, conversion=0.0, expected=0.0, drop=0.0)
    assert expected == judge(passage(0, 0, 0, 0), 1)


def test_few_conversions_to_lose_never_make_a_drop() -> None:
    """50 entries at 5 %: two or three orders are usual, and none is bad luck."""
    assert drop_of(passage(50, 0, 350, 18)) == 0.0


def test_the_drop_begins_where_chance_does_it_once_in_ten_thousand_looks() -> None:
    """z by hand: p = x / 1000 against q = 0.5 of 7000, r of both together."""

    def chance(x: int) -> float:
        r = (x + 3500) / 8000
        return NormalDist().cdf((x / 1000 - 0.5) / (r * (1 - r) * (1 / 1000 + 1 / 7000)) ** 0.5)

    most = max(x for x in range(501) if chance(x) <= 1e-4)
    assert [drop_of(passage(1000, x, 7000, 3500)) > 0 for x in (most, most + 1)] == [True, False]


def test_the_window_ends_half_an_hour_ago() -> None:
    now = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
    assert window_end(now) == datetime(2025, 12, 31, 23, 40, tzinfo=UTC)


@given(passages(), st.integers(1, 1000))
def test_every_share_is_between_zero_and_one(seen: Passage, minimum: int) -> None:
    """NaN and infinity are not."""
    judgement = judge(seen, minimum)
    shares = (judgement.conversion, judgement.expected, judgement.drop)
    assert all(0.0 <= share <= 1.0 for share in shares)


@given(passages(), st.data())
def test_one_conversion_more_never_makes_the_drop_greater(
    seen: Passage, data: st.DataObject
) -> None:
    fewer = data.draw(st.integers(0, seen.conversions))
    worse = passage(seen.entries, fewer, seen.usual_entries, seen.usual_conversions)
    assert drop_of(worse) >= drop_of(seen)


@given(passages())
def test_a_drop_is_exactly_the_missing_share_of_the_expected(seen: Passage) -> None:
    judgement = judge(seen, MINIMUM)
    left = judgement.expected * (1 - judgement.drop)
    assert not judgement.drop or left == pytest.approx(judgement.conversion)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(passages().filter(lambda seen: seen.entries < MINIMUM))
def test_fewer_entries_than_the_minimum_never_alarm(seen: Passage) -> None:
    assert drop_of(seen) == 0.0
