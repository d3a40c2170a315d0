"""PURE: all questions about one site: learns what is usual, then judges minute by minute."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.roles.watch.ages import Numbers
from pipeline.roles.watch.counts import Counted, Counts, summed
from pipeline.roles.watch.evidence import FALLS, GONE, RISES
from pipeline.roles.watch.judge import Bar, Judged, Memory, Opened, judge
from pipeline.roles.watch.minutes import hours_of_week, start_of
from pipeline.roles.watch.rates import Learning, Rates, channel_of, learn
from pipeline.roles.watch.seen import (
    DIMENSIONS,
    OF_ERRORS,
    SURGE_MINUTES,
    People,
    Seen,
    Span,
    by_channel,
    conversions,
    entries,
    waiting,
)
from pipeline.roles.watch.surges import CALM, Surges, strength, surges, usual_traffic
from pipeline.roles.watch.volumes import Volumes, learn_volumes
from schemas.watch import Kind, WatchRules
from schemas.watch import Question as Asked

LEAST_HISTORY = timedelta(hours=6)
"""With less history, nothing is judged."""
_FEW, _FEW_OF_A_SOURCE = 50, 100
_SPREAD_OF_A_SPECIAL_TIME = 0.2
_IDLE_BELOW = 0.05
"""With fewer entries a minute than this, the shop counts as closed."""
_LEFT_AFTER = (60, 30)
"""A person who abandons now was at the step at most and at least this many minutes ago."""
_STEP_OF = {"browse": 1, "cart": 2, "checkout": 3}
_RATIOS: dict[Kind, Numbers] = {
    "conversion": FALLS,
    "volume": FALLS,
    "silence": GONE,
    "abandonment": RISES,
    "errors": RISES,
}


class Question(NamedTuple):
    """What is asked: about a step, the way to the next step, a channel, or an error."""

    kind: Kind
    step: str
    next_step: str = ""


class News(NamedTuple):
    """News about an alert; `notes` name a special time, such as a holiday."""

    question: Question
    asked: Asked
    opened: Opened
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Usual:
    """What was learned about a site: what is usual for each question, and in each channel."""

    site: str
    hours: int
    channels: tuple[str, ...]
    traffic: Numbers
    hazards: Mapping[int, Numbers]
    rates: Mapping[Question, Rates]
    volumes: Mapping[Question, Volumes]


def learn_site(site: str, span: Span, seen: Seen, steps: Sequence[str], rules: WatchRules) -> Usual:
    """Learn from the hours of `span`."""
    channels = tuple(sorted({channel_of(DIMENSIONS, cell) for cell in seen.people.cells}))
    first = by_channel(seen.people.of(1), channels, span.first, span.end - span.first)
    hours = hours_of_week(np.arange(span.first, span.end))
    traffic = usual_traffic(hours, first)
    strong = strength(first, traffic[:, hours] * 60)
    zone = ZoneInfo(rules.time_zone)
    learning = Learning(
        dimensions=DIMENSIONS, zone=zone, most_values=rules.values_of_a_slice, least=_FEW
    )
    hazards, rates = _conversions(span, seen, steps, learning, channels, strong)
    rates |= _errors(span, seen, rules, learning) | _abandonments(span, seen, steps, learning)
    return Usual(
        site=site,
        hours=span.end - span.first,
        channels=channels,
        traffic=traffic,
        hazards=hazards,
        rates=rates,
        volumes=_volumes(span, seen, steps, learning),
    )


def _conversions(
    span: Span,
    seen: Seen,
    steps: Sequence[str],
    learning: Learning,
    channels: Sequence[str],
    strong: Numbers,
) -> tuple[dict[int, Numbers], dict[Question, Rates]]:
    hazards: dict[int, Numbers] = {}
    rates: dict[Question, Rates] = {}
    for pair, (step, following) in enumerate(pairwise(steps), 1):
        people = seen.people.of(pair)
        if not (people.age >= 0).any():
            continue
        hazards[pair], counts = conversions(span, people)
        of_cell = np.array([channels.index(channel_of(DIMENSIONS, c)) for c in counts.cells])
        strengths = strong[of_cell[counts.cell_of], counts.hour_of]
        rates[Question("conversion", step, following)] = learn(counts, learning, strengths)
    return hazards, rates


def _errors(span: Span, seen: Seen, rules: WatchRules, learning: Learning) -> dict[Question, Rates]:
    found = {}
    learning = Learning(**{**vars(learning), "dimensions": OF_ERRORS})
    counts = entries(span, seen.errors.cells, seen.errors.time, seen.errors.people)
    for place, error in enumerate(rules.errors):
        met = entries(span, seen.errors.cells, seen.errors.time, seen.errors.errors[:, place])
        of_error = counts._replace(observed=met.observed, exposure=counts.observed)
        if met.observed.sum() and len(met.observed):
            calm = np.zeros(len(met.observed))
            found[Question("errors", error)] = learn(of_error, learning, calm)
    return found


def _abandonments(
    span: Span, seen: Seen, steps: Sequence[str], learning: Learning
) -> dict[Question, Rates]:
    found = {}
    learning = Learning(**{**vars(learning), "dimensions": ()})
    for kind, pair in _STEP_OF.items():
        left, came = seen.abandonments.of(kind), seen.people.of(pair)
        if pair > len(steps) or not len(left.time):
            continue
        total = summed(left.time - span.first, left.people, span.end - span.first)
        there = summed(came.time - span.first, came.people, span.end - span.first)
        exposure = (there + np.concatenate([[0.0], there[:-1]])) / 2
        hours = np.arange(len(total))
        zeros = np.zeros(len(total), dtype=np.int64)
        counts = Counts(span.hours, [()], hours, zeros, total, exposure)
        found[Question("abandonment", kind)] = learn(counts, learning, np.zeros(len(total)))
    return found


def _volumes(
    span: Span, seen: Seen, steps: Sequence[str], learning: Learning
) -> dict[Question, Volumes]:
    found = {}
    for pair, step in enumerate(steps, 1):
        people = seen.people.of(pair)
        if len(people.time):
            counts = entries(span, people.cells, people.time, people.people)
            found[Question("volume", step)] = learn_volumes(counts, learning)
    of_source = Learning(dimensions=("channel",), zone=learning.zone, most_values=1, least=1)
    for name in sorted(set(seen.sources.names)):
        source = seen.sources.of(name)
        if name and source.people.sum() >= _FEW_OF_A_SOURCE:
            cells = [(name,)] * len(source.time)
            counts = entries(span, cells, source.time, source.people)
            found[Question("silence", name)] = learn_volumes(counts, of_source)
    return found


def asked_about(usual: Usual, rules: WatchRules) -> list[Question]:
    """Give what is asked about a site: what the rules want, and enough people came for."""
    return [q for q in (*usual.rates, *usual.volumes) if _asked(q, rules)]


def judge_minute(
    usual: Usual,
    seen: Seen,
    minute: int,
    memories: dict[Question, Memory],
    rules: WatchRules,
    steps: Sequence[str],
) -> list[News]:
    """Judge a minute; `seen` has it and the three hours before. Updates `memories`."""
    at = start_of(minute)
    notes = tuple(p.name for p in rules.calendar if p.covers(usual.site, at))
    news = []
    questions = asked_about(usual, rules)
    for question in questions:
        asked = _asked(question, rules)
        judged = _judged(usual, seen, minute, question, steps)
        if asked is None or judged is None:
            continue
        judged = _at_a_special_time(judged, question, usual.site, at, rules)
        bar = Bar(rules.false_alert_every_days * 1440, len(questions), asked.people, asked.change)
        memories[question], opened = judge(
            memories.get(question),
            judged,
            _RATIOS[question.kind],
            bar,
            may_open=not _is_explained(question, memories, steps),
        )
        if opened:
            news.append(News(question, asked, opened, notes))
    return news


def _asked(question: Question, rules: WatchRules) -> Asked | None:
    return next(
        (
            a
            for a in rules.questions
            if a.kind == question.kind and (not a.of or question.step in a.of)
        ),
        None,
    )


def _is_explained(
    question: Question, memories: Mapping[Question, Memory], steps: Sequence[str]
) -> bool:
    """Tell whether an alert of an earlier step explains it: without a checkout, nobody orders."""
    if question.kind not in ("volume", "abandonment"):
        return False
    open_steps = [
        q.step for q, m in memories.items() if m.opened and q.kind in ("conversion", "volume")
    ]
    if question.kind == "abandonment":
        return bool(open_steps)
    return any(steps.index(step) < steps.index(question.step) for step in open_steps)


def _at_a_special_time(
    judged: Judged, question: Question, site: str, at: datetime, rules: WatchRules
) -> Judged:
    kinds = {p.kind for p in rules.calendar if p.covers(site, at)}
    if not kinds:
        return judged
    if question.kind in ("volume", "silence") and kinds & {"holiday", "closed"}:
        return judged._replace(usual=judged.usual * 0, is_idle="closed" in kinds)
    wider = np.maximum(judged.spreads, _SPREAD_OF_A_SPECIAL_TIME)
    return judged._replace(spreads=wider, is_idle=judged.is_idle or "closed" in kinds)


def _judged(
    usual: Usual, seen: Seen, minute: int, question: Question, steps: Sequence[str]
) -> Judged | None:
    is_rise = question.kind in ("abandonment", "errors")
    if question.kind == "silence":
        source = seen.sources.of(question.step)
        number = np.array([source.people[source.time == minute].sum()])
        judged = usual.volumes[question].in_slices(minute, [(question.step,)], number)
        return judged._replace(is_idle=not judged.usual.any())
    if question.kind == "volume":
        people = seen.people.of(steps.index(question.step) + 1)
        people = people.where(people.time == minute)
        judged = usual.volumes[question].in_slices(minute, people.cells, people.people)
        return judged._replace(is_idle=not judged.usual.any())
    counted = _counted(usual, seen, minute, question, steps)
    if counted is None:
        return None
    felt = _surges(usual, seen.people, minute) if question.kind == "conversion" else CALM
    judged = usual.rates[question].in_slices(counted, felt, is_rise=is_rise)
    return judged._replace(is_idle=_is_idle(usual, minute, steps))


def _counted(
    usual: Usual, seen: Seen, minute: int, question: Question, steps: Sequence[str]
) -> Counted | None:
    if question.kind == "conversion":
        pair = steps.index(question.step) + 1
        return waiting(seen.people.of(pair), minute, usual.hazards[pair])
    if question.kind == "abandonment":
        most, least = (minute - ago for ago in _LEFT_AFTER)
        came = seen.people.of(_STEP_OF[question.step])
        there = came.people[(came.time >= most) & (came.time < least)].sum() / (least - most)
        left = seen.abandonments.of(question.step)
        number = left.people[left.time == minute].sum()
        return Counted(minute, [()], np.array([number]), np.array([there]))
    errors, at = seen.errors, seen.errors.time == minute
    place = [q.step for q in usual.rates if q.kind == "errors"].index(question.step)
    cells = [cell for cell, is_now in zip(errors.cells, at, strict=True) if is_now]
    return Counted(minute, cells, errors.errors[at, place], errors.people[at])


def _is_idle(usual: Usual, minute: int, steps: Sequence[str]) -> bool:
    """Tell whether usually hardly anybody comes at this minute of the week."""
    volumes = usual.volumes.get(Question("volume", steps[0]))
    return volumes is not None and float(volumes.usual(minute)[0]) < _IDLE_BELOW


def _surges(usual: Usual, people: People, minute: int) -> Surges:
    start = minute - SURGE_MINUTES + 1
    came = by_channel(people.of(1), usual.channels, start, SURGE_MINUTES)
    hours = hours_of_week(np.arange(start, minute + 1) // 60)
    return surges(usual.channels, came, usual.traffic[:, hours])


def open_alerts(memories: Mapping[Question, Memory]) -> Iterator[tuple[Question, Opened]]:
    """Yield the open alerts with their questions."""
    for question, memory in memories.items():
        if memory.opened:
            yield question, memory.opened
