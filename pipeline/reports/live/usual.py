"""PURE: what is usual at this hour: the range of eight in ten comparable hours.

Comparable hours are the same hour and weekday of the eight weeks before. While there are too few of
them, they are the same hour of the fourteen days before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_WEEKS, _DAYS = 8, 14
_FEWEST_HOURS = 4
_FEWEST_PEOPLE = 10


@dataclass(frozen=True)
class Usual:
    """Eight in ten of the compared `hours` were between `low` and `high`."""

    low: float
    high: float
    hours: int


def usual_windows(length: timedelta) -> list[timedelta]:
    """Return how far back the windows lie that a span of `length` is compared with."""
    if length > _DAY:
        week = -(-length // _WEEK) * _WEEK
        return [week * number for number in range(1, _WEEKS + 1)]
    weeks = {_WEEK * number for number in range(1, _WEEKS + 1)}
    return sorted(weeks | {_DAY * number for number in range(1, _DAYS + 1)})


def usual_share(samples: Mapping[timedelta, tuple[int, int]]) -> Usual | None:
    """Return the usual range of a share; `samples` are (of, part) by how far back they lie."""
    return usual_number(
        {back: part / of for back, (of, part) in samples.items() if of >= _FEWEST_PEOPLE}
    )


def usual_number(samples: Mapping[timedelta, float]) -> Usual | None:
    """Return the usual range of a number; `samples` are numbers by how far back they lie."""
    weekly = [value for back, value in samples.items() if not back % _WEEK]
    if len(weekly) >= _FEWEST_HOURS:
        return _range(weekly)
    daily = [value for back, value in samples.items() if back <= _DAYS * _DAY]
    return _range(daily) if len(daily) >= _FEWEST_HOURS else None


def _range(values: Sequence[float]) -> Usual:
    tenths = quantiles(values, n=10, method="inclusive")
    return Usual(tenths[0], tenths[-1], len(values))
