"""PURE: the incremental fold: it keeps a state up to date and retracts refuted facts."""

from collections.abc import Collection
from itertools import accumulate, pairwise

from msgspec import structs

from pipeline.journey import abandonment, crowd
from pipeline.journey.facts import Facts
from pipeline.journey.fold import judge_silence, step
from pipeline.journey.rules import Rules
from pipeline.journey.state import (
    Cursor,
    Evidence,
    Mark,
    Memory,
    PersonState,
    Place,
    Remembered,
    VisitorState,
    append,
    cut,
    pack_cursor,
    recall,
    remember,
    unpack_cursor,
)
from schemas.times import DAY_MS

_BETWEEN_MARKS = 16
_SEALED_AT_ONCE = 30
"""Evidence is sealed once a thirtieth of its retention is due: each time all of it is read."""


def observe(state: Remembered, arriving: Collection[Evidence], now: int, facts: Facts) -> None:
    """Add new touchpoints to `state`, all of them together; `now` is the log's time for the site.

    New and changed facts are collected in `facts`; refuted ones too, marked as deleted.
    """
    in_order = sorted(arriving, key=Evidence.place)
    if _is_next(state, in_order[0].place()):
        for seen in in_order:
            _follow(state, seen, facts)
    else:
        _insert(state, in_order, now, facts)


def repeated(state: Remembered, first: Place) -> int:
    """Count the touchpoints that would be folded again if one came at the place `first`."""
    if _is_next(state, first):
        return 0
    before = (mark.count for mark in reversed(state.marks) if mark.newest < first)
    return state.count - next(before, 0)


def _is_next(state: Remembered, place: Place) -> bool:
    """Tell whether `place` is after all evidence, and after the silence that was judged."""
    return place[0] > state.head.settled_at and place > state.newest


def _follow(state: Remembered, seen: Evidence, facts: Facts) -> None:
    append(state, seen)
    state.head = step(state.head, seen, facts)
    _mark(state)


def _insert(state: Remembered, arriving: list[Evidence], now: int, facts: Facts) -> None:
    """Fold again from the last mark before the new touchpoints."""
    first = arriving[0].place()
    while state.marks and state.marks[-1].newest >= first:
        state.marks.pop()
    start = state.marks[-1] if state.marks else None
    before = recall(state, start)
    refuted = _said(state, start, before, facts)
    cut(state, start)
    true = _begin(state, start, facts)
    for seen in sorted([*before, *arriving], key=Evidence.place):
        _follow(state, seen, true)
    judge_silence(state.head, now, true)
    facts.rewrite(refuted, true)


def rewrite(
    state: Remembered, left: list[Evidence], now: int, facts: Facts, base: Cursor | None = None
) -> None:
    """Make `left`, in order of time, the whole evidence of `state`; perhaps with another base."""
    refuted = _said(state, None, recall(state), facts)
    if base is not None:
        state.base = pack_cursor(base)
    _fold_all(state, left, now, facts, refuted)


def reassign(state: VisitorState, person: str, now: int, facts: Facts) -> None:
    """Make the visitor part of `person`, or a person of its own again (empty).

    Its sessions are written again with the new person; its journey is retracted or restored.
    """
    evidence = recall(state)
    refuted = _said(state, None, evidence, facts)
    state.person = person
    facts.belong_to(person)
    _fold_all(state, evidence, now, facts, refuted)


def _fold_all(
    state: Remembered, evidence: list[Evidence], now: int, facts: Facts, refuted: Facts
) -> None:
    state.marks.clear()
    remember(state, [])
    true = _begin(state, None, facts)
    for seen in evidence:
        _follow(state, seen, true)
    judge_silence(state.head, now, true)
    facts.rewrite(refuted, true)


def _said(state: Remembered, start: Mark | None, evidence: list[Evidence], facts: Facts) -> Facts:
    """Give the facts of `evidence`, which is everything after `start`."""
    fresh = _unsaid(facts)
    cursor = _cursor_at(state, start, fresh)
    for seen in evidence:
        cursor = step(cursor, seen, fresh)
    judge_silence(cursor, state.head.settled_at + 1, fresh)
    return fresh


def _begin(state: Remembered, start: Mark | None, facts: Facts) -> Facts:
    """Reset the head to `start`; give the facts from before it that may still be refuted."""
    fresh = _unsaid(facts)
    state.head = _cursor_at(state, start, fresh)
    return fresh


def _cursor_at(state: Remembered, start: Mark | None, facts: Facts) -> Cursor:
    cursor = unpack_cursor(start.cursor if start else state.base)
    for stake in cursor.lost:
        facts.add_abandonment(stake)  # its recovery may be refuted, the loss itself may not
    return cursor


def _unsaid(facts: Facts) -> Facts:
    return structs.replace(facts, open_sessions={}, rows={})


