"""The statistic costs what it says, learns ordinary days, and does not learn a drop."""

from math import exp, lgamma, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.roles.watch.ages import Numbers
from pipeline.roles.watch.evidence import (
    FALLS,
    GONE,
    RISES,
    Evidence,
    _log_gamma,
    _margin,
    add,
    no_evidence,
    of_all,
    shares,
)

SPREADS = np.array([0.06])


def lived(counts: list[float], usual: float, ratios: Numbers = FALLS) -> Evidence:
    """What one slice says after these minutes."""
    evidence = no_evidence(ratios, 1)
    for number, count in enumerate(counts):
        told = np.array([count]), np.array([usual])
        evidence = add(evidence, ratios, *told, SPREADS, number)
    return evidence


@given(st.floats(1e-4, 1e7))
def test_the_logarithm_of_gamma_is_that_of_the_c_library(z: float) -> None:
    assert _log_gamma(np.array([z]))[0] == pytest.approx(lgamma(z), rel=1e-8, abs=1e-6)


@pytest.mark.parametrize("ratios", [FALLS, RISES, GONE], ids=["falls", "rises", "gone"])
@given(st.floats(0.05, 200), st.lists(st.integers(0, 30), max_size=8))
def test_without_a_change_a_minute_adds_one_on_average(
    ratios: Numbers, usual: float, before: list[int]
) -> None:
    """The mean of L over all counts, by their chance without a change, is 1: no look is free.

    All counts are tried at once, each as a slice.
    """
    counts = np.arange(int(4 * usual + 12 * usual**0.5 + 30), dtype=float)
    known = spread_out(lived([float(count) for count in before], usual, ratios), len(counts))
    spreads = np.full(len(counts), SPREADS[0])
    told = usual / _margin(spreads, is_rise=bool(ratios[0] > 1))
    after = add(known, ratios, counts, told, spreads, len(before))
    likelihoods = after.log_r - np.logaddexp(0, known.log_r)
    total = np.exp(likelihoods + chances(counts, usual, *known.calm[:, 0])).sum(axis=1)
    assert total == pytest.approx(np.ones(len(ratios)), rel=1e-3)


def spread_out(evidence: Evidence, slices: int) -> Evidence:
    """The same evidence in many slices."""
    return Evidence(**{n: np.repeat(v, slices, axis=1) for n, v in vars(evidence).items()})


def chances(counts: Numbers, usual: float, mean: float, variance: float) -> Numbers:
    """The logarithms of a negative binomial, as the level of the minute before leads to."""
    keep = exp(-1 / 600)
    level = 1 + keep * (mean - 1)
    spread = (keep**2 * variance + 1 - keep**2) * SPREADS[0] ** 2
    shape, rate = level**2 / spread, level / spread
    found = [
        lgamma(shape + count)
        - lgamma(shape)
        - lgamma(count + 1)
        + shape * log(rate / (rate + usual))
        + count * log(usual / (rate + usual))
        for count in counts
    ]
    return np.array(found)


def test_a_drop_that_lasts_is_not_learned_as_the_usual() -> None:
    an_hour, a_day = (of_all(lived([80.0] * minutes, 100)) for minutes in (60, 1440))
    assert an_hour > 5
    assert a_day > 3 * an_hour


def test_a_good_day_is_no_reason_to_miss_the_usual_afterwards() -> None:
    assert of_all(lived([130.0] * 600 + [100.0] * 600, 100)) < log(1440)


def test_a_bad_day_within_what_is_ordinary_is_no_drop() -> None:
    assert of_all(lived([94.0] * 1440, 100)) < log(1440)


@pytest.mark.parametrize("ratios", [FALLS, RISES, GONE], ids=["falls", "rises", "gone"])
@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.just(0.0) | st.floats(1e-12, 1e4)),
        min_size=1,
        max_size=60,
    ),
    st.floats(0.025, 0.3),
)
def test_whatever_comes_where_nobody_is_usual_the_level_stays_within_its_bounds(
    ratios: Numbers, minutes: list[tuple[int, float]], spread: float
) -> None:
    evidence = no_evidence(ratios, 1)
    for number, (count, usual) in enumerate(minutes * 5):
        told = np.array([float(count)]), np.array([usual]), np.array([spread])
        evidence = add(evidence, ratios, *told, number)
        for variance in (evidence.calm[1], evidence.changed_variance):
            assert ((variance > 0) & (variance <= 1)).all()
        for mean in (evidence.calm[0], evidence.changed_mean):
            assert ((mean >= 0.09) & (mean <= 1.91)).all()
        assert not np.isnan(evidence.log_r).any()


def test_more_than_usual_is_no_evidence_of_a_fall_however_long() -> None:
    assert of_all(lived([500.0] * 1440, 100)) < 0


def test_everywhere_is_believed_before_a_part_that_fell_as_deep() -> None:
    evidence = no_evidence(FALLS, 4)
    for number in range(30):
        seen = np.array([10.0, 5.0, 3.0, 2.0])
        evidence = add(evidence, FALLS, seen, 2 * seen, np.full(4, 0.06), number)
    assert shares(evidence).argmax() == 0


def test_a_part_is_believed_when_the_others_are_as_usual() -> None:
    evidence = no_evidence(FALLS, 4)
    for number in range(30):
        seen, usual = np.array([15.0, 10.0, 1.0, 4.0]), np.array([20.0, 10.0, 6.0, 4.0])
        evidence = add(evidence, FALLS, seen, usual, np.full(4, 0.06), number)
    assert shares(evidence).argmax() == 2
