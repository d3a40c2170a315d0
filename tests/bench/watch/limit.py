"""How soon anybody could know, on average.

With D nats of evidence a minute, k watched slices and one false alert in T minutes allowed, solve
e^h - h - 1 = T·k·D; no detector can on average be faster than about (h - 1 + e^-h) / D minutes
(Lorden's bound, in a form that does not depend on the unit of time). D changes with the hour, so it
is the mean over the minutes up to the limit.
"""

from math import exp, log

import numpy as np
from numpy.typing import NDArray

WEEK = 7 * 24 * 60


def divergence(q: float, p: float) -> float:
    """Give KL(q‖p) of two shares, in nats."""

    def part(a: float, b: float) -> float:
        return a * np.log(a / b) if a > 0 else 0.0

    return float(part(q, p) + part(1 - q, 1 - p))


def limit(nats: NDArray[np.float64], slices: int, between: float = WEEK) -> float:
    """Give the limit in minutes; `nats` are those of each minute since the change began."""
    means = np.cumsum(nats) / np.arange(1, len(nats) + 1)
    for minute, mean in enumerate(means, 1):
        if mean > 0 and _delay(mean, slices, between) <= minute:
            return max(_delay(mean, slices, between), minute - 1.0)
    return float(len(nats))


def _delay(mean: float, slices: int, between: float) -> float:
    wanted = between * slices * mean
    h = log(wanted + 2) + 1
    for _ in range(60):
        h -= (exp(h) - h - 1 - wanted) / (exp(h) - 1)
    return (h - 1 + exp(-h)) / mean
