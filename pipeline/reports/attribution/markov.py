"""PURE: data-driven attribution, by the removal effect in a Markov chain.

Each path is a walk from *start* over its touches to *conversion* or to *nothing*. The walks
together give the chances to go from one touch to the next, and so the chance to convert. The
removal effect of a touch is the part of that chance which is lost when whoever comes to it leaves
for good; the effects, scaled to sum to one, are the shares.

Source: E. Anderl, I. Becker, F. von Wangenheim, J. H. Schumann, "Mapping the customer journey:
Lessons learned from graph-based online attribution modeling", International Journal of Research in
Marketing 33 (2016), 457-474; here of first order. How often a touch follows itself changes no
effect.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

MOST = 100
"""Touches that are told apart; the work grows with their cube. The rarest become OTHER."""

OTHER = "(other)"
_START, _CONVERSION, _NOTHING = object(), object(), object()

Matrix = list[list[float]]


class Path(NamedTuple):
    """Touches in order of time, and how many people went this way to an order, or to none."""

    touches: tuple[str, ...]
    is_converted: bool
    people: int = 1


def shares(paths: Sequence[Path], most: int = MOST) -> dict[str, float]:
    """Give each touch its share of the conversions, which sum to one; nothing without any."""
    effects = removal_effects(_gathered(paths, most))
    whole = sum(effects.values())
    return {touch: effect / whole for touch, effect in effects.items() if effect}


def removal_effects(paths: Sequence[Path]) -> dict[str, float]:
    """Give the part of the conversions, from 0 to 1, that would be lost without each touch.

    Without a touch only those convert who never come to it. Lost is the chance to come to it at
    all, times the chance to convert from there.
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
    """Invert by Gauss and Jordan. Every walk ends, so no pivot is zero and none must be sought."""
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
