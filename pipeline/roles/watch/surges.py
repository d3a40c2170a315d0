"""PURE: surges: a newsletter or a campaign brings far more traffic to a channel than usual.

The people of a surge go on less often, or more often; which one is known only afterwards. So a
surge is a feature of what is usual, and widens the margin for as long as its people may go on.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.roles.watch.ages import Numbers

_STRONG = 3.0
"""A surge is three times the usual traffic or more."""
_SIGMAS = 4.0
_LARGEST = float(np.log(30.0))
WINDOWS = (5, 15, 60)
"""The windows, in minutes, over which traffic is compared with the usual."""
_A_DAY = 24
LASTS = 120
"""How many minutes a surge is felt: people go on later than they come."""


class Surges(NamedTuple):
    """How strong each channel's surge is now (see `strength`), and which are still felt."""

    strong: Mapping[str, float] = {}
    felt: frozenset[str] = frozenset()


CALM = Surges()


def usual_traffic(hours_of_week: NDArray[np.int64], entries: Numbers) -> Numbers:
    """Return the usual entries a minute, for channels × 168 hours of the week from Monday.

    `entries` are channels × past hours. An hour of the day has its usual number in each channel; a
    weekday of which a whole one is known has its size, the same for all. Peaks move no median.
    """
    usual, day = np.zeros((len(entries), 24)), hours_of_week % 24
    for hour in range(24):
        if (day == hour).any():
            usual[:, hour] = np.median(entries[:, day == hour], axis=1) / 60
    expected = usual[:, day].sum(axis=0) * 60
    sizes = np.ones(7)
    for weekday in range(7):
        known = (hours_of_week // 24 == weekday) & (expected > 0)
        if known.sum() >= _A_DAY:
            sizes[weekday] = np.median(entries[:, known].sum(axis=0) / expected[known])
    return np.tile(usual, 7) * np.repeat(sizes, 24)


def strength(entries: Numbers, usual: Numbers) -> Numbers:
    """Return log(entries / usual) where it is a surge beyond chance, else 0."""
    ratio = (entries + 1) / (usual + 1)
    is_surge = (ratio >= _STRONG) & (entries - usual > _SIGMAS * np.sqrt(usual + 1))
    return np.where(is_surge, np.minimum(np.log(ratio), _LARGEST), 0.0)


def surges(channels: Sequence[str], entries: Numbers, usual: Numbers) -> Surges:
    """Return the surges after the last minute of `entries`, which are channels × `LASTS` minutes.

    `usual` has the same shape.
    """
    now = np.max([_over(window, entries, usual) for window in WINDOWS], axis=0)
    strong = {c: float(z) for c, z in zip(channels, now[:, -1], strict=True) if z}
    felt = frozenset(c for c, row in zip(channels, now, strict=True) if row.any())
    return Surges(strong, felt)


def _over(window: int, entries: Numbers, usual: Numbers) -> Numbers:
    return strength(_sums(entries, window), _sums(usual, window))


def _sums(numbers: Numbers, window: int) -> Numbers:
    """Return the sum of the last `window` minutes at every minute; of fewer at the beginning."""
    total = np.cumsum(numbers, axis=1)
    earlier = np.zeros_like(total)
    earlier[:, window:] = total[:, :-window]
    return total - earlier
