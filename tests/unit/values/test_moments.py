"""A time in any form that can mean only one thing is read; all else is none."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.times import is_unset, moment

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECONDS = 1_767_268_800

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(
    NOON.replace(year=1980, tzinfo=None), NOON.replace(year=2100, tzinfo=None), timezones=zones
)


@pytest.mark.parametrize(
    "said",
    [
        SECONDS,
        float(SECONDS),
        str(SECONDS),
        f"{SECONDS}.0",
        SECONDS * 1000,
        f"{SECONDS}000",
        SECONDS * 1_000_000,
        SECONDS * 1_000_000_000,
        "2026-01-01T12:00:00.000Z",
        "2026-01-01t12:00:00z",
        " 2026-01-01 12:00 ",
        "2026-01-01T12:00",
        "2026-01-01T13:00:00+01",
        "2026-01-01T13:00:00+0100",
        "20260101T120000Z",
        "20260101120000",
        "Thu, 01 Jan 2026 12:00:00 GMT",
        "Thu, 1 Jan 2026 13:00:00 +0100",
        "Thu Jan 01 2026 13:00:00 GMT+0100 (Mitteleuropäische Normalzeit)",
        "Thu Jan 01 2026 12:00:00 GMT+0000",
        *("2026-01-01 12:00:00 UTC", "2026-01-01 13:00:00 +0100", "2026/01/01 12:00:00"),
    ],
    ids=str,
)
def test_what_is_clear_is_read(said: object) -> None:
    assert moment(said) == NOON


@pytest.mark.parametrize(
    "said",
    [
        *("yesterday", "Invalid Date", "01.02.2026", "01/02/2026", "1/2/26 12:00", "12:00"),
        *("Thu, 01 Jan 2026 13:00:00 CET", "Jan 1, 2026, 12:00:00 PM", "10/1/2026 12:00"),
        *("2026-01-01T25:00:00Z", "2026-13-01", "2026-01-01T12:00:00 Europe/Berlin"),
        *(0, 1, -SECONDS, 99_999_999, 10**20, 10**400, float("nan"), float("inf"), True, {}, []),
        *("9999-12-31T23:59:59-14:00", "0001-01-01", "0000-00-00 00:00:00", "", " ", None),
    ],
    ids=str,
)
def test_what_may_be_several_or_none_is_not(said: object) -> None:
    assert moment(said) is None


@pytest.mark.parametrize("said", [None, "", " ", "0001-01-01T00:00:00Z", "0000-00-00 00:00:00"])
def test_where_nothing_is_set_nothing_is_said(said: object) -> None:
    assert is_unset(said)


@given(times)
def test_every_form_of_a_time_is_the_same_time(at: datetime) -> None:
    whole = at.replace(microsecond=0)
    forms = (at.isoformat(), at.isoformat(" "), at.astimezone(UTC).replace(tzinfo=None).isoformat())
    assert {moment(form) for form in forms} == {at}
    seconds = int(whole.timestamp())
    numbers = (seconds, seconds * 1000, seconds * 10**6, seconds * 10**9, str(seconds))
    assert {moment(each) for each in (*numbers, format_datetime(whole))} == {whole}


@given(st.one_of(st.text(), st.integers(), st.floats(), st.binary()))
def test_nothing_harms(said: object) -> None:
    found = moment(said)
    assert found is None or found.tzinfo is UTC
