"""Token buckets in one number each: what may be taken, who waits, how much is remembered."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from pipeline.collector.limits.allowances import Allowances

WINDOW = 10.0
PER_EVENT = 0.125
"""Eight a second, and eighty at once."""


def taken_by(name: str, count: int, now: float, allowances: Allowances) -> int:
    """Take one after the other as long as it is allowed; say how many those were."""
    for number in range(count):
        if allowances.wait_of(name, now):
            return number
        allowances.spend(name, PER_EVENT, now)
    return count


def test_at_once_a_name_may_take_what_the_window_brings_and_one_more() -> None:
    assert 81 == taken_by("a", 1000, 5.0, Allowances(WINDOW, 10))


def test_afterwards_it_may_take_what_the_time_has_brought() -> None:
    allowances = Allowances(WINDOW, 10)
    taken_by("a", 1000, 0.0, allowances)
    assert 8 == taken_by("a", 1000, 1.0, allowances)
    assert 81 == taken_by("a", 1000, 1_000.0, allowances)


def test_what_one_takes_is_not_missing_from_another() -> None:
    allowances = Allowances(WINDOW, 10)
    taken_by("a", 1000, 0.0, allowances)
    assert 81 == taken_by("b", 1000, 0.0, allowances)


def test_who_is_in_debt_is_told_for_how_long_and_it_is_never_longer_than_the_window() -> None:
    allowances = Allowances(WINDOW, 10)
    allowances.spend("a", 13.0, 0.0)
    assert 3.0 == allowances.wait_of("a", 0.0)
    allowances.spend("a", 1_000_000.0, 0.0)
    assert WINDOW == allowances.wait_of("a", 0.0)
    assert 0.0 == allowances.wait_of("a", WINDOW)


def test_without_a_rate_nothing_is_ever_owed() -> None:
    allowances = Allowances(WINDOW, 10)
    for _ in range(10_000):
        allowances.spend("a", 0.0, 0.0)
    assert 0.0 == allowances.wait_of("a", 0.0)


def test_the_name_that_was_silent_for_longest_is_forgotten() -> None:
    allowances = Allowances(WINDOW, 2)
    for name in ("a", "b", "a", "c"):
        allowances.spend(name, 13.0, 0.0)
    assert (2, 0.0) == (len(allowances), allowances.wait_of("b", 0.0))
    assert allowances.wait_of("a", 0.0) > 0


def test_fifty_thousand_networks_take_thirteen_megabytes_at_most() -> None:
    tracemalloc.start()
    try:
        allowances = Allowances(WINDOW, 50_000)
        for number in range(60_000):
            allowances.spend(f"10.{number >> 8}.{number & 255}.0", PER_EVENT, 0.0)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 50_000 == len(allowances)
    assert held < 13_000_000


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 0.5)), max_size=200))
def test_whoever_asks_first_gets_no_more_than_rate_and_window_and_no_less_than_the_rate(
    steps: list[tuple[float, float]],
) -> None:
    """Against the definition: tokens that drop in, up to a full bucket, and are taken out."""
    allowances, tokens, now = Allowances(WINDOW, 10), WINDOW, 0.0
    for pause, cost in steps:
        now += pause
        tokens = min(tokens + pause, WINDOW)
        is_allowed = allowances.wait_of("a", now) == 0
        if abs(tokens) > 1e-6:  # else it is a matter of the last digit
            assert is_allowed == (tokens > 0)
        if is_allowed:
            allowances.spend("a", cost, now)
            tokens -= cost
