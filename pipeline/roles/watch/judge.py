"""PURE: opens an alert when the evidence is strong enough, keeps it up to date, and ends it.

A judge answers one question about a site, such as: do fewer people than usual go from this step to
the next? It gets one minute after the other, in order. It keeps its state in `Memory`, which can be
stored.
"""

from dataclasses import dataclass, replace
from math import exp, log
from typing import NamedTuple

import numpy as np

from pipeline.roles.watch.ages import Numbers
from pipeline.roles.watch.counts import Slice
from pipeline.roles.watch.evidence import (
    Evidence,
    add,
    by_slice,
    forget,
    no_evidence,
    of_all,
    shares,
)

TEN_DAYS = 10 * 24 * 60
_RECOVERED = 7.0
"""An alert is over when this many nats favour the usual: a chance of one in a thousand."""
_IDLE = 60
"""An alert is over after this many minutes at which usually nobody comes: the shop has closed."""
_NEWS = 10
"""An open alert is sent again at most every this many minutes."""
_ONE_IN = 30 * 24 * 60
"""Certainty assumes that such a change happens once in this many minutes (Shiryaev's posterior)."""
_DEEPEST, _FLATTEST = 0.05, 0.8


class Bar(NamedTuple):
    """What an alert needs: one false alert in `between` minutes over `questions` like this.

    At least `people` must be missing, or too many, and the change must be at least `change`.
    """

    between: float = TEN_DAYS
    questions: int = 1
    people: float = 5.0
    change: float = 0.1


class Judged(NamedTuple):
    """What was observed in each slice, what is usual, and whether usually nobody comes.

    The first slice is everywhere. `spreads` say how far hours differ from the usual beyond chance.
    """

    number: int
    slices: tuple[Slice, ...]
    observed: Numbers
    usual: Numbers
    spreads: Numbers
    is_idle: bool = False


class Share(NamedTuple):
    """A slice, and its share of the evidence."""

    dimension: str
    value: str
    share: float


class Opened(NamedTuple):
    """An alert as the judge sees it; all minutes are numbers since 1970.

    `at` is the minute that opened it, `since` its likeliest beginning, and `told` the last minute
    in which it was reported. `back` is the evidence that it is over, and `idle` the number of
    minutes without anybody.
    """

    at: int
    since: int
    told: int
    until: int
    explained: tuple[Share, ...]
    observed: float
    expected: float
    certainty: float
    back: float = 0.0
    idle: int = 0
    is_over: bool = False
    version: int = 1

    @property
    def where(self) -> Slice:
        """The likeliest slice."""
        return Slice(self.explained[0].dimension, self.explained[0].value)

    @property
    def change(self) -> float:
        """The relative change: -0.5 is half of the usual, 2 is three times the usual."""
        return self.observed / self.expected - 1 if self.expected else 0.0


@dataclass(frozen=True)
class Memory:
    """What a judge remembers: the last minute, the evidence of its slices, and what is open."""

    minute: int
    slices: tuple[Slice, ...]
    evidence: Evidence
    opened: Opened | None = None


def judge(
    memory: Memory | None, minute: Judged, ratios: Numbers, bar: Bar, *, may_open: bool = True
) -> tuple[Memory, Opened | None]:
    """Add a minute; also return the alert if it is new or has changed."""
    memory = _fitting(memory, minute, ratios)
    evidence = add(
        memory.evidence, ratios, minute.observed, minute.usual, minute.spreads, minute.number
    )
    memory = replace(memory, minute=minute.number, evidence=evidence)
    if memory.opened is not None:
        return _go_on(memory, memory.opened, minute)
    if not may_open:  # another alert covers it; this one must not open when that ends
        return replace(memory, evidence=forget(evidence)), None
    if of_all(evidence) < log(bar.between * bar.questions):
        return memory, None
    opened = _open(memory, minute.number)
    too_many = (opened.observed - opened.expected) * (1 if ratios[0] > 1 else -1)
    if too_many < bar.people or too_many < bar.change * opened.expected:
        return memory, None
    return replace(memory, opened=opened), opened


