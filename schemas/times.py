"""PURE: time as the product counts it: whole milliseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 24 * 60 * 60 * 1000
LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, beyond which `datetime` does not go."""


def milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970, truncated as in ClickHouse."""
    return (moment - EPOCH) // MILLISECOND


def instant(ms: int) -> datetime:
    """Return the point in time `ms` milliseconds after 1970, UTC.

    A time beyond the range of `datetime` becomes the first or last possible one.
    """
    if not 0 <= ms <= LAST_MS:
        ms = min(max(ms, 0), LAST_MS)
    return EPOCH + ms * MILLISECOND  # exact, and faster than `fromtimestamp`


def length(duration: timedelta) -> int:
    """Return a duration in whole milliseconds."""
    return duration // MILLISECOND


def whole(moment: datetime) -> datetime:
    """Truncate a point in time to the millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
