"""PURE: how strongly the minutes so far speak for a change, against chance.

For every watched slice and for several sizes of a change, the statistic of Shiryaev and Roberts:

    R = (1 + R) · L,   L = Poisson(x; ν·ratio) / Poisson(x; ν) = ratio^x · e^(-ν (ratio - 1))

with x counted and ν usual in that minute. Without a change R grows by one a minute on average, for
any x whose mean is not on the wrong side of ν. So the mean of all R reaches T after T minutes on
average: that is the price of looking every minute (Pollak, Average run lengths of an optimal method
of detecting a change in distribution, Annals of Statistics 1987). It is exact for small counts.

Days and hours differ by more than chance: the spread σ of a slice. So ν is what is usual times a
level that is believed: a gamma distribution of mean 1 and deviation σ, which learns from the
minutes (it is conjugate to the Poisson) and forgets within two hours. The level ends some σ below
1, so that a drop is not learned; and begins some below 1, for small drops last.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.roles.watch.ages import Numbers

FALLS = np.array((0.85, 0.7, 0.5, 0.05))
RISES = np.array((1.3, 2.0, 4.0))
GONE = np.array((0.02,))
"""What is left of the usual, or how many times it: the sizes of a change that are looked for."""

_FIRST_SIGMAS, _LAST_SIGMAS = 1.6, 3.0
_KEEP = float(np.exp(-1 / 120))


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Of each slice: R, and its beginning.

    `log_r`, `gain`, `since`, `seen` and `usual` are ratios × slices: log R; the log-likelihood of
    the change since the minute `since` (Page's CUSUM); what was counted and what was usual since
    then. `level` is what the last minutes were against the usual: counted and usual, faded.
    """

    log_r: Numbers
    gain: Numbers
    since: Numbers
    seen: Numbers
    usual: Numbers
    level: Numbers


def no_evidence(ratios: Numbers, slices: int) -> Evidence:
    """Give the beginning: nothing was seen."""
    shape = (len(ratios), slices)
    return Evidence(
        log_r=np.full(shape, -np.inf),
        gain=np.zeros(shape),
        since=np.zeros(shape),
        seen=np.zeros(shape),
        usual=np.zeros(shape),
        level=np.zeros((2, slices)),
    )


def believed(evidence: Evidence, spreads: Numbers, is_rise: bool) -> Numbers:
    """Give the level of each slice that is believed without a change."""
    prior = 1 / spreads**2
    level = (prior + evidence.level[0]) / (prior + evidence.level[1])
    first, last = _FIRST_SIGMAS * spreads, np.minimum(_LAST_SIGMAS * spreads, 0.9)
    if is_rise:
        return np.clip(level, 1 + first, 1 + last)
    return np.clip(level, 1 - last, 1 - np.minimum(first, last))


def log_likelihood(ratios: Numbers, observed: Numbers, usual: Numbers) -> Numbers:
    """Give log L of every ratio × slice."""
    return np.outer(np.log(ratios), observed) - np.outer(ratios - 1, usual)


def add(
    before: Evidence,
    ratios: Numbers,
    observed: Numbers,
    usual: Numbers,
    spreads: Numbers,
    minute: int,
) -> Evidence:
    """Add a minute: what was `observed` of each slice, and what is `usual`."""
    level = believed(before, spreads, is_rise=bool(ratios[0] > 1))
    llr = log_likelihood(ratios, observed, usual * level)
    is_new = before.gain <= 0
    return Evidence(
        log_r=np.logaddexp(0, before.log_r) + llr,
        gain=np.maximum(np.where(is_new, 0, before.gain) + llr, 0),
        since=np.where(is_new, minute, before.since),
        seen=np.where(is_new, 0, before.seen) + observed,
        usual=np.where(is_new, 0, before.usual) + usual,
        level=_KEEP * (before.level + np.array([observed, usual])),
    )


def by_slice(evidence: Evidence) -> Numbers:
    """Give log R of each slice: the mean over the sizes of a change."""
    each: Numbers = np.logaddexp.reduce(evidence.log_r, axis=0) - np.log(len(evidence.log_r))
    return each


def of_all(evidence: Evidence) -> float:
    """Give log R of all: the mean over the slices."""
    each = by_slice(evidence)
    return float(np.logaddexp.reduce(each) - np.log(len(each)))


def forget(evidence: Evidence) -> Evidence:
    """Begin anew, but keep the level."""
    fresh = no_evidence(evidence.log_r[:, 0], evidence.log_r.shape[1])
    return replace(fresh, level=evidence.level)
