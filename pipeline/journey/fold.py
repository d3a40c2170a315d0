"""PURE: the left fold over a visitor's evidence, and its incremental form.

`step` is the fold; `observe` and `settle` keep a `VisitorState` up to date with it and give the
facts that changed; `replay` is the same fold over everything at once, which the oracle uses.
"""

from bisect import insort
from collections.abc import Iterable
from itertools import accumulate

import msgspec
from msgspec import Raw, structs

from pipeline.journey import abandonment, cart, people, phases, sessions
from pipeline.journey.clock import instant
from pipeline.journey.rules import ModelRules, Rules
from pipeline.journey.state import (
    Cart,
    Cursor,
    Evidence,
    Journey,
    OpenSession,
    Stake,
    VisitorState,
    append,
    identifier,
    pack_cursor,
    recall,
    remember,
    unpack_cursor,
)
from schemas.facts import Abandonment, Fact, Session, Transition, TransitionKind

_EMPTY = Cart()
EVIDENCE_CAP = 1000
EVIDENCE_BYTES_CAP = 256 * 1024
"""More evidence than this and the older half is sealed early, whatever its age: a state must fit
into a record of Kafka."""


class Facts(msgspec.Struct):
    """The facts of one visitor that a stretch of the log wrote, by id."""

    site: str
    visitor_id: str
    partition: int
    rules: Rules
    version: int = 0
    open_sessions: dict[str, OpenSession] = msgspec.field(default_factory=dict)
    rows: dict[str, Fact] = msgspec.field(default_factory=dict)

    def all(self) -> dict[str, Fact]:
        """Give every fact by its id, the sessions as they now stand."""
        rows: dict[str, Fact] = {id_: self._session(s) for id_, s in self.open_sessions.items()}
        rows.update(self.rows)
        return rows

    def rewrite(self, before: dict[str, Fact], after: "Facts") -> None:
        """Replace what an earlier fold said by what the fold over more evidence says."""
        self.open_sessions.update(after.open_sessions)
        self.rows.update(after.rows)
        for id_ in after.open_sessions:
            self.rows.pop(id_, None)
        for id_ in before.keys() - after.open_sessions.keys() - after.rows.keys():
            self.open_sessions.pop(id_, None)
            self.rows[id_] = structs.replace(before[id_], is_deleted=True)

    def add_transition(
        self,
        model: ModelRules,
        journey: Journey,
        kind: TransitionKind,
        phase: str,
        rule: str,
        seen: Evidence,
        session: OpenSession,
    ) -> None:
        """Note that `journey`, as it was before, moves to `phase` with `seen`."""
        id_ = identifier(self.site, self.visitor_id, model.model.id, seen.id)
        self.rows[id_] = Transition(
            transition_id=id_,
            site=self.site,
            model=model.model.id,
            person_id=session.person_id,
            visitor_id=self.visitor_id,
            cycle=journey.cycle + (kind == "cycle"),
            from_phase=journey.phase,
            to_phase=phase,
            kind=kind,
            at=instant(seen.at),
            session_id=session.id,
            touchpoint_id=seen.id,
            touchpoint_name=seen.name,
            channel=seen.channel,
            rule=rule,
            seconds_in_previous=(seen.at - journey.since) // 1000 if journey.phase else 0,
            kafka_partition=self.partition,
            rule_version=self.rules.version,
            version=self.version,
            is_deleted=False,
        )

    def add_abandonment(
        self, stake: Stake, person_id: str, recovery: Evidence | None = None
    ) -> None:
        """Note that `stake` was abandoned, or that `recovery` brought it back."""
        id_ = identifier(self.site, self.visitor_id, stake.kind, stake.opened_id)
        at_stake = stake.cart or _EMPTY
        pieces, value = cart.totals(at_stake)
        self.rows[id_] = Abandonment(
            abandonment_id=id_,
            site=self.site,
            model=self.rules.models[0].model.id,
            kind=stake.kind,
            person_id=person_id,
            visitor_id=self.visitor_id,
            session_id=stake.session_id,
            step=stake.step,
            opened_at=instant(stake.opened_at),
            last_touchpoint_at=instant(stake.last_at),
            last_touchpoint_id=stake.last_id,
            last_path=stake.last_path,
            abandoned_at=instant(stake.abandoned_at),
            items=pieces,
            value=value,
            currency=at_stake.currency,
            contents=cart.items(at_stake),
            cause=stake.cause,
            cause_touchpoint_id=stake.cause_id,
            recovered_at=instant(recovery.at) if recovery else None,
            recovered_channel=recovery.channel if recovery else "",
            recovered_touchpoint_id=recovery.id if recovery else "",
            kafka_partition=self.partition,
            rule_version=self.rules.version,
            version=self.version,
            is_deleted=False,
        )

    def _session(self, session: OpenSession) -> Session:
        return Session(
            session_id=session.id,
            site=self.site,
            visitor_id=self.visitor_id,
            person_id=session.person_id,
            started_at=instant(session.started_at),
            ended_at=instant(session.ended_at),
            touchpoints=session.touchpoints,
            page_views=session.page_views,
            first_touchpoint_id=session.first_id,
            last_touchpoint_id=session.last_id,
            entry_path=session.entry_path,
            exit_path=session.exit_path,
            channel=session.channel,
            referrer_host=session.referrer_host,
            utm_source=session.utm_source,
            utm_medium=session.utm_medium,
            utm_campaign=session.utm_campaign,
            device=session.device,
            is_bot=session.is_bot,
            steps=session.steps,
            orders=session.orders,
            revenue=round(session.revenue, 2),
            kafka_partition=self.partition,
            rule_version=self.rules.version,
            version=self.version,
            is_deleted=False,
        )


