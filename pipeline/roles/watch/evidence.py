"""PURE: how strongly the minutes so far speak for a change, against chance and ordinary days.

For every watched slice and for several sizes of a change, the statistic of Shiryaev and Roberts:

    R = (1 + R) · L,   L = P(x | with the change) / P(x | without)

where x is the count of that minute. Without a change, R grows by one a minute on average. So the
mean of all R reaches T after T minutes on average: that is the price of looking every minute
(Pollak, Average run lengths of an optimal method of detecting a change in distribution, Annals of
Statistics 1987). It is exact for small counts.

Days and hours differ by more than chance: by the spread σ of a slice. So x follows a Poisson
distribution with the mean usual · size of the change · level. The level follows a gamma
distribution with mean 1 and deviation σ, which is conjugate to the Poisson: x is negative binomial.
The level learns from the minutes and returns to 1 within hours. One level learns as if nothing had
changed; for every size, another one learns as if it had. A change that may have begun in any minute
has the mixture of both (the interacting multiple models of Blom and Bar-Shalom, IEEE Transactions
on Automatic Control 1988). The level without a change is bounded, so that it does not learn a
lasting drop.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.roles.watch.ages import Numbers

FALLS = np.array((0.8, 0.5, 0.05))
RISES = np.array((1.3, 2.0, 4.0))
GONE = np.array((0.02,))
"""The sizes of a change to look for: what is left of the usual, or a multiple of it."""

_EVERYWHERE = 0.4
"""The share of the price for the first slice, everywhere: most faults show there."""
_MARGIN = 0.7
"""By how many spreads a part must be worse than usual before it counts: there are many parts."""
_LOWEST, _HIGHEST = 2.2, 0.06
"""The bounds of the level: in spreads towards the change, and as a share away from it."""
_DEEPEST = 0.9
_KEEP = float(np.exp(-1 / 600))
"""How much of a level's deviation is left after a minute; it returns to 1 within ten hours."""
_FADE = float(np.exp(-1 / 120))


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """R of each slice, and when it began to grow.

    `log_r`, `gain`, `since`, `seen` and `usual` are sizes × slices: log R; the log-likelihood of
    the change since the minute `since` (Page's CUSUM); the observed and the usual counts since
    then. `calm` is the level without a change: its mean, and its variance as a share of σ², ×
    slices. `changed_mean` and `changed_variance` are those with a change, sizes × slices. `recent`
    is the observed and the usual counts of the last two hours, faded.
    """

    log_r: Numbers
    gain: Numbers
    since: Numbers
    seen: Numbers
    usual: Numbers
    calm: Numbers
    changed_mean: Numbers
    changed_variance: Numbers
    recent: Numbers


def no_evidence(ratios: Numbers, slices: int) -> Evidence:
    """Return the initial evidence: nothing was seen, and nothing is known about the level."""
    shape = (len(ratios), slices)
    return Evidence(
        log_r=np.full(shape, -np.inf),
        gain=np.zeros(shape),
        since=np.zeros(shape),
        seen=np.zeros(shape),
        usual=np.zeros(shape),
        calm=np.ones((2, slices)),
        changed_mean=np.ones(shape),
        changed_variance=np.ones(shape),
        recent=np.zeros((2, slices)),
    )


def add(
    before: Evidence,
    ratios: Numbers,
    observed: Numbers,
    usual: Numbers,
    spreads: Numbers,
    minute: int,
) -> Evidence:
    """Add a minute: what was `observed` in each slice, and what is `usual`."""
    is_rise = bool(ratios[0] > 1)
    expected = usual * _margin(spreads, is_rise)
    changed_expected = np.outer(ratios, expected)
    calm = _passed(before.calm[0], before.calm[1], spreads)
    changed = _passed(*_mixed(before, spreads), spreads)
    llr = _log_chance(observed, changed_expected, *changed)
    llr = llr - _log_chance(observed, expected, *calm)
    is_new = before.gain <= 0
    mean, variance = _learned(observed, changed_expected, *changed, spreads, is_rise)
    return Evidence(
        log_r=np.logaddexp(0, before.log_r) + llr,
        gain=np.maximum(np.where(is_new, 0, before.gain) + llr, 0),
        since=np.where(is_new, minute, before.since),
        seen=np.where(is_new, 0, before.seen) + observed,
        usual=np.where(is_new, 0, before.usual) + usual,
        calm=np.array(_learned(observed, expected, *calm, spreads, is_rise)),
        changed_mean=mean,
        changed_variance=variance,
        recent=_FADE * (before.recent + np.array([observed, usual])),
    )


