"""What is usual at this hour, and when too little is known to say."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reports.live.usual import Usual, usual_number, usual_share, usual_windows

DAY, WEEK = timedelta(days=1), timedelta(days=7)


def test_eight_of_ten_weeks_lie_within() -> None:
    samples = {WEEK * number: float(number) for number in range(1, 12)}
    assert usual_number(samples) == Usual(low=2.0, high=10.0, hours=11)


def test_the_same_weekday_counts_and_not_the_days_between() -> None:
    weeks = {WEEK * number: 10.0 for number in range(1, 5)}
    assert usual_number(weeks | {DAY: 99.0, 2 * DAY: 0.0}) == Usual(10.0, 10.0, 4)


def test_while_there_are_few_weeks_the_days_count() -> None:
    days = {DAY * number: 5.0 for number in range(1, 5)}
    assert usual_number(days | {5 * WEEK: 99.0}) == Usual(5.0, 5.0, 4)


@pytest.mark.parametrize("samples", [{}, {DAY: 1.0}, {DAY * n: 1.0 for n in (1, 2, 3)}])
def test_of_fewer_than_four_hours_nothing_is_said(samples: dict[timedelta, float]) -> None:
    assert usual_number(samples) is None


def test_hours_with_hardly_anybody_say_nothing_of_a_share() -> None:
    assert usual_share({DAY * n: (9, 9) for n in range(1, 9)}) is None
    assert usual_share({DAY * n: (10, 5) for n in range(1, 5)}) == Usual(0.5, 0.5, 4)


@pytest.mark.parametrize("hours", [1, 3, 24])
def test_hours_and_a_day_are_compared_with_days_and_weeks(hours: int) -> None:
    back = usual_windows(timedelta(hours=hours))
    assert (back[0], back[-1], len(back)) == (DAY, 8 * WEEK, 20)


@pytest.mark.parametrize(("days", "weeks"), [(2, 1), (7, 1), (8, 2), (28, 4), (90, 13)])
def test_longer_spans_are_compared_with_whole_weeks_that_do_not_overlap(
    days: int, weeks: int
) -> None:
    back = usual_windows(timedelta(days=days))
    assert back == [WEEK * weeks * number for number in range(1, 9)]
    assert back[0] >= timedelta(days=days)


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=8))
def test_the_range_lies_within_what_was_seen(values: list[int]) -> None:
    found = usual_number({WEEK * n: float(value) for n, value in enumerate(values, 1)})
    assert found is not None
    assert min(values) <= found.low <= found.high <= max(values)
