"""Shops are lived through and judged by the product's own code, minute by minute."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from pipeline.roles.watch.ages import Numbers, hazards, waiting_minutes
from pipeline.roles.watch.counts import Counted, Counts, Slice
from pipeline.roles.watch.evidence import FALLS
from pipeline.roles.watch.judge import Bar, Memory, judge
from pipeline.roles.watch.rates import Learning, Rates, learn
from pipeline.roles.watch.surges import LASTS, Surges, strength, surges, usual_traffic
from tests.bench.watch.limit import divergence, limit
from tests.bench.watch.traffic import (
    DAY,
    MONDAY,
    WEEK,
    Fault,
    Noise,
    Shop,
    Step,
    live,
    rates,
    share_of,
    time_of,
)

_LEARNED_WEEKS = 4
_BEFORE = 6 * 60
"""Minutes that are lived through before a fault."""
_FIRST = int(MONDAY.timestamp()) // 60


@dataclass(frozen=True)
class Found:
    """An alert: minutes since the beginning, the step, the slice named first.

    One that is open and names another slice by now is told anew: `is_new` is false.
    """

    minute: int
    step: int
    where: Slice
    is_new: bool = True


@dataclass
class Lab:
    """A shop, its weather, and what was learned from its first weeks."""

    shop: Shop
    noise: Noise
    rng: Generator
    traffic: Numbers
    hazards: list[Numbers]
    rates: list[Rates]
    hourly: list[Numbers]
    """Of each step: conversion by slice and hour, for the detectors of others."""

    @property
    def slices(self) -> int:
        return sum(len(one.slices) for one in self.rates)


def lab(shop: Shop, weeks: int, seed: int) -> Lab:
    """Live through four weeks and learn; `weeks` more will have weather."""
    rng = np.random.default_rng(seed)
    noise = Noise(shop, _LEARNED_WEEKS + weeks + 1, rng)
    chunks = [live(shop, noise, week * WEEK, WEEK, rng) for week in range(_LEARNED_WEEKS)]
    first = np.concatenate([by_channel(shop, chunk[0].entries) for chunk in chunks], axis=1)
    by_hour = first.reshape(len(first), -1, 60).sum(axis=2)
    hours = np.arange(by_hour.shape[1]) % 168
    traffic = usual_traffic(hours, by_hour)
    strong = strength(by_hour, traffic[:, hours] * 60)
    known, learned, hourly = [], [], []
    for number in range(len(shop.shares)):
        entries, gone = _by_hour([chunk[number] for chunk in chunks])
        hazard = hazards(entries, gone)
        known.append(hazard)
        learned.append(_learn(shop, entries, gone, hazard, strong))
        hourly.append(shares(learned[-1].slices, shop, entries, gone))
    return Lab(shop, noise, rng, traffic, known, learned, hourly)


def by_channel(shop: Shop, entries: Numbers) -> Numbers:
    """Give channels × minutes of minutes × cells."""
    return entries.reshape(len(entries), len(shop.channels), -1).sum(axis=2).T


def _by_hour(steps: list[Step]) -> tuple[Numbers, Numbers]:
    entries = np.concatenate([step.entries for step in steps])
    cohort = np.concatenate([step.cohort for step in steps])
    cells = entries.shape[1]
    summed = cohort.reshape(-1, 60, cells, cohort.shape[2]).sum(axis=1).astype(float)
    return entries.reshape(-1, 60, cells).sum(axis=1)[:-2], summed[:-2]


def _learn(shop: Shop, entries: Numbers, gone: Numbers, hazard: Numbers, strong: Numbers) -> Rates:
    hours, cells = entries.shape
    exposure = waiting_minutes(entries, gone) @ hazard
    counts = Counts(
        [time_of(60 * hour) for hour in range(hours)],
        shop.cells,
        np.repeat(np.arange(hours), cells),
        np.tile(np.arange(cells), hours),
        gone.sum(axis=2).ravel(),
        exposure.ravel(),
    )
    of_channel = np.repeat(np.arange(len(shop.channels)), len(shop.browsers))
    strengths = strong[of_channel][:, :hours].T.ravel()
    return learn(counts, Learning(dimensions=("channel", "browser")), strengths)


def shares(slices: tuple[Slice, ...], shop: Shop, entries: Numbers, gone: Numbers) -> Numbers:
    """Give the conversion of slices × hours; nan where fewer than twenty came."""
    inside = np.array([shop.is_of(*slice_) for slice_ in slices]).astype(float)
    came, went = inside @ entries.T, inside @ gone.sum(axis=2).T
    return np.where(came >= 20, went / np.maximum(came, 1), np.nan)


def judged(here: Lab, steps: list[Step], start: int) -> Iterator[Found]:
    """Judge the minutes of `steps`, the first of which is `start`, by the product's code."""
    shop, bar = here.shop, Bar(questions=len(steps), people=5)
    came = by_channel(shop, steps[0].entries)
    hours = (np.arange(start, start + came.shape[1]) // 60) % 168
    usual = here.traffic[:, hours]
    memories: list[Memory | None] = [None] * len(steps)
    exposure = [step.waiting @ hazard for step, hazard in zip(steps, here.hazards, strict=True)]
    for minute in range(came.shape[1]):
        felt = _surges(shop, came, usual, minute)
        for number, step in enumerate(steps):
            counted = Counted(
                _FIRST + start + minute, shop.cells, step.gone[minute], exposure[number][minute]
            )
            seen = here.rates[number].in_slices(counted, felt)
            before = memories[number]
            memories[number], opened = judge(before, seen, FALLS, bar)
            was = before.opened if before else None
            if opened and not opened.is_over and (was is None or was.where != opened.where):
                yield Found(start + minute, number, opened.where, was is None)


def _surges(shop: Shop, came: Numbers, usual: Numbers, minute: int) -> Surges:
    past = slice(max(0, minute - LASTS - 59), minute + 1)
    return surges(list(shop.channels), came[:, past], usual[:, past])


def quiet(here: Lab, week: int) -> tuple[list[Found], list[Step]]:
    """Live through a week in which nothing is wrong; give what fired all the same."""
    start = (_LEARNED_WEEKS + week) * WEEK
    steps = live(here.shop, here.noise, start, WEEK, here.rng)
    return [each for each in judged(here, steps, start) if each.is_new], steps


def faulty(here: Lab, fault: Fault) -> tuple[Found | None, list[Step]]:
    """Live through a fault for a day; give the first that is told after its beginning."""
    start = fault.start - _BEFORE
    steps = live(here.shop, here.noise, start, _BEFORE + DAY, here.rng, fault)
    found = (each for each in judged(here, steps, start) if each.minute >= fault.start)
    return next(found, None), steps


def limit_of(here: Lab, fault: Fault) -> float:
    """Give the limit for a fault, in minutes: from who usually comes then, and what is lost."""
    shop, times = here.shop, np.arange(fault.start, fault.start + DAY)
    visits, _ = rates(shop, times, here.noise)
    inside = shop.is_of(fault.dimension, fault.value)
    cells = range(len(shop.cells))
    came = visits * shop.viewing
    for step in range(fault.step):
        came = came * np.array([share_of(shop, step, cell) for cell in cells])
    came = came[:, inside]
    share = np.array([share_of(shop, fault.step, cell) for cell in cells])[inside]
    usual = (came * share).sum(axis=1) / came.sum(axis=1)
    lost = fault.depths(shop, times)[:, inside][:, 0]
    nats = [
        n * divergence(p * (1 - part), p)
        for n, p, part in zip(came.sum(axis=1), usual, lost, strict=True)
    ]
    return limit(np.array(nats), here.slices)