def step(cursor: Cursor, seen: Evidence, facts: Facts) -> Cursor:
    """Fold one touchpoint, the newest so far, into `cursor`, which is used up; note its facts."""
    rules = facts.rules
    _settle(cursor, seen.at, facts)
    if cursor.last_at and seen.at - cursor.last_at > rules.journey_timeout_ms:
        cursor = Cursor(settled_at=cursor.settled_at)
    cursor.last_at = seen.at
    person_id = people.recognise(cursor, facts.site, facts.visitor_id, seen)
    session = cursor.session
    if session is None or not sessions.continues(session, seen, rules.session_gap_ms):
        session = sessions.open_session(facts.site, facts.visitor_id, seen, person_id)
        cursor.session = session
    sessions.extend(session, seen, person_id, rules)
    facts.open_sessions[session.id] = session
    for model in rules.models:
        _classify(cursor, model, seen, session, facts)
    for stake in abandonment.recover(cursor, seen, rules.abandonment):
        facts.add_abandonment(stake, person_id, seen)
    for stake in abandonment.follow(cursor, seen, session, rules.abandonment):
        facts.add_abandonment(stake, stake.person_id)
    if seen.name in rules.orders:
        cursor.orders += 1
        cursor.order_session_id = session.id
        cursor.cart = None
    return cursor


def _settle(cursor: Cursor, now: int, facts: Facts) -> None:
    for stake in abandonment.settle(cursor, now, facts.rules.abandonment):
        facts.add_abandonment(stake, stake.person_id)


def _classify(
    cursor: Cursor, model: ModelRules, seen: Evidence, session: OpenSession, facts: Facts
) -> None:
    rule = phases.matching_rule(model, cursor, seen)
    if rule is None:
        return
    journey = cursor.journeys.get(model.model.id) or Journey()
    kind = phases.movement(model, journey, rule.phase)
    if kind is None:
        return
    facts.add_transition(model, journey, kind, rule.phase, rule.id, seen, session)
    cursor.journeys[model.model.id] = Journey(
        phase=rule.phase, since=seen.at, cycle=journey.cycle + (kind == "cycle")
    )


