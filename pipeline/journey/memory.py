"""PURE: the fold made incremental: it keeps a state up to date and takes refuted facts back."""

from itertools import accumulate

from msgspec import Raw, structs

from pipeline.journey import abandonment
from pipeline.journey.facts import Facts
from pipeline.journey.fold import judge_silence, step
from pipeline.journey.rules import Rules
from pipeline.journey.state import (
    Cursor,
    Evidence,
    Memory,
    PersonState,
    VisitorState,
    append,
    encode_evidence,
    pack_cursor,
    recall,
    remember,
    unpack_cursor,
)
from schemas.times import DAY_MS

EVIDENCE_CAP = 1000


EVIDENCE_BYTES_CAP = 256 * 1024
"""More evidence than this and the older half is sealed early, whatever its age: a state must fit
into a record of Kafka."""


def observe(state: Memory, seen: Evidence, now: int, facts: Facts) -> None:
    """Take one new touchpoint into `state`; `now` is the log's time for the site.

    New and changed facts gather in `facts`, and so do those that the touchpoint refutes, marked
    as deleted.
    """
    if seen.at > state.head.settled_at and seen.place() > state.newest:
        append(state, seen)
        state.head = step(state.head, seen, facts)
        return
    evidence = recall(state)
    rewrite(state, evidence, sorted([*evidence, seen], key=Evidence.place), now, facts)


def rewrite(
    state: Memory,
    before: list[Evidence],
    after: list[Evidence],
    now: int,
    facts: Facts,
    base: Cursor | None = None,
) -> None:
    """Replace the evidence `before` in `state` by `after`, both in time order; perhaps the base."""
    _, refuted = _refold(state.base, before, now, facts)
    if base is not None:
        state.base = pack_cursor(base)
    state.head, true = _refold(state.base, after, now, facts)
    remember(state, after)
    facts.rewrite(refuted.all(), true)


def reassign(state: VisitorState, person: str, now: int, facts: Facts) -> None:
    """Make the visitor part of `person`, or let it stand for itself again (empty).

    Its sessions are written again with the new person; its journey goes or comes back.
    """
    evidence = recall(state)
    _, refuted = _refold(state.base, evidence, now, facts)
    state.person = person
    facts.belong_to(person)
    state.head, true = _refold(state.base, evidence, now, facts)
    facts.rewrite(refuted.all(), true)


def _refold(base: Raw, evidence: list[Evidence], now: int, facts: Facts) -> tuple[Cursor, Facts]:
    fresh = structs.replace(facts, open_sessions={}, rows={})
    cursor = unpack_cursor(base)
    for stake in cursor.lost:
        fresh.add_abandonment(stake)  # its recovery may be refuted, the loss itself may not
    for seen in evidence:
        cursor = step(cursor, seen, fresh)
    judge_silence(cursor, now, fresh)
    return cursor, fresh


def settle(state: Memory, now: int, facts: Facts) -> None:
    """Judge the silence up to `now`."""
    judge_silence(state.head, now, facts)


def seal(state: Memory, horizon: int, facts: Facts, *, by_age: bool = True) -> None:
    """Fold evidence beyond its retention, or beyond the cap, into the base for good."""
    kept_from = horizon - facts.rules.evidence_retention_ms if by_age else 0
    count = _surplus(state)
    if not count and not 0 < state.oldest_at < kept_from:
        return
    evidence = recall(state)
    while count < len(evidence) and evidence[count].at < kept_from:
        count += 1
    unheard = structs.replace(facts, open_sessions={}, rows={})
    base = unpack_cursor(state.base)
    for seen in evidence[:count]:
        base = step(base, seen, unheard)
        state.sealed_to = seen.at
    remember(state, evidence[count:])
    is_settled = not state.count and state.head.settled_at < kept_from
    state.base = pack_cursor(state.head if is_settled else base)


def _surplus(state: Memory) -> int:
    if state.count <= EVIDENCE_CAP and len(state.evidence) <= EVIDENCE_BYTES_CAP:
        return 0
    sizes = [len(encode_evidence(seen)) for seen in recall(state)]
    totals = accumulate(reversed(sizes[-EVIDENCE_CAP // 2 :]))
    return len(sizes) - sum(total <= EVIDENCE_BYTES_CAP // 2 for total in totals)


def is_late(state: Memory, at: int, horizon: int, rules: Rules) -> bool:
    """Tell whether a touchpoint of time `at` comes too late to be sessionised."""
    return at < horizon - rules.allowed_lateness_ms or at <= state.sealed_to


def next_deadline(state: Memory, rules: Rules, silence: int = 0) -> int:
    """Give the time at which silence will next decide something about somebody.

    Memory waits longer than what is due: the horizon is the length of the `silence` behind the
    site's time.
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
    """Give the time after which nothing about somebody can matter any more.

    An open stake may be due later still.
    """
    head = state.head
    is_linked = isinstance(state, PersonState) or (isinstance(state, VisitorState) and state.person)
    is_kept = is_linked or head.orders
    kept = rules.customer_timeout_ms if is_kept else rules.journey_timeout_ms
    over = max(head.last_at + kept, state.kept_from + kept, head.settled_at)
    return over + rules.allowed_lateness_ms


def is_over(state: Memory, horizon: int, rules: Rules) -> bool:
    """Tell whether somebody may be forgotten; what is due must have been judged before."""
    if forgotten_at(state, rules) >= horizon:
        return False
    return abandonment.deadline(state.head, rules.abandonment) is None
