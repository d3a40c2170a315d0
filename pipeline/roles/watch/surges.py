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
LASTS = 120
"""How many minutes a surge is felt: people go on later than they come."""


class Surges(NamedTuple):
    """How strong each channel's surge is now (see `strength`), and which are still felt."""

    strong: Mapping[str, float] = {}
    felt: frozenset[str] = frozenset()


CALM = Surges()


def usual_traffic(hours_of_day: NDArray[np.int64], entries: Numbers) -> Numbers:
    """Return the usual entries a minute, for channels × 24 hours of the day.

    `entries` are channels × past hours. Peaks do not move the median.
    """
    usual = np.zeros((len(entries), 24))
    for hour in range(24):
        if (hours_of_day == hour).any():
            usual[:, hour] = np.median(entries[:, hours_of_day == hour], axis=1) / 60
    return usual


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
