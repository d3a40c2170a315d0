"""PURE: the counts of ClickHouse as rows, and how rows become counts by cell.

Times are whole hours of the past, to learn from, or minutes, to judge. Both count from 1970.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from pipeline.roles.watch.ages import BIN_OF_AGE, BINS, LONGEST, Numbers, hazards, waiting_minutes
from pipeline.roles.watch.counts import Cell, Counted, Counts, Places, summed
from pipeline.roles.watch.minutes import start_of

DIMENSIONS = ("channel", "device", "browser", "source", "page", "campaign")
OF_ERRORS = ("device", "browser", "page")
SURGE_MINUTES = 180
"""The past that a minute needs: two hours in which a surge is felt, and one to see it."""


class People(NamedTuple):
    """People who entered the step `pair` at `time`, and went on at `age`, or not yet (-1)."""

    pair: Places
    cells: Sequence[Cell]
    time: Places
    age: Places
    people: Numbers

    def of(self, pair: int) -> "People":
        """Return the rows of one step."""
        return self.where(self.pair == pair)

    def where(self, wanted: np.ndarray) -> "People":
        """Return the wanted rows."""
        cells = [cell for cell, is_wanted in zip(self.cells, wanted, strict=True) if is_wanted]
        return People(
            self.pair[wanted], cells, self.time[wanted], self.age[wanted], self.people[wanted]
        )


class Tally(NamedTuple):
    """How many there were of each name at each time: people by channel, abandonments by kind."""

    names: Sequence[str]
    time: Places
    people: Numbers

    def of(self, name: str) -> "Tally":
        """Return the rows of one name."""
        wanted = np.array([each == name for each in self.names], dtype=bool)
        return Tally([name] * int(wanted.sum()), self.time[wanted], self.people[wanted])


class Errors(NamedTuple):
    """How many people came, and how many of them met each error (rows × errors)."""

    cells: Sequence[Cell]
    time: Places
    people: Numbers
    errors: Numbers


class Seen(NamedTuple):
    """Everything that was counted for a site in a span."""

    people: People
    sources: Tally
    errors: Errors
    abandonments: Tally


class Span(NamedTuple):
    """Whole hours since 1970, the last one excluded."""

    first: int
    end: int

    @property
    def hours(self) -> list[datetime]:
        """Return the beginning of each hour."""
        start = start_of(self.first * 60)
        return [start + timedelta(hours=n) for n in range(self.end - self.first)]


def grouped(
    span: Span, cells: Sequence[Cell], time: Places, *numbers: Numbers
) -> tuple[list[Cell], Places, Places, list[Numbers]]:
    """Sum numbers by cell and hour: the cells, the place of each row's hour and cell, the sums."""
    distinct = sorted(set(cells))
    place = {cell: n for n, cell in enumerate(distinct)}
    keys = (time - span.first) * max(len(distinct), 1) + np.array(
        [place[cell] for cell in cells], dtype=np.int64
    )
    rows, of_row = np.unique(keys, return_inverse=True)
    sums = [_summed(number, of_row, len(rows)) for number in numbers]
    width = max(len(distinct), 1)
    return distinct, rows // width, rows % width, sums


def _summed(number: Numbers, of_row: Places, rows: int) -> Numbers:
    total = np.zeros((rows, *number.shape[1:]))
    np.add.at(total, of_row, number)
    return total


def conversions(span: Span, people: People) -> tuple[Numbers, Counts]:
    """Return the hazards of a step, and its conversions with their exposure to these hazards.

    In `people`, times are hours and ages are bins.
    """
    went = np.zeros((len(people.time), BINS))
    is_gone = people.age >= 0
    went[np.flatnonzero(is_gone), people.age[is_gone]] = people.people[is_gone]
    cells, hour_of, cell_of, (entries, gone) = grouped(
        span, people.cells, people.time, people.people, went
    )
    hazard = hazards(entries, gone)
    exposure = waiting_minutes(entries, gone) @ hazard
    counts = Counts(span.hours, cells, hour_of, cell_of, gone.sum(axis=1), exposure)
    return hazard, counts


def entries(span: Span, cells: Sequence[Cell], time: Places, people: Numbers) -> Counts:
    """Return how many people there were in each hour and cell."""
    found, hour_of, cell_of, (total,) = grouped(span, cells, time, people)
    return Counts(span.hours, found, hour_of, cell_of, total, np.ones(len(total)))


def waiting(people: People, minute: int, hazard: Numbers) -> Counted:
    """Count who went on in a minute, and who could have; times and ages are minutes."""
    age = minute - people.time
    left = people.time + people.age
    is_there = (age >= 0) & (age < LONGEST) & ((people.age < 0) | (left >= minute))
    there, age = people.where(is_there), age[is_there]
    distinct = sorted(set(there.cells))
    place = {cell: n for n, cell in enumerate(distinct)}
    of_cell = np.array([place[cell] for cell in there.cells], dtype=np.int64)
    exposure = summed(of_cell, there.people * hazard[BIN_OF_AGE[age]], len(distinct))
    is_gone = (there.age >= 0) & (there.time + there.age == minute)
    observed = summed(of_cell, there.people * is_gone, len(distinct))
    return Counted(minute, distinct, observed, exposure)


def by_channel(people: People, channels: Sequence[str], start: int, length: int) -> Numbers:
    """Return the entries of channels × times, for `length` times from `start` on."""
    found = np.zeros((len(channels), length))
    place = {channel: n for n, channel in enumerate(channels)}
    axis = DIMENSIONS.index("channel")
    for cell, time, number in zip(people.cells, people.time, people.people, strict=True):
        if cell[axis] in place and 0 <= time - start < length:
            found[place[cell[axis]], time - start] += number
    return found
