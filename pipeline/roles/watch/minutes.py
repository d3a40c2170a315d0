"""PURE: minutes since 1970, the time unit of the watch."""

from datetime import datetime

from schemas.times import instant, milliseconds

_MINUTE_MS = 60_000


def minute_of(at: datetime) -> int:
    """Return the minute that contains `at`."""
    return milliseconds(at) // _MINUTE_MS


def start_of(minute: int) -> datetime:
    """Return the beginning of a minute, UTC."""
    return instant(minute * _MINUTE_MS)