def by_slice(evidence: Evidence) -> Numbers:
    """Return log R of each slice: the mean over the sizes of a change."""
    each: Numbers = np.logaddexp.reduce(evidence.log_r, axis=0) - np.log(len(evidence.log_r))
    return each


def shares(evidence: Evidence) -> Numbers:
    """Return log R of each slice, weighted by its share of the price; the first is everywhere."""
    slices = evidence.log_r.shape[1]
    if slices == 1:
        return by_slice(evidence)
    price = np.full(slices, (1 - _EVERYWHERE) / (slices - 1))
    price[0] = _EVERYWHERE
    each: Numbers = by_slice(evidence) + np.log(price)
    return each


def of_all(evidence: Evidence) -> float:
    """Return log R of all: the mean over the slices, weighted by their share of the price."""
    return float(np.logaddexp.reduce(shares(evidence)))


def forget(evidence: Evidence) -> Evidence:
    """Start again from no evidence, but keep the level."""
    fresh = no_evidence(evidence.log_r[:, 0], evidence.log_r.shape[1])
    return replace(fresh, calm=evidence.calm, recent=evidence.recent)


def _margin(spreads: Numbers, is_rise: bool) -> Numbers:
    margin = _MARGIN * spreads * (1 if is_rise else -1)
    margin[0] = 0
    leaves: Numbers = 1 + margin
    return leaves


def _mixed(before: Evidence, spreads: Numbers) -> tuple[Numbers, Numbers]:
    """Return the level with a change: a mixture of a change that continues and one that begins."""
    begins = 1 / (1 + np.exp(np.minimum(before.log_r, _CERTAIN)))
    new, old = before.calm, (before.changed_mean, before.changed_variance)
    mean = begins * new[0] + (1 - begins) * old[0]
    apart = begins * (new[0] - mean) ** 2 + (1 - begins) * (old[0] - mean) ** 2
    return mean, begins * new[1] + (1 - begins) * old[1] + apart / spreads**2


_CERTAIN = 50.0


def _passed(mean: Numbers, variance: Numbers, spreads: Numbers) -> tuple[Numbers, Numbers]:
    """Let a minute pass: the level moves back towards 1 and is less certain.

    The variance that it returns is absolute, not a share of σ².
    """
    share = _KEEP**2 * variance + 1 - _KEEP**2
    return 1 + _KEEP * (mean - 1), share * spreads**2


def _learned(
    observed: Numbers,
    expected: Numbers,
    mean: Numbers,
    variance: Numbers,
    spreads: Numbers,
    is_rise: bool,
) -> tuple[Numbers, Numbers]:
    """Return the level after a minute, within its bounds; its variance is a share of σ².

    No minute makes it less certain than at the beginning, not even many people at an hour when
    usually nobody comes.
    """
    shape, rate = mean**2 / variance + observed, mean / variance + expected
    side = np.minimum(_LOWEST * spreads, _DEEPEST)
    other = np.zeros(len(spreads))
    other[0] = _HIGHEST
    least, most = (1 - other, 1 + side) if is_rise else (1 - side, 1 + other)
    variance = np.minimum(shape / rate**2 / spreads**2, 1)
    return np.clip(shape / rate, least, most), variance


def _log_chance(observed: Numbers, expected: Numbers, mean: Numbers, variance: Numbers) -> Numbers:
    """Return the log of the probability of `observed`, without terms that depend on it alone."""
    shape, rate = mean**2 / variance, mean / variance
    among = np.log(np.maximum(expected, 1e-300) / (rate + expected))
    chance: Numbers = (
        _log_gamma(shape + observed)
        - _log_gamma(shape)
        - shape * np.log1p(expected / rate)
        + observed * among
    )
    return chance


def _log_gamma(z: Numbers) -> Numbers:
    """Return log Γ(z) of positive numbers, by Stirling's series for z + 8 (DLMF 5.11.1)."""
    far = z + _FAR
    rising = np.log(np.multiply.reduce([z + n for n in range(_FAR)]))
    series: Numbers = (far - 0.5) * np.log(far) - far + 1 / (12 * far) - 1 / (360 * far**3)
    return series + _HALF_LOG_OF_TWO_PI - rising


_FAR = 8
_HALF_LOG_OF_TWO_PI = float(np.log(2 * np.pi) / 2)
