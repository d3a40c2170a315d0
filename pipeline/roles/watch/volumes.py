"""PURE: usual volumes: how many people come at this hour of this weekday.

Shops close, and stores have Sundays: past hours are taken as they were, not smoothed. A volume is
judged only after this hour of this weekday was seen once: before, the shop might be closed. A
minute is compared with the lowest of its own hour, the hour before and the hour after, because of
openings and closings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np

from pipeline.roles.watch.ages import Numbers
from pipeline.roles.watch.counts import Counts, Places, Slice, largest_slices, members
from pipeline.roles.watch.judge import Judged
from pipeline.roles.watch.minutes import start_of
from pipeline.roles.watch.rates import Learning

_HOURS = 7 * 24
_SPREADS = (0.1, 0.3)
_HALF_LIFE_WEEKS = 2.0


@dataclass(frozen=True, kw_only=True)
class Volumes:
    """Usual numbers a minute, for slices × hours of the week; nan: that hour was never seen."""

    slices: tuple[Slice, ...]
    dimensions: tuple[str, ...]
    zone: tzinfo
    by_hour: Numbers
    spreads: Numbers

    def usual(self, minute: int) -> Numbers:
        """Return the usual number of each slice in a minute; 0 if it is not known."""
        local = start_of(minute).astimezone(self.zone)
        hour = local.weekday() * 24 + local.hour
        near = self.by_hour[:, [(hour - 1) % _HOURS, hour, (hour + 1) % _HOURS]]
        least: Numbers = np.where(np.isnan(near[:, 1]), 0.0, np.nanmin(_known(near), axis=1))
        return least

    def in_slices(self, number: int, cells: Sequence[tuple[str, ...]], seen: Numbers) -> Judged:
        """Return the observed and the usual number of each slice."""
        observed = members(self.slices, self.dimensions, cells) @ seen if cells else 0.0
        usual = self.usual(number)
        return Judged(number, self.slices, observed + np.zeros(len(usual)), usual, self.spreads)


def _known(near: Numbers) -> Numbers:
    """Put 0 where the hour itself is not known: then the result is unknown."""
    return np.where(np.isnan(near[:, 1:2]), 0.0, near)


def learn_volumes(counts: Counts, learning: Learning) -> Volumes:
    """Learn from whole past hours; an hour without a row had no people."""
    slices = tuple(
        largest_slices(counts, learning.dimensions, learning.most_values, learning.least)
    )
    member = members(slices, learning.dimensions, counts.cells)
    totals = np.zeros((len(slices), len(counts.hours)))
    np.add.at(totals.T, counts.hour_of, (member[:, counts.cell_of] * counts.observed).T)
    places = np.array([_of_week(hour, learning.zone) for hour in counts.hours])
    by_hour = _means(totals, places)
    usual = by_hour[:, places] * 60
    excess = ((totals - usual) ** 2 - usual).sum(axis=1) / np.maximum((usual**2).sum(axis=1), 1)
    return Volumes(
        slices=slices,
        dimensions=learning.dimensions,
        zone=learning.zone,
        by_hour=by_hour,
        spreads=np.clip(np.sqrt(np.maximum(excess, 0)), *_SPREADS),
    )


def _of_week(hour: datetime, zone: tzinfo) -> int:
    local = hour.astimezone(zone)
    return local.weekday() * 24 + local.hour


def _means(totals: Numbers, places: Places) -> Numbers:
    """Return the mean a minute of each hour of the week; newer weeks weigh more."""
    weeks = (len(places) - 1 - np.arange(len(places))) // _HOURS
    weights = 0.5 ** (weeks / _HALF_LIFE_WEEKS)
    sums, weight = np.zeros((len(totals), _HOURS)), np.zeros(_HOURS)
    np.add.at(sums.T, places, (totals * weights).T)
    np.add.at(weight, places, weights)
    return np.divide(sums, weight * 60, out=np.full(sums.shape, np.nan), where=weight > 0)
