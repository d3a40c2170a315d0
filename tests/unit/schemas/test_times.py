from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import EPOCH, LAST_MS, instant, length, milliseconds, whole


@given(st.integers(0, LAST_MS))
def test_an_instant_has_the_milliseconds_it_was_made_of(ms: int) -> None:
    assert milliseconds(instant(ms)) == ms


@pytest.mark.parametrize(("ms", "same_as"), [(-1, 0), (LAST_MS + 1, LAST_MS), (10**30, LAST_MS)])
def test_beyond_the_calendar_is_its_end(ms: int, same_as: int) -> None:
    assert instant(ms) == instant(same_as)


def test_what_is_less_than_a_millisecond_is_cut_off() -> None:
    moment = datetime(2025, 2, 23, 10, 0, 0, 999_999, tzinfo=UTC)
    assert whole(moment) == moment.replace(microsecond=999_000)
    assert milliseconds(moment) == milliseconds(whole(moment))
    assert milliseconds(EPOCH - timedelta(microseconds=1)) == -1


def test_a_length_is_in_whole_milliseconds() -> None:
    assert length(timedelta(minutes=30, microseconds=999)) == 1_800_000
