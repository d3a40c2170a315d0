"""PURE: what was counted, in the smallest parts that are told apart.

A cell is a combination of values, one for each dimension: ("newsletter", "Safari"). A slice is all
cells with one value of one dimension, or all there are. So what is usual of a slice is the sum of
its cells: a changed mix is no drop.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.roles.watch.ages import Numbers

Places = NDArray[np.int64]
Cell = tuple[str, ...]


class Slice(NamedTuple):
    """All cells with this value of this dimension; both empty: all cells."""

    dimension: str
    value: str


EVERYWHERE = Slice("", "")


class Counts(NamedTuple):
    """Rows of an hour and a cell each: what was counted, and of how much that could have been.

    `hour_of` and `cell_of` are places in `hours` and `cells`.
    """

    hours: Sequence[datetime]
    cells: Sequence[Cell]
    hour_of: Places
    cell_of: Places
    observed: Numbers
    exposure: Numbers


class Counted(NamedTuple):
    """The same of one minute, which is `number` minutes after 1970: a row for each cell."""

    number: int
    cells: Sequence[Cell]
    observed: Numbers
    exposure: Numbers


def summed(places: Places, numbers: Numbers, length: int) -> Numbers:
    """Give the sum of the numbers of each place, of `length` places."""
    return np.bincount(places, numbers, minlength=length).astype(np.float64)


def members(slices: Sequence[Slice], dimensions: Sequence[str], cells: Sequence[Cell]) -> Numbers:
    """Give a matrix of slices × cells: 1 where the cell is in the slice."""
    return _members(tuple(slices), tuple(dimensions), tuple(cells))


@lru_cache(maxsize=32)
def _members(
    slices: tuple[Slice, ...], dimensions: tuple[str, ...], cells: tuple[Cell, ...]
) -> Numbers:
    found = np.zeros((len(slices), len(cells)))
    for place, (dimension, value) in enumerate(slices):
        if not dimension:
            found[place] = 1
            continue
        axis = dimensions.index(dimension)
        found[place] = [cell[axis] == value for cell in cells]
    return found


def largest_slices(
    counts: Counts, dimensions: Sequence[str], most: int, least: float
) -> list[Slice]:
    """Give everywhere, and of each dimension the `most` values with `least` observed or more.

    A dimension with one value only says nothing.
    """
    slices = [EVERYWHERE]
    for axis, dimension in enumerate(dimensions):
        totals: dict[str, float] = {}
        of_cell = np.bincount(counts.cell_of, counts.observed, minlength=len(counts.cells))
        for cell, total in zip(counts.cells, of_cell, strict=True):
            totals[cell[axis]] = totals.get(cell[axis], 0.0) + float(total)
        if len(totals) > 1:
            ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
            slices += [Slice(dimension, v) for v, n in ranked[:most] if v and n >= least]
    return slices
