"""PURE: minutes since 1970, the time unit of the watch, and hours of the week."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from schemas.times import instant, milliseconds

_MINUTE_MS = 60_000
_A_WEEK = 7 * 24
_THURSDAY = 3 * 24
"""1970 began with one."""


def minute_of(at: datetime) -> int:
    """Return the minute that contains `at`."""
    return milliseconds(at) // _MINUTE_MS


def start_of(minute: int) -> datetime:
    """Return the beginning of a minute, UTC."""
    return instant(minute * _MINUTE_MS)


def hours_of_week(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the hour of the week, from Monday in UTC, of hours since 1970."""
    return (hours + _THURSDAY) % _A_WEEK
