"""PURE: does a step of the funnel lose more people than usual? No I/O, no clock.

Judged are the sessions that started 90 to 30 minutes ago: an hour of them, and each had at least
half an hour to convert. The yardstick is the same hour (UTC) of the days before. Two proportions
are compared by the pooled z statistic (NIST/SEMATECH e-Handbook of Statistical Methods, 7.3.3):

    z = (p - q) / sqrt(r (1 - r) (1/n + 1/m))

with p of n sessions now, q of m sessions usually, and r of both together. The drop counts only
where z is so low that chance does it once in 10,000 looks: a step with few entries, or with few
conversions to lose, cannot get there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import NormalDist

WINDOW = timedelta(hours=1)
TIME_TO_CONVERT = timedelta(minutes=30)
_FALSE_ALARM_PER_LOOK = 1e-4
_CRITICAL_Z = NormalDist().inv_cdf(_FALSE_ALARM_PER_LOOK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Sessions that reached `from_step`, and those of them that reached `to_step` as well.

    `usual_*` are the sums over the same hour of the days before.
    """

    site: str
    from_step: str
    to_step: str
    entries: int
    conversions: int
    usual_entries: int
    usual_conversions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Shares from 0 to 1. `conversion` is 0 without entries, `expected` 0 without a yardstick.

    `drop` is the share of the expected conversion that is missing; 0 unless it is significant.
    """

    entries: int
    conversion: float
    expected: float
    drop: float


def window_end(now: datetime) -> datetime:
    """Give the end of the hour to judge: sessions started since have not had their time."""
    return now - TIME_TO_CONVERT


def judge(passage: Passage, minimum: int) -> Judgement:
    """Compare the passage with its yardstick; fewer than `minimum` entries in either: no drop."""
    conversion = _share(passage.conversions, passage.entries)
    expected = _share(passage.usual_conversions, passage.usual_entries)
    is_judged = min(passage.entries, passage.usual_entries) >= minimum
    has_dropped = is_judged and _z(passage) <= _CRITICAL_Z
    return Judgement(
        entries=passage.entries,
        conversion=conversion,
        expected=expected,
        drop=1 - conversion / expected if has_dropped else 0.0,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _z(passage: Passage) -> float:
    n, m = passage.entries, passage.usual_entries
    pooled = (passage.conversions + passage.usual_conversions) / (n + m)
    spread = sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    difference = passage.conversions / n - passage.usual_conversions / m
    return difference / spread if spread else 0.0