def _mark(state: Remembered) -> None:
    """Mark the position of the fold every so often; the older the marks, the fewer are kept.

    A mark is dropped if the one before it is less than twice as far from the end as the one after
    it. So a late touchpoint makes the fold repeat at most twice the distance by which it is late.
    """
    marks, count, size = state.marks, state.count, len(state.evidence)
    if count % _BETWEEN_MARKS:
        return
    cursor = pack_cursor(state.head)
    if size - (marks[-1].size if marks else 0) < 4 * len(bytes(cursor)):
        return  # it would not be worth its room
    marks.append(Mark(count, size, state.newest, cursor))
    kept = marks[:1]
    for mark, after in pairwise(marks[1:]):
        if count - kept[-1].count > 2 * (count - after.count):
            kept.append(mark)
    state.marks = [*kept, *marks[1:][-1:]]


def settle(state: Memory, now: int, facts: Facts) -> None:
    """Judge the silence up to `now`."""
    judge_silence(state.head, now, facts)


def seal(state: Remembered, horizon: int, facts: Facts, *, by_age: bool = True) -> None:
    """Fold evidence beyond its retention, or of a crowd, into the base irrevocably."""
    retention = facts.rules.evidence_retention_ms
    kept_from = horizon - retention if by_age else 0
    is_old = 0 < state.oldest_at < kept_from - retention // _SEALED_AT_ONCE
    is_all_old = 0 < state.newest[0] < kept_from
    surplus = _surplus(state) if isinstance(state, PersonState) else 0
    if not (is_old or is_all_old or surplus or 0 < state.oldest_at <= state.sealed_to):
        return
    evidence = recall(state)
    sealed_to = max(kept_from - 1, state.sealed_to)
    count = max(surplus, sum(seen.at <= sealed_to for seen in evidence))
    _seal(state, evidence, count, facts)
    if not state.count and state.head.settled_at < kept_from:
        state.base = pack_cursor(state.head)


def _surplus(state: PersonState) -> int:
    """Count the evidence beyond what may be kept of a person; no single visitor is a crowd."""
    if len(state.evidence) <= crowd.MOST:
        return 0
    weights = [crowd.weight(seen) for seen in recall(state)]
    return len(weights) - sum(total <= crowd.MOST // 2 for total in accumulate(weights[::-1]))


def _seal(state: Remembered, evidence: list[Evidence], count: int, facts: Facts) -> None:
    start = next((mark for mark in reversed(state.marks) if mark.count <= count), None)
    base = unpack_cursor(start.cursor if start else state.base)
    unheard = _unsaid(facts)
    for seen in evidence[start.count if start else 0 : count]:
        base = step(base, seen, unheard)
    state.base = pack_cursor(base)
    state.sealed_to = max(state.sealed_to, evidence[count - 1].at)
    size = len(state.evidence)
    remember(state, evidence[count:])
    size -= len(state.evidence)
    state.marks = [
        structs.replace(mark, count=mark.count - count, size=mark.size - size)
        for mark in state.marks
        if mark.count > count
    ]


def is_late(at: int, horizon: int, rules: Rules) -> bool:
    """Tell whether a touchpoint with the time `at` is too late to be sessionised."""
    return at < horizon - rules.allowed_lateness_ms


def next_deadline(state: Memory, rules: Rules, silence: int = 0) -> int:
    """Give the time at which silence will next decide something about a visitor or person.

    Forgetting waits longer than deadlines: the horizon lags the site's time by the length of the
    `silence`.
    """
    due = abandonment.deadline(state.head, rules.abandonment)
    if not state.count:
        return due or forgotten_at(state, rules) + silence
    if isinstance(state, PersonState):  # which is sealed when it is woken alone
        sealable = state.oldest_at + rules.evidence_retention_ms + DAY_MS
    else:
        sealable = state.newest[0] + rules.evidence_retention_ms
    return min(due, sealable + silence) if due else sealable + silence


def forgotten_at(state: Memory, rules: Rules) -> int:
    """Give the time after which nothing about a visitor or person can matter any more.

    An open stake may be due even later.
    """
    head = state.head
    is_linked = isinstance(state, PersonState) or (isinstance(state, VisitorState) and state.person)
    is_kept = is_linked or head.orders
    kept = rules.customer_timeout_ms if is_kept else rules.journey_timeout_ms
    over = max(head.last_at + kept, state.kept_from + kept, head.settled_at)
    return over + rules.allowed_lateness_ms


def is_over(state: Memory, horizon: int, rules: Rules) -> bool:
    """Tell whether a visitor or person may be forgotten; due stakes must have been judged."""
    if forgotten_at(state, rules) >= horizon:
        return False
    return abandonment.deadline(state.head, rules.abandonment) is None
