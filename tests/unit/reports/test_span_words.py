"""Spans in words, on a clock that stands still."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reports.span_words import BadSpan, length_of, span_in_words

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
UNSAID = {"last": "", "ago": "", "start": "", "end": ""}


def span(**words: str) -> tuple[datetime, datetime]:
    told: Any = UNSAID | words
    found = span_in_words("shop", **told, zone=BERLIN, now=NOW)
    return found.start, found.end


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ({}, NOW - timedelta(days=1), NOW),
        ({"last": "7d"}, NOW - timedelta(days=7), NOW),
        ({"last": "90m"}, NOW - timedelta(minutes=90), NOW),
        ({"last": "2w", "ago": "1w"}, NOW - timedelta(weeks=3), NOW - timedelta(weeks=1)),
        ({"ago": "1h"}, NOW - timedelta(hours=25), NOW - timedelta(hours=1)),
        # The night in which summer begins is an hour shorter.
        (
            {"start": "2026-03-29", "end": "2026-03-30"},
            datetime(2026, 3, 28, 23, tzinfo=UTC),
            datetime(2026, 3, 29, 22, tzinfo=UTC),
        ),
        ({"start": "2026-03-01T12:00+05:00"}, datetime(2026, 3, 1, 7, tzinfo=UTC), NOW),
        (
            {"end": "2026-03-02T00:00Z"},
            datetime(2026, 3, 1, tzinfo=UTC),
            datetime(2026, 3, 2, tzinfo=UTC),
        ),
    ],
)  # fmt: skip
def test_words_are_a_span(words: dict[str, str], start: datetime, end: datetime) -> None:
    assert span(**words) == (start, end)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"last": "week"}, "'week' is not a length of time: write 90m"),
        ({"last": "0d"}, "is not a length"),
        ({"last": "-7d"}, "is not a length"),
        ({"start": "yesterday"}, "'yesterday' is not a time: write 2026-03-01"),
        ({"last": "7d", "start": "2026-03-01"}, "not both"),
        ({"start": "2026-03-02", "end": "2026-03-01"}, "before it begins"),
        ({"start": "2027-01-01"}, "before it begins"),
    ],
)
def test_what_is_no_span_is_said(words: dict[str, str], said: str) -> None:
    with pytest.raises(BadSpan, match=said):
        span(**words)


@given(st.integers(1, 999), st.sampled_from("mhdw"))
def test_a_length_is_as_long_as_it_says(count: int, unit: str) -> None:
    seconds = {"m": 60, "h": 3600, "d": 86400, "w": 604800}[unit]
    assert length_of(f"{count}{unit}").total_seconds() == count * seconds
