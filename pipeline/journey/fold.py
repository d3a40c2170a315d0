"""PURE: the left fold over a visitor's evidence.

`step` takes one touchpoint; `replay` folds everything at once, as the oracle does. `memory` keeps a
state up to date with the same steps.
"""

from collections.abc import Iterable

from msgspec import structs

from pipeline.journey import abandonment, phases, sessions
from pipeline.journey.facts import Facts
from pipeline.journey.rules import ModelRules, Rules
from pipeline.journey.state import (
    Cursor,
    Evidence,
    Journey,
    OpenSession,
)
from pipeline.journey.traffic import trace
from schemas.facts import (
    Fact,
)

_UNBEGUN = Journey()
KNOWN_ORDERS = 20
"""A journey recognises a repeated order among this many of its newest orders."""


def step(cursor: Cursor, seen: Evidence, facts: Facts) -> Cursor:
    """Fold one touchpoint, the newest so far, into `cursor`, which is used up; note its facts."""
    rules = facts.rules
    judge_silence(cursor, seen.at, facts)
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
    sessions.extend(session, seen, rules, cursor.order_ids)
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
        cursor.order_session_id, cursor.ordered_at = session.id, seen.at
        cursor.is_emptied = False
        cursor.order_ids = [*cursor.order_ids[1 - KNOWN_ORDERS :], seen.order_id or seen.id]
        cursor.cart = None


def _is_told_again(cursor: Cursor, seen: Evidence, rules: Rules) -> bool:
    """Tell whether this order is already known: from a reloaded page, or from the till as well."""
    return seen.name in rules.orders and bool(seen.order_id) and seen.order_id in cursor.order_ids


def judge_silence(cursor: Cursor, now: int, facts: Facts) -> None:
    """Note what was abandoned up to `now`."""
    for stake in abandonment.settle(cursor, now, facts.rules.abandonment):
        facts.add_abandonment(stake)


def _classify(
    cursor: Cursor, model: ModelRules, seen: Evidence, session: OpenSession, facts: Facts
) -> None:
    journey = cursor.journeys.get(model.model.id) or _UNBEGUN
    if journey.phase not in model.rules_from:  # the model had it before it was changed
        journey = structs.replace(journey, phase="", since=0)
    rule = phases.matching_rule(model, journey, cursor, seen)
    if rule is None:
        return
    kind = phases.movement(model, journey, cursor, rule.phase)
    if kind is None:
        return
    facts.add_transition(model, journey, kind, rule.phase, rule.id, seen, session)
    cursor.journeys[model.model.id] = phases.moved(journey, kind, rule.phase, seen.at, cursor)


def replay(evidence: Iterable[Evidence], now: int, facts: Facts) -> dict[str, Fact]:
    """Fold all of a visitor's evidence, given in any order: what the tables must contain."""
    cursor = Cursor()
    for seen in sorted(evidence, key=Evidence.place):
        cursor = step(cursor, seen, facts)
    judge_silence(cursor, now, facts)
    return facts.all()
