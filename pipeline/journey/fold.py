"""PURE: the left fold over a visitor's evidence, and its incremental form.

`step` is the fold; `observe` and `settle` keep a `VisitorState` up to date with it and give the
facts that changed; `replay` is the same fold over everything at once, which the oracle uses.
"""

from collections.abc import Iterable
from itertools import accumulate

import msgspec
from msgspec import Raw, structs

from pipeline.journey import abandonment, cart, phases, sessions
from pipeline.journey.clock import DAY_MS, instant
from pipeline.journey.people import person_id
from pipeline.journey.rules import ModelRules, Rules
from pipeline.journey.state import (
    Cart,
    Cursor,
    Evidence,
    Journey,
    Memory,
    OpenSession,
    PersonState,
    Stake,
    VisitorState,
    append,
    encode_evidence,
    identifier,
    pack_cursor,
    recall,
    remember,
    unpack_cursor,
)
from pipeline.journey.traffic import trace
from schemas.facts import (
    Abandonment,
    Fact,
    Identity,
    Link,
    Session,
    Transition,
    TransitionKind,
)

_EMPTY = Cart()
_UNBEGUN = Journey()
_ORDERS = 20
"""Of so many of its newest orders a journey knows that they are told again."""
EVIDENCE_CAP = 1000
EVIDENCE_BYTES_CAP = 256 * 1024
"""More evidence than this and the older half is sealed early, whatever its age: a state must fit
into a record of Kafka."""


