"""PURE: how soon people go on, by the minutes since they reached a step.

Ages are whole minutes of the clock: a person who arrives at 10:02:50 and goes on at 10:03:10 has
the age of one minute. Bins count the ages; they are narrow where most people go on. The hazard of a
bin is the share of the people still waiting who go on within one minute. It is the actuarial
estimate of a life table (Cutler and Ederer, Maximum utilization of the life table method, 1958).
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

EDGES = (*range(15), *range(15, 60, 5), *range(60, 121, 15))
"""The first minute of each bin, and the end of the last."""

LONGEST = EDGES[-1]
"""After this many minutes, a person who has not gone on no longer counts as waiting."""

BINS = len(EDGES) - 1
BIN_OF_AGE = np.searchsorted(EDGES, np.arange(LONGEST), side="right") - 1
_WIDTHS = np.diff(EDGES).astype(float)


def waiting_minutes(entries: Numbers, conversions: Numbers) -> Numbers:
    """Give the minutes that people waited in each bin.

    `entries` has any shape; `conversions` has one more axis at the end, the bins. A person who goes
    on within a bin has waited for half of it.
    """
    before = np.cumsum(conversions, axis=-1) - conversions
    at_start = entries[..., None] - before
    return at_start * _WIDTHS - conversions * (_WIDTHS - 1) / 2


def hazards(entries: Numbers, conversions: Numbers) -> Numbers:
    """Give the hazard of each bin, per minute."""
    waited = waiting_minutes(entries, conversions).reshape(-1, BINS).sum(axis=0)
    gone = conversions.reshape(-1, BINS).sum(axis=0)
    return np.divide(gone, waited, out=np.zeros(BINS), where=waited > 0)
