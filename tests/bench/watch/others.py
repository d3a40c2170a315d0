"""What others offer: a fixed threshold, the z-score and the median absolute deviation.

Once an hour they look at the conversion of the hour that is complete (an hour later, for who came
last needs time), of every slice with twenty entries or more. The threshold is half of the usual;
the z-score is below -3, and the modified z-score by the median absolute deviation below -3.5,
against the 168 hours before.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

from pipeline.roles.watch.ages import Numbers

NAMES = ("threshold", "z-score", "MAD")
COMPLETE = 120
"""Minutes from the beginning of an hour until it is looked at."""
_WINDOW = 168


def alarms(past: Numbers, now: Numbers) -> dict[str, NDArray[np.bool_]]:
    """Give for each detector slices × hours of `now`: whether it fires; `past` came before."""
    both = np.concatenate([past, now], axis=1)
    fires = {name: np.zeros(now.shape, dtype=bool) for name in NAMES}
    for hour in range(now.shape[1]):
        at = past.shape[1] + hour
        window, value = both[:, max(0, at - _WINDOW) : at], both[:, at]
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            for name, is_low in _judge(window, value).items():
                fires[name][:, hour] = is_low
    return fires


def _judge(window: Numbers, value: Numbers) -> dict[str, NDArray[np.bool_]]:
    mean, spread = np.nanmean(window, axis=1), np.nanstd(window, axis=1)
    median = np.nanmedian(window, axis=1)
    deviation = np.nanmedian(np.abs(window - median[:, None]), axis=1)
    return {
        "threshold": value < mean / 2,
        "z-score": (value - mean) / spread < -3,
        "MAD": 0.6745 * (value - median) / deviation < -3.5,
    }


def begins(fires: NDArray[np.bool_]) -> int:
    """Count how often a slice begins to fire."""
    before = np.concatenate([np.zeros((len(fires), 1), dtype=bool), fires[:, :-1]], axis=1)
    return int((fires & ~before).sum())