def observe(state: VisitorState, seen: Evidence, now: int, facts: Facts) -> None:
    """Take one new touchpoint into `state`; `now` is the log's time for the site.

    New and changed facts gather in `facts`, and so do those that the touchpoint refutes, marked
    as deleted.
    """
    if seen.at > state.head.settled_at and seen.place() > state.newest:
        append(state, seen)
        state.head = step(state.head, seen, facts)
        return
    evidence = recall(state)
    _, before = _refold(state.base, evidence, now, facts)
    insort(evidence, seen, key=Evidence.place)
    state.head, after = _refold(state.base, evidence, now, facts)
    remember(state, evidence)
    facts.rewrite(before.all(), after)


def _refold(base: Raw, evidence: list[Evidence], now: int, facts: Facts) -> tuple[Cursor, Facts]:
    fresh = structs.replace(facts, open_sessions={}, rows={})
    cursor = unpack_cursor(base)
    for stake in cursor.lost:  # its recovery may be refuted, the loss itself may not
        fresh.add_abandonment(stake, stake.person_id)
    for seen in evidence:
        cursor = step(cursor, seen, fresh)
    _settle(cursor, now, fresh)
    return cursor, fresh


def settle(state: VisitorState, now: int, facts: Facts) -> None:
    """Judge the silence up to `now`."""
    _settle(state.head, now, facts)


def seal(state: VisitorState, now: int, facts: Facts) -> None:
    """Fold evidence beyond the allowed lateness, or beyond the cap, into the base for good."""
    horizon = now - facts.rules.allowed_lateness_ms
    count = _surplus(state.evidence)
    if not count and not 0 < state.oldest_at < horizon:
        return
    evidence = recall(state)
    while count < len(evidence) and evidence[count].at < horizon:
        count += 1
    unheard = structs.replace(facts, open_sessions={}, rows={})
    base = unpack_cursor(state.base)
    for seen in evidence[:count]:
        base = step(base, seen, unheard)
        state.sealed_to = seen.at
    remember(state, evidence[count:])
    is_settled = not state.evidence and state.head.settled_at < horizon
    state.base = pack_cursor(state.head if is_settled else base)


def _surplus(evidence: list[Raw]) -> int:
    sizes = [len(packed) for packed in evidence]
    if len(sizes) <= EVIDENCE_CAP and sum(sizes) <= EVIDENCE_BYTES_CAP:
        return 0
    totals = accumulate(reversed(sizes[-EVIDENCE_CAP // 2 :]))
    return len(sizes) - sum(total <= EVIDENCE_BYTES_CAP // 2 for total in totals)


def is_late(state: VisitorState, at: int, now: int, rules: Rules) -> bool:
    """Tell whether a touchpoint of time `at` comes too late to be sessionised."""
    return at < now - rules.allowed_lateness_ms or at <= state.sealed_to


def next_deadline(state: VisitorState, rules: Rules) -> int:
    """Give the time at which silence will next decide something about this visitor."""
    due = abandonment.deadline(state.head, rules.abandonment)
    sealable = state.newest[0] + rules.allowed_lateness_ms if state.evidence else None
    return min(filter(None, (due, sealable)), default=forgotten_at(state, rules))


def forgotten_at(state: VisitorState, rules: Rules) -> int:
    """Give the time after which nothing about this visitor can matter any more.

    An open stake may be due later still.
    """
    head = state.head
    over = max(head.last_at + rules.journey_timeout_ms, head.settled_at)
    return over + rules.allowed_lateness_ms


def is_over(state: VisitorState, now: int, rules: Rules) -> bool:
    """Tell whether the visitor may be forgotten; what is due must have been judged before."""
    is_due = abandonment.deadline(state.head, rules.abandonment) is not None
    return forgotten_at(state, rules) < now and not is_due


def replay(evidence: Iterable[Evidence], now: int, facts: Facts) -> dict[str, Fact]:
    """Fold all of a visitor's evidence, in any order, at once: what the tables must hold."""
    cursor = Cursor()
    for seen in sorted(evidence, key=Evidence.place):
        cursor = step(cursor, seen, facts)
    _settle(cursor, now, facts)
    return facts.all()