class Facts(msgspec.Struct):
    """The facts of one visitor or person that a stretch of the log wrote, by id.

    `person` is the first name of the person that the visitor is linked with, empty for the visitor
    itself. The journey of a linked visitor is its person's: its own is followed, because the person
    may become another, and not told. `pseudonym` is that of the person, once it was asked for.
    """

    site: str
    visitor_id: str
    partition: int
    rules: Rules
    version: int = 0
    person: str = ""
    has_sessions: bool = True
    pseudonym: str = ""
    open_sessions: dict[str, OpenSession] = msgspec.field(default_factory=dict)
    rows: dict[str, Fact] = msgspec.field(default_factory=dict)

    @property
    def person_id(self) -> str:
        """The pseudonym of the person."""
        if not self.pseudonym:
            self.pseudonym = person_id(self.site, self.person or self.visitor_id)
        return self.pseudonym

    def belong_to(self, person: str) -> None:
        """From here on the visitor is part of `person`, or stands for itself (empty)."""
        self.person, self.pseudonym = person, ""

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
        if self.person:
            return
        visitor_id = seen.visitor_id or self.visitor_id
        id_ = self._identifier(visitor_id, model.model.id, seen.id)
        # By position, as in `_session`.
        self.rows[id_] = Transition(
            id_,
            self.site,
            model.model.id,
            self.person_id,
            visitor_id,
            journey.cycle + (kind == "cycle"),
            journey.phase,
            phase,
            kind,
            instant(seen.at),
            session.id,
            seen.id,
            seen.name,
            seen.channel,
            rule,
            (seen.at - journey.since) // 1000 if journey.phase else 0,
            self.partition,
            self.rules.version,
            self.version,
            False,  # is_deleted
        )

    def add_abandonment(self, stake: Stake, recovery: Evidence | None = None) -> None:
        """Note that `stake` was abandoned, or that `recovery` brought it back."""
        if self.person:
            return
        id_ = self._identifier(stake.kind, stake.opened_id)
        at_stake = stake.cart or _EMPTY
        pieces, value = cart.totals(at_stake)
        self.rows[id_] = Abandonment(
            abandonment_id=id_,
            site=self.site,
            model=self.rules.models[0].model.id,
            kind=stake.kind,
            person_id=self.person_id,
            visitor_id=stake.visitor_id or self.visitor_id,
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

    def _identifier(self, *parts: str) -> str:
        # A user without a device is a visitor and the first name of a person, in the same
        # partition: what one of them takes back is not what the other one says.
        owner = "visitor" if self.has_sessions else "person"
        return identifier(self.site, owner, self.visitor_id, *parts)

    def add_identity(self) -> None:
        """Note which person the visitor is now."""
        self.rows[identifier("identity", self.site, self.visitor_id)] = Identity(
            site=self.site,
            visitor_id=self.visitor_id,
            person_id=self.person_id,
            kafka_partition=self.partition,
            version=self.version,
            is_deleted=not self.person,
        )

    def add_link(self, name: str) -> None:
        """Note that the visitor was seen with the identifier `name`."""
        self.rows[identifier("link", self.site, self.visitor_id, name)] = Link(
            site=self.site,
            visitor_id=self.visitor_id,
            identifier=name,
            kafka_partition=self.partition,
            version=self.version,
            is_deleted=False,
        )

    def _session(self, session: OpenSession) -> Session:
        # By position: msgspec looks for each name among all, and took six times as long.
        return Session(
            session.id,
            self.site,
            self.visitor_id,
            self.person_id,
            instant(session.started_at),
            instant(session.ended_at),
            session.touchpoints,
            session.page_views,
            session.first_id,
            session.last_id,
            session.entry_path,
            session.exit_path,
            session.channel,
            session.referrer_host,
            session.utm_source,
            session.utm_medium,
            session.utm_campaign,
            session.device,
            session.is_bot,
            session.steps,
            session.orders,
            round(session.revenue, 2),
            self.partition,
            self.rules.version,
            self.version,
            False,  # is_deleted
            session.traffic.source,
            session.traffic.medium,
            session.traffic.campaign,
            session.traffic.group,
            session.traffic.keyword,
            session.traffic.is_branded,
            session.country,
        )


def step(cursor: Cursor, seen: Evidence, facts: Facts) -> Cursor:
    """Fold one touchpoint, the newest so far, into `cursor`, which is used up; note its facts."""
    rules = facts.rules
    _settle(cursor, seen.at, facts)
    if cursor.last_at:
        cursor = phases.after_silence(cursor, seen.at - cursor.last_at, rules)
    cursor.last_at = seen.at
    session = _sessionise(cursor, seen, facts)
    if facts.has_sessions:
        facts.open_sessions[session.id] = session
    _travel(cursor, seen, session, facts)
    return cursor


def _sessionise(cursor: Cursor, seen: Evidence, facts: Facts) -> OpenSession:
    visitor_id, rules = seen.visitor_id, facts.rules
    cursor.visitor_id = visitor_id
    session = cursor.session
    if session is None or not sessions.continues(session, seen, rules.session_gap_ms):
        session = sessions.open_session(facts.site, visitor_id or facts.visitor_id, seen)
        session.traffic = trace(seen, rules.traffic)
        cursor.visits += 1
        cursor.sessions = {
            other: running
            for other, running in cursor.sessions.items()
            if sessions.continues(running, seen, rules.session_gap_ms)
        }
        cursor.sessions[visitor_id] = session
    sessions.extend(session, seen, rules)
    return session


def _travel(cursor: Cursor, seen: Evidence, session: OpenSession, facts: Facts) -> None:
    rules = facts.rules
    if _is_told_again(cursor, seen, rules):
        return
    for model in rules.models:
        _classify(cursor, model, seen, session, facts)
    if seen.name in rules.counted:
        cursor.counts[seen.name] = cursor.counts.get(seen.name, 0) + 1
    for stake in abandonment.recover(cursor, seen, rules.abandonment):
        facts.add_abandonment(stake, seen)
    for stake in abandonment.follow(cursor, seen, session, rules.abandonment):
        facts.add_abandonment(stake)
    if seen.name in rules.orders:
        cursor.orders += 1
        cursor.order_session_id = session.id
        cursor.order_ids = [*cursor.order_ids[1 - _ORDERS :], seen.order_id or seen.id]
        cursor.cart = None


def _is_told_again(cursor: Cursor, seen: Evidence, rules: Rules) -> bool:
    """Tell whether this is an order of before: the page loaded again, or the till told it too."""
    return seen.name in rules.orders and bool(seen.order_id) and seen.order_id in cursor.order_ids


def _settle(cursor: Cursor, now: int, facts: Facts) -> None:
    for stake in abandonment.settle(cursor, now, facts.rules.abandonment):
        facts.add_abandonment(stake)


def _classify(
    cursor: Cursor, model: ModelRules, seen: Evidence, session: OpenSession, facts: Facts
) -> None:
    journey = cursor.journeys.get(model.model.id) or _UNBEGUN
    rule = phases.matching_rule(model, journey, cursor, seen)
    if rule is None:
        return
    kind = phases.movement(model, journey, cursor, rule.phase)
    if kind is None:
        return
    facts.add_transition(model, journey, kind, rule.phase, rule.id, seen, session)
    cursor.journeys[model.model.id] = phases.moved(journey, kind, rule.phase, seen.at, cursor)


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
    _settle(cursor, now, fresh)
    return cursor, fresh


def settle(state: Memory, now: int, facts: Facts) -> None:
    """Judge the silence up to `now`."""
    _settle(state.head, now, facts)


def seal(state: Memory, now: int, facts: Facts, *, by_age: bool = True) -> None:
    """Fold evidence beyond its retention, or beyond the cap, into the base for good."""
    horizon = now - facts.rules.evidence_retention_ms if by_age else 0
    count = _surplus(state)
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
    is_settled = not state.count and state.head.settled_at < horizon
    state.base = pack_cursor(state.head if is_settled else base)


def _surplus(state: Memory) -> int:
    if state.count <= EVIDENCE_CAP and len(state.evidence) <= EVIDENCE_BYTES_CAP:
        return 0
    sizes = [len(encode_evidence(seen)) for seen in recall(state)]
    totals = accumulate(reversed(sizes[-EVIDENCE_CAP // 2 :]))
    return len(sizes) - sum(total <= EVIDENCE_BYTES_CAP // 2 for total in totals)


def is_late(state: Memory, at: int, now: int, rules: Rules) -> bool:
    """Tell whether a touchpoint of time `at` comes too late to be sessionised."""
    return at < now - rules.allowed_lateness_ms or at <= state.sealed_to


def next_deadline(state: Memory, rules: Rules) -> int:
    """Give the time at which silence will next decide something about somebody."""
    due = abandonment.deadline(state.head, rules.abandonment)
    if not state.count:
        return due or forgotten_at(state, rules)
    if isinstance(state, PersonState):  # which is sealed when it is woken alone
        sealable = state.oldest_at + rules.evidence_retention_ms + DAY_MS
    else:
        sealable = state.newest[0] + rules.evidence_retention_ms
    return min(due, sealable) if due else sealable


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


def is_over(state: Memory, now: int, rules: Rules) -> bool:
    """Tell whether somebody may be forgotten; what is due must have been judged before."""
    if forgotten_at(state, rules) >= now:
        return False
    return abandonment.deadline(state.head, rules.abandonment) is None


def replay(evidence: Iterable[Evidence], now: int, facts: Facts) -> dict[str, Fact]:
    """Fold all of a visitor's evidence, in any order, at once: what the tables must hold."""
    cursor = Cursor()
    for seen in sorted(evidence, key=Evidence.place):
        cursor = step(cursor, seen, facts)
    _settle(cursor, now, facts)
    return facts.all()
