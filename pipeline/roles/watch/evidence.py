"""PURE: how strongly the minutes so far speak for a change, against chance and ordinary days.

For every watched slice and for several sizes of a change, the statistic of Shiryaev and Roberts:

    R = (1 + R) · L,   L = P(x | with the change) / P(x | without)

with x counted in that minute. Without a change R grows by one a minute on average. So the mean of
all R reaches T after T minutes on average: that is the price of looking every minute (Pollak,
Average run lengths of an optimal method of detecting a change in distribution, Annals of Statistics
1987). It is exact for small counts.

Days and hours differ by more than chance: by the spread σ of a slice. So x is Poisson of what is
usual · size of the change · level, and the level is a gamma distribution of mean 1 and deviation σ
that learns from the minutes (it is conjugate to the Poisson: x is negative binomial) and returns to
1 within hours. One level is learned as if nothing had changed, one for every size as if it had. A
change that may have begun in any minute has the mixture of both (the interacting multiple models of
Blom and Bar-Shalom, IEEE Transactions on Automatic Control 1988). No level without a change is so
far from the usual that a lasting drop would be learned as one.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.roles.watch.ages import Numbers

FALLS = np.array((0.8, 0.5, 0.05))
RISES = np.array((1.3, 2.0, 4.0))
GONE = np.array((0.02,))
"""What is left of the usual, or how many times it: the sizes of a change that are looked for."""

_EVERYWHERE = 0.4
"""How much of the price is for the first slice, everywhere: there most of what breaks breaks."""
_MARGIN = 0.7
"""So many spreads a part must be worse than the usual before it counts: there are many parts."""
_LOWEST, _HIGHEST = 2.2, 0.06
"""How far the level goes: so many spreads towards the change, such a share away from it."""
_DEEPEST = 0.9
_KEEP = float(np.exp(-1 / 600))
"""What is left of a level that differs after a minute, so that it returns within ten hours."""
_FADE = float(np.exp(-1 / 120))


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Of each slice: R, and its beginning.

    `log_r`, `gain`, `since`, `seen` and `usual` are sizes × slices: log R; the log-likelihood of
    the change since the minute `since` (Page's CUSUM); what was counted and what was usual since
    then. `calm` is the level without a change: its mean, and its variance as a share of σ², ×
    slices; `changed_mean` and `changed_variance` are those with one, sizes × slices. `recent` is
    what was counted and what was usual in the last two hours, faded.
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
    """Give the beginning: nothing was seen, and nothing is known of the level."""
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
    """Add a minute: what was `observed` of each slice, and what is `usual`."""
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
    """Give log R of each slice: the mean over the sizes of a change."""
    each: Numbers = np.logaddexp.reduce(evidence.log_r, axis=0) - np.log(len(evidence.log_r))
    return each


def shares(evidence: Evidence) -> Numbers:
    """Give log R of each slice by its share of the price; the first slice is everywhere."""
    slices = evidence.log_r.shape[1]
    if slices == 1:
        return by_slice(evidence)
    price = np.full(slices, (1 - _EVERYWHERE) / (slices - 1))
    price[0] = _EVERYWHERE
    each: Numbers = by_slice(evidence) + np.log(price)
    return each


def of_all(evidence: Evidence) -> float:
    """Give log R of all: the mean over the slices by their share of the price."""
    return float(np.logaddexp.reduce(shares(evidence)))


def forget(evidence: Evidence) -> Evidence:
    """Begin anew, but keep the level."""
    fresh = no_evidence(evidence.log_r[:, 0], evidence.log_r.shape[1])
    return replace(fresh, calm=evidence.calm, recent=evidence.recent)


def _margin(spreads: Numbers, is_rise: bool) -> Numbers:
    margin = _MARGIN * spreads * (1 if is_rise else -1)
    margin[0] = 0
    leaves: Numbers = 1 + margin
    return leaves


def _mixed(before: Evidence, spreads: Numbers) -> tuple[Numbers, Numbers]:
    """Give the level with a change: that of one which goes on, or of one which begins now."""
    begins = 1 / (1 + np.exp(np.minimum(before.log_r, _CERTAIN)))
    new, old = before.calm, (before.changed_mean, before.changed_variance)
    mean = begins * new[0] + (1 - begins) * old[0]
    apart = begins * (new[0] - mean) ** 2 + (1 - begins) * (old[0] - mean) ** 2
    return mean, begins * new[1] + (1 - begins) * old[1] + apart / spreads**2


_CERTAIN = 50.0


def _passed(mean: Numbers, variance: Numbers, spreads: Numbers) -> tuple[Numbers, Numbers]:
    """Let a minute pass: the level returns to 1, and is less well known. Its variance is whole."""
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
    """Give the level after a minute, within its bounds; its variance as a share of σ².

    No minute makes it less well known than at the beginning: many came where nobody usually is.
    """
    shape, rate = mean**2 / variance + observed, mean / variance + expected
    side = np.minimum(_LOWEST * spreads, _DEEPEST)
    other = np.zeros(len(spreads))
    other[0] = _HIGHEST
    least, most = (1 - other, 1 + side) if is_rise else (1 - side, 1 + other)
    variance = np.minimum(shape / rate**2 / spreads**2, 1)
    return np.clip(shape / rate, least, most), variance


def _log_chance(observed: Numbers, expected: Numbers, mean: Numbers, variance: Numbers) -> Numbers:
    """Give the logarithm of the chance to see so many, but for what depends on `observed` alone."""
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
    """Give log Γ(z) of positive numbers, by Stirling's series for z + 8 (DLMF 5.11.1)."""
    far = z + _FAR
    rising = np.log(np.multiply.reduce([z + n for n in range(_FAR)]))
    series: Numbers = (far - 0.5) * np.log(far) - far + 1 / (12 * far) - 1 / (360 * far**3)
    return series + _HALF_LOG_OF_TWO_PI - rising


_FAR = 8
_HALF_LOG_OF_TWO_PI = float(np.log(2 * np.pi) / 2)