def _open(memory: Memory, minute: int) -> Opened:
    evidence = memory.evidence
    best = explained(memory)
    at = memory.slices.index(Slice(best[0].dimension, best[0].value))
    size = int(evidence.log_r[:, at].argmax())
    return Opened(
        at=minute,
        since=int(evidence.since[size, at]),
        told=minute,
        until=minute,
        explained=best,
        observed=float(evidence.seen[size, at]),
        expected=float(evidence.usual[size, at]),
        certainty=1 / (1 + _ONE_IN * exp(-float(by_slice(evidence)[at]))),
    )


def explained(memory: Memory) -> tuple[Share, ...]:
    """Return the three slices that explain it best."""
    each = shares(memory.evidence)
    weights = np.exp(each - np.logaddexp.reduce(each))
    ranked = sorted(zip(memory.slices, weights, strict=True), key=lambda item: -item[1])
    return tuple(Share(*slice_, round(float(share), 4)) for slice_, share in ranked[:3])


def _go_on(memory: Memory, opened: Opened, minute: Judged) -> tuple[Memory, Opened | None]:
    now = _updated(opened, minute)
    if now.back >= _RECOVERED or now.idle >= _IDLE:
        over = now._replace(is_over=True, version=now.version + 1, told=minute.number)
        return replace(memory, opened=None, evidence=forget(memory.evidence)), over
    is_news = minute.number - opened.told >= _NEWS and abs(now.observed - now.expected) > 0
    if is_news:
        now = _explained_anew(memory, now)._replace(told=minute.number, version=now.version + 1)
    return replace(memory, opened=now), now if is_news else None


def _explained_anew(memory: Memory, opened: Opened) -> Opened:
    """Update the slices that explain it best; the numbers are those of the first slice."""
    now = _open(memory, opened.until)
    if now.explained[0][:2] == opened.explained[0][:2]:
        return opened._replace(explained=now.explained, certainty=now.certainty)
    return opened._replace(
        explained=now.explained,
        certainty=now.certainty,
        observed=now.observed,
        expected=now.expected,
    )


def _updated(opened: Opened, minute: Judged) -> Opened:
    """Add a minute to an open alert: what is missing, and whether the usual is back."""
    at = minute.slices.index(opened.where) if opened.where in minute.slices else 0
    observed, usual = float(minute.observed[at]), float(minute.usual[at])
    ratio = _far_enough(opened.change)
    nats = observed * log(ratio) - usual * (ratio - 1)
    return opened._replace(
        until=minute.number,
        observed=opened.observed + observed,
        expected=opened.expected + usual,
        back=max(0.0, opened.back - nats),
        idle=opened.idle + 1 if minute.is_idle and not observed else 0,
    )


def _far_enough(change: float) -> float:
    """Return the ratio to test against the usual; one too close to 1 would never decide."""
    if change > 0:
        return max(1 + change, 1 / _FLATTEST)
    return float(np.clip(1 + change, _DEEPEST, _FLATTEST))


def _fitting(memory: Memory | None, minute: Judged, ratios: Numbers) -> Memory:
    """Return the memory for the slices of this minute; new slices start without evidence."""
    fresh = no_evidence(ratios, len(minute.slices))
    if memory is None:
        return Memory(minute.number, minute.slices, fresh)
    if memory.slices == minute.slices:
        return memory
    places = [
        (memory.slices.index(slice_), place)
        for place, slice_ in enumerate(minute.slices)
        if slice_ in memory.slices
    ]
    for old, new in places:
        for name in vars(fresh):
            getattr(fresh, name)[:, new] = getattr(memory.evidence, name)[:, old]
    return replace(memory, slices=minute.slices, evidence=fresh)
