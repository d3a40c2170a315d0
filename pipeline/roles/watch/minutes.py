"""PURE: minutes since 1970, in which the watch counts."""

from datetime import datetime

from schemas.times import instant, milliseconds

_MINUTE_MS = 60_000


def minute_of(at: datetime) -> int:
    """Give the minute that `at` is in."""
    return milliseconds(at) // _MINUTE_MS


def start_of(minute: int) -> datetime:
    """Give the beginning of a minute, UTC."""
    return instant(minute * _MINUTE_MS)
