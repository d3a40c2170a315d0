"""PURE: counts in the smallest parts that the watch distinguishes.

A cell is a combination of values, one for each dimension: ("newsletter", "Safari"). A slice is all
cells with one value of one dimension, or all cells. So the usual number of a slice is the sum over
its cells, and a changed mix does not look like a drop.
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
    """Rows of one hour and one cell: what was counted, and how much could have been counted.

    `hour_of` and `cell_of` are indexes into `hours` and `cells`.
    """

    hours: Sequence[datetime]
    cells: Sequence[Cell]
    hour_of: Places
    cell_of: Places
    observed: Numbers
    exposure: Numbers


class Counted(NamedTuple):
    """The same for one minute, `number` minutes after 1970: a row for each cell."""

    number: int
    cells: Sequence[Cell]
    observed: Numbers
    exposure: Numbers


def summed(places: Places, numbers: Numbers, length: int) -> Numbers:
    """Return the sum of the numbers at each place, for `length` places."""
    return np.bincount(places, numbers, minlength=length).astype(np.float64)


def members(slices: Sequence[Slice], dimensions: Sequence[str], cells: Sequence[Cell]) -> Numbers:
    """Return a matrix of slices × cells: 1 where the cell is in the slice."""
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
    """Return everywhere, and the `most` largest values of each dimension with `least` or more.

    A dimension with only one value says nothing.
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
