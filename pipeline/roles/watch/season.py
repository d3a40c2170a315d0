"""PURE: what is usual at this time of the week for people of this kind.

One Poisson regression with a logarithmic link and an exposure (McCullagh and Nelder, Generalized
Linear Models, 1989, chapter 6), fitted by iteratively reweighted least squares. Its features are
the time of day and week, each dimension of the cells, and surges of a channel. Small cells borrow
strength from large ones; a ridge keeps effects near zero that the data hardly show.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

import numpy as np

from pipeline.roles.watch.ages import Numbers

_DAILY, _WEEKEND = 3, 1
"""Harmonics of the day, and how many of them have another size at weekends."""
_SATURDAY = 5
_ROUNDS, _CLOSE = 30, 1e-6
_MOST = 4.0
"""In one round, no effect changes by more than a factor of e^4."""

_DAYS_FOR_A_DAY, _DAYS_FOR_A_WEEK = 1.5, 8.0


def seasons(times: Sequence[datetime], zone: tzinfo, history: timedelta) -> Numbers:
    """Return a row of features for each time; features that `history` is too short for are 0."""
    local = [time.astimezone(zone) for time in times]
    hours = np.array([t.hour + t.minute / 60 for t in local])
    weekdays = np.array([t.weekday() for t in local])
    weekend = (weekdays >= _SATURDAY).astype(float)
    turns = np.outer(hours * (2 * np.pi / 24), np.arange(1, _DAILY + 1))
    daily = np.concatenate([np.sin(turns), np.cos(turns)], axis=1)
    of_weekend = np.concatenate([np.sin(turns[:, :_WEEKEND]), np.cos(turns[:, :_WEEKEND])], axis=1)
    weekly = np.concatenate(
        [
            weekend[:, None],
            of_weekend * weekend[:, None],
        ],
        axis=1,
    ).astype(float)
    days = history / timedelta(days=1)
    return np.concatenate(
        [
            np.ones((len(local), 1)),
            daily * (days >= _DAYS_FOR_A_DAY),
            weekly * (days >= _DAYS_FOR_A_WEEK),
        ],
        axis=1,
    )


def fit(features: Numbers, observed: Numbers, exposure: Numbers, ridge: float = 1.0) -> Numbers:
    """Return the effects: `observed` is about `exposure` · e^(features · effects).

    For a row with a weight, multiply both by it. The first feature is 1 everywhere; only its
    effect is not held near 0.
    """
    effects = np.zeros(features.shape[1])
    total = float(exposure.sum())
    if not total:
        return effects
    effects[0] = np.log((observed.sum() + 0.5) / (total + 0.5))
    penalty = np.full(len(effects), ridge)
    penalty[0] = 1e-9
    for _ in range(_ROUNDS):
        mean = exposure * np.exp(features @ effects)
        slope = features.T @ (observed - mean) - penalty * effects
        curve = (features * mean[:, None]).T @ features + np.diag(penalty)
        step = np.clip(np.linalg.solve(curve, slope), -_MOST, _MOST)
        effects = effects + step
        if np.abs(step).max() < _CLOSE:
            break
    return effects
