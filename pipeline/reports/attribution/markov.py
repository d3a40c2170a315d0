"""PURE: data-driven attribution, by the removal effect in a Markov chain.

Each path is a walk from *start* through its touches to *conversion* or to *nothing*. All walks
together give the probability of each step from touch to touch, and so the probability of a
conversion. The removal effect of a touch is the part of that probability that is lost if everybody
who reaches the touch leaves for good. The shares are these effects, scaled to sum to one.

Source: E. Anderl, I. Becker, F. von Wangenheim, J. H. Schumann, "Mapping the customer journey:
Lessons learned from graph-based online attribution modeling", International Journal of Research in
Marketing 33 (2016), 457-474; here of first order. Repetitions of a touch right after itself change
no effect.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

MOST = 100
"""The most touches that stay separate; the work grows with their cube. The rarest become OTHER."""

OTHER = "(other)"
_START, _CONVERSION, _NOTHING = object(), object(), object()

Matrix = list[list[float]]


class Path(NamedTuple):
    """Touches in order of time, and how many people took this path with and without an order."""

    touches: tuple[str, ...]
    is_converted: bool
    people: int = 1


def shares(paths: Sequence[Path], most: int = MOST) -> dict[str, float]:
    """Return the share of each touch in the conversions; the sum is one. Without any: nothing."""
    effects = removal_effects(_gathered(paths, most))
    whole = sum(effects.values())
    return {touch: effect / whole for touch, effect in effects.items() if effect}


def removal_effects(paths: Sequence[Path]) -> dict[str, float]:
    """Return the part of the conversions, from 0 to 1, that would be lost without each touch.

    Without a touch, only people who never reach it convert. The loss is the probability to reach
    it at all, times the probability to convert from there.
    """
    steps = _steps(paths)
    touches = sorted({touch for path in paths for touch in path.touches})
    left = {touch: sum(steps[touch].values()) for touch in touches}
    chances = [[steps[a][b] / left[a] for b in touches] for a in touches]
    visits = _inverse(
        [[(a == b) - chance for b, chance in enumerate(row)] for a, row in enumerate(chances)]
    )
    begins = [steps[_START][touch] for touch in touches]
    ends = [steps[touch][_CONVERSION] / left[touch] for touch in touches]
    converts = [_product(row, ends) for row in visits]
    whole = _product(begins, converts)
    if not whole:
        return {}
    comes = [_product(begins, column) for column in zip(*visits, strict=True)]
    return {touch: comes[i] / visits[i][i] * converts[i] / whole for i, touch in enumerate(touches)}


def _steps(paths: Iterable[Path]) -> dict[object, Counter[object]]:
    steps: dict[object, Counter[object]] = {_START: Counter()}
    for path in paths:
        end = _CONVERSION if path.is_converted else _NOTHING
        for here, there in pairwise((_START, *path.touches, end)):
            steps.setdefault(here, Counter())[there] += path.people
    return steps


def _gathered(paths: Sequence[Path], most: int) -> list[Path]:
    times: Counter[str] = Counter()
    for path in paths:
        for touch in path.touches:
            times[touch] += path.people
    if len(times) <= most:
        return list(paths)
    ranked = sorted(times, key=lambda touch: (-times[touch], touch))
    kept = {touch: touch for touch in ranked[: most - 1]}
    return [
        path._replace(touches=tuple(kept.get(touch, OTHER) for touch in path.touches))
        for path in paths
    ]


def _product(row: Sequence[float], column: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(row, column, strict=True))


def _inverse(matrix: Matrix) -> Matrix:
    """Invert by Gauss and Jordan. Every walk ends, so no pivot is zero; none needs a search."""
    size = len(matrix)
    rows = [[*row, *(float(i == j) for j in range(size))] for i, row in enumerate(matrix)]
    for i, pivot in enumerate(rows):
        scale = pivot[i]
        pivot[:] = [value / scale for value in pivot]
        for j, row in enumerate(rows):
            if i != j and row[i]:
                factor = row[i]
                row[:] = [value - factor * other for value, other in zip(row, pivot, strict=True)]
    return [row[size:] for row in rows]
