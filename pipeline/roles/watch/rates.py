"""PURE: usual shares: of the people who could go on, or meet an error, how many do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo

import numpy as np

from pipeline.roles.watch.ages import Numbers
from pipeline.roles.watch.counts import (
    Cell,
    Counted,
    Counts,
    Places,
    Slice,
    largest_slices,
    members,
    summed,
)
from pipeline.roles.watch.judge import Judged
from pipeline.roles.watch.minutes import start_of
from pipeline.roles.watch.season import fit, seasons
from pipeline.roles.watch.surges import CALM, Surges

_HALF_LIFE_HOURS = 7 * 24
_MARGIN_OF_A_SURGE = 0.35


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How to learn: which dimensions, and how many of their largest values are watched.

    `least` is how much must have been observed in a slice. Hours differ by more than chance. That
    spread is at least `spreads[0]`; because few counts tell little, it is at most `spreads[1]`.
    """

    dimensions: tuple[str, ...]
    zone: tzinfo = UTC
    most_values: int = 8
    least: float = 50
    spreads: tuple[float, float] = (0.025, 0.15)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What was learned: the effects of the season, of each value of a dimension, and of surges."""

    learning: Learning
    history: timedelta
    slices: tuple[Slice, ...]
    spreads: Numbers
    of_season: Numbers
    of_values: dict[tuple[str, str], float]
    of_surges: dict[str, float]

    def usual(self, minute: Counted, surges: Surges = CALM) -> Numbers:
        """Return the usual number of each cell."""
        of_season = float(self._season(minute.number) @ self.of_season)
        effects = np.array([self._effect(cell, surges) for cell in minute.cells])
        usual: Numbers = minute.exposure * np.exp(of_season + effects)
        return usual

    def in_slices(self, minute: Counted, surges: Surges = CALM, *, is_rise: bool = False) -> Judged:
        """Return the observed and the usual number of each slice; surges leave a margin."""
        member = members(self.slices, self.learning.dimensions, minute.cells)
        felt = np.array([self._channel(cell) in surges.felt for cell in minute.cells])
        margin = 1 + (1 if is_rise else -1) * _MARGIN_OF_A_SURGE * felt
        usual = member @ (self.usual(minute, surges) * margin)
        return Judged(minute.number, self.slices, member @ minute.observed, usual, self.spreads)

    def _season(self, minute: int) -> Numbers:
        at = start_of(minute)
        row: Numbers = seasons([at], self.learning.zone, self.history)[0]
        return row

    def _effect(self, cell: Cell, surges: Surges) -> float:
        named = zip(self.learning.dimensions, cell, strict=True)
        own = sum(self.of_values.get(value, 0.0) for value in named)
        channel = self._channel(cell)
        return own + self.of_surges.get(channel, 0.0) * surges.strong.get(channel, 0.0)

    def _channel(self, cell: Cell) -> str:
        return channel_of(self.learning.dimensions, cell)


def channel_of(dimensions: Sequence[str], cell: Cell) -> str:
    """Return the channel of a cell; empty if cells have none."""
    return cell[dimensions.index("channel")] if "channel" in dimensions else ""


def learn(counts: Counts, learning: Learning, strengths: Numbers) -> Rates:
    """Learn from past hours; `strengths` has the strength of the surge in each row of `counts`."""
    history = counts.hours[-1] - counts.hours[0] + timedelta(hours=1)
    values = _values(counts, learning)
    channels = sorted({channel_of(learning.dimensions, cell) for cell in counts.cells})
    season = seasons(counts.hours, learning.zone, history)
    first, kind_of = _kinds(counts, season, strengths)
    features = np.concatenate(
        [
            season[counts.hour_of[first]],
            _of_values(counts.cells, learning.dimensions, values)[counts.cell_of[first]],
            _of_surges(counts, learning.dimensions, channels, strengths, first),
        ],
        axis=1,
    )
    weights = _weights(counts)
    observed = summed(kind_of, weights * counts.observed, len(first))
    exposure = summed(kind_of, weights * counts.exposure, len(first))
    effects = fit(features, observed, exposure)
    slices = tuple(
        largest_slices(counts, learning.dimensions, learning.most_values, learning.least)
    )
    middle = counts.exposure * np.exp(features @ effects)[kind_of]
    at = len(effects) - len(values) - len(channels)
    of_values, of_surges = effects[at:][: len(values)], effects[at + len(values) :]
    return Rates(
        learning=learning,
        history=history,
        slices=slices,
        spreads=_spreads(counts, middle, slices, learning),
        of_season=effects[:at],
        of_values=dict(zip(values, map(float, of_values), strict=True)),
        of_surges=dict(zip(channels, map(float, of_surges), strict=True)),
    )


def _kinds(counts: Counts, season: Numbers, strengths: Numbers) -> tuple[Places, Places]:
    """Return the first row of each kind, and the kind of each row.

    Rows of a kind have the same features: the same time of the week, the same cell, and no surge.
    The sum of their counts says as much as the rows, so the fit of a long history stays small.
    """
    _, time_of = np.unique(season, axis=0, return_inverse=True)
    kinds = time_of.ravel()[counts.hour_of] * len(counts.cells) + counts.cell_of
    own = -1 - np.arange(len(kinds))
    _, first, kind_of = np.unique(
        np.where(strengths == 0, kinds, own), return_index=True, return_inverse=True
    )
    return first, kind_of.ravel()


def _weights(counts: Counts) -> Numbers:
    """Give each row a weight that halves with every week before the last hour."""
    ages = np.array([(counts.hours[-1] - hour) / timedelta(hours=1) for hour in counts.hours])
    weights: Numbers = 0.5 ** (ages / _HALF_LIFE_HOURS)
    return weights[counts.hour_of]


def _values(counts: Counts, learning: Learning) -> list[tuple[str, str]]:
    """Return the values with an effect of their own: the largest of each dimension."""
    slices = largest_slices(counts, learning.dimensions, 2 * learning.most_values, 1)
    return [(slice_.dimension, slice_.value) for slice_ in slices[1:]]


def _of_values(
    cells: Sequence[Cell], dimensions: Sequence[str], values: Sequence[tuple[str, str]]
) -> Numbers:
    return members([Slice(*value) for value in values], dimensions, cells).T


def _of_surges(
    counts: Counts,
    dimensions: Sequence[str],
    channels: Sequence[str],
    strengths: Numbers,
    rows: Places,
) -> Numbers:
    of_cell = np.array([channels.index(channel_of(dimensions, cell)) for cell in counts.cells])
    return np.eye(len(channels))[of_cell[counts.cell_of[rows]]] * strengths[rows, None]


def _spreads(
    counts: Counts, middle: Numbers, slices: Sequence[Slice], learning: Learning
) -> Numbers:
    """Return how far the hours of each slice differ from the usual beyond chance.

    The variance of an hour is its usual number (chance), plus a share of the square of that number.
    """
    member = members(slices, learning.dimensions, counts.cells)
    weights, found = _weights(counts), []
    for row in member:
        inside = row[counts.cell_of] > 0
        seen = _by_hour(counts, counts.observed * inside)
        usual = _by_hour(counts, middle * inside)
        weight = np.zeros(len(counts.hours))
        weight[counts.hour_of] = weights
        beyond = weight @ ((seen - usual) ** 2 - usual) / max(float(weight @ usual**2), 1e-9)
        found.append(
            max(float(beyond), 0.0) + 1 / max(float(weights @ (counts.observed * inside)), 1.0)
        )
    return np.clip(np.sqrt(found), *learning.spreads)


def _by_hour(counts: Counts, numbers: Numbers) -> Numbers:
    return summed(counts.hour_of, numbers, len(counts.hours))
