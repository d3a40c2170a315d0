"""PURE: the left fold over a visitor's evidence, and its incremental form.

`step` is the fold; `observe` and `settle` keep a `VisitorState` up to date with it and give the
facts that changed; `replay` is the same fold over everything at once, which the oracle uses.
"""

from bisect import insort
from collections.abc import Iterable
from itertools import accumulate

import msgspec
from msgspec import Raw, structs

from pipeline.journey import abandonment, people, phases, sessions
from pipeline.journey.clock import instant
from pipeline.journey.rules import ModelRules, Rules
from pipeline.journey.state import (
    Basket,
    Cursor,
    Evidence,
    Journey,
    OpenSession,
    VisitorState,
    append,
    identifier,
    pack_cursor,
    recall,
    remember,
    unpack_cursor,
)
from pipeline.journey.traffic import trace
from schemas.facts import Abandonment, AbandonmentKind, Fact, Session, Transition, TransitionKind

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
        self, basket: Basket, person_id: str, recovery: Evidence | None = None
    ) -> None:
        """Note that `basket` was abandoned, or that `recovery` brought it back."""
        id_ = identifier(self.site, self.visitor_id, basket.kind, basket.opened_id)
        kind: AbandonmentKind = "checkout" if basket.kind == "checkout" else "cart"
        self.rows[id_] = Abandonment(
            abandonment_id=id_,
            site=self.site,
            model=self.rules.models[0].model.id,
            kind=kind,
            person_id=person_id,
            visitor_id=self.visitor_id,
            session_id=basket.session_id,
            step=basket.step,
            opened_at=instant(basket.opened_at),
            last_touchpoint_at=instant(basket.last_at),
            last_touchpoint_id=basket.last_id,
            last_path=basket.last_path,
            abandoned_at=instant(basket.abandoned_at),
            items=basket.items,
            value=round(basket.value, 2),
            currency=basket.currency,
            recovered_at=instant(recovery.at) if recovery else None,
            recovered_channel=recovery.channel if recovery else "",
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
            traffic_source=session.traffic.source,
            traffic_medium=session.traffic.medium,
            traffic_campaign=session.traffic.campaign,
            channel_group=session.traffic.group,
            keyword=session.traffic.keyword,
            is_branded=session.traffic.is_branded,
            country=session.country,
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
        session.traffic = trace(seen, rules.traffic)
        cursor.session = session
    sessions.extend(session, seen, person_id, rules)
    facts.open_sessions[session.id] = session
    for model in rules.models:
        _classify(cursor, model, seen, session, facts)
    if seen.name in rules.orders:
        cursor.orders += 1
        cursor.order_session_id = session.id
        for basket in abandonment.recover(cursor, seen, rules.abandonment):
            facts.add_abandonment(basket, person_id, seen)
    else:
        abandonment.follow(cursor, seen, session.id, rules.abandonment)
    return cursor


def _settle(cursor: Cursor, now: int, facts: Facts) -> None:
    basket = abandonment.settle(cursor, now, facts.rules.abandonment)
    if basket is not None:
        facts.add_abandonment(basket, cursor.person_id)


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
    cursor = state.head
    due = abandonment.deadline(cursor.basket, rules.abandonment)
    if due is not None:
        return due
    if state.evidence:
        return state.newest[0] + rules.allowed_lateness_ms
    return forgotten_at(state, rules)


def forgotten_at(state: VisitorState, rules: Rules) -> int:
    """Give the time after which nothing about this visitor can matter any more."""
    return state.head.last_at + rules.journey_timeout_ms + rules.allowed_lateness_ms


def replay(evidence: Iterable[Evidence], now: int, facts: Facts) -> dict[str, Fact]:
    """Fold all of a visitor's evidence, in any order, at once: what the tables must hold."""
    cursor = Cursor()
    for seen in sorted(evidence, key=Evidence.place):
        cursor = step(cursor, seen, facts)
    _settle(cursor, now, facts)
    return facts.all()
