"""PURE: which phase a touchpoint is evidence for, and whether the journey moves there.

A journey moves forward and skips phases as its model allows. It goes back only if the model says
so; other evidence for an earlier phase is ignored. If the model has a cycle, evidence for one of
its first phases starts the next one, and so does the first evidence after a long silence.
"""

from pipeline.journey.rules import EvidenceRule, ModelRules, Rules
from pipeline.journey.state import Cursor, Evidence, Journey, Past
from schemas.facts import TransitionKind
from schemas.journeys import History

_NOTHING = Past()
_NO_PROPERTIES: dict[str, str | float] = {}
_NO_RULES: dict[str, tuple[EvidenceRule, ...]] = {}


def matching_rule(
    model: ModelRules, journey: Journey, cursor: Cursor, seen: Evidence
) -> EvidenceRule | None:
    """Find the first rule of `model` that `seen` meets, given the past in `cursor`.

    Also None if no rule for such a touchpoint leads anywhere from the current phase.
    """
    rules = model.rules_from.get(journey.phase, _NO_RULES)
    for rule in rules.get(seen.name, ()):
        if rule.is_plain or _holds(rule, journey, cursor, seen):
            return rule
    return None


def _holds(rule: EvidenceRule, journey: Journey, cursor: Cursor, seen: Evidence) -> bool:
    past = (journey.past if rule.is_of_cycle else None) or _NOTHING
    return (
        (rule.history == "any" or _has_happened(rule.history, past, cursor))
        and (not rule.channels or seen.channel in rule.channels)
        and (rule.visit == 1 or cursor.visits - past.visits >= rule.visit)
        and (rule.times == 1 or _times(past, cursor, seen) >= rule.times)
        and (not rule.tests or _has_properties(rule, seen))
    )


def _has_happened(history: History, past: Past, cursor: Cursor) -> bool:
    has_ordered = cursor.orders > past.orders
    if history == "new_visit_after_purchase":
        session = cursor.session
        return has_ordered and session is not None and session.id != cursor.order_session_id
    return history == "any" or has_ordered == (history == "after_purchase")


def _times(past: Past, cursor: Cursor, seen: Evidence) -> int:
    return 1 + cursor.counts.get(seen.name, 0) - past.counts.get(seen.name, 0)


def _has_properties(rule: EvidenceRule, seen: Evidence) -> bool:
    properties = seen.properties or _NO_PROPERTIES
    return all(test.holds(properties.get(test.property)) for test in rule.tests)


def movement(
    model: ModelRules, journey: Journey, cursor: Cursor, phase: str
) -> TransitionKind | None:
    """Say how the journey would move to `phase`; None if it stays where it is."""
    if not journey.phase:
        return "cycle" if journey.since else "enter"
    way = (journey.phase, phase)
    if way in model.ways_round:
        past = journey.past or _NOTHING
        if _has_happened(model.cycle_history, past, cursor):
            return "cycle"
    return model.moves.get(way)


def moved(journey: Journey, kind: TransitionKind, phase: str, at: int, cursor: Cursor) -> Journey:
    """Give the journey after its move at `at`.

    The visit and the touchpoint with which a cycle begins are part of it.
    """
    if kind != "cycle":
        return Journey(phase, at, journey.cycle, journey.past)
    past = _past(cursor, cursor.visits - 1) if journey.phase else journey.past
    return Journey(phase, at, journey.cycle + 1, past)


def _past(cursor: Cursor, visits: int) -> Past:
    return Past(cursor.orders, visits, dict(cursor.counts))


def after_silence(cursor: Cursor, length: int, rules: Rules) -> Cursor:
    """Give what is left of `cursor` after a silence of `length` milliseconds.

    After the journey timeout all journeys are over. Somebody who has ordered is remembered until
    the customer timeout: the next evidence begins the next cycle, after a purchase.
    """
    if length <= rules.journey_timeout_ms:
        return cursor
    if not cursor.orders or length > rules.customer_timeout_ms:
        return Cursor(settled_at=cursor.settled_at)
    return Cursor(
        settled_at=cursor.settled_at,
        journeys={
            model: Journey("", journey.since, journey.cycle, _past(cursor, cursor.visits))
            for model, journey in cursor.journeys.items()
        },
        orders=cursor.orders,
        visits=cursor.visits,
        counts=cursor.counts,
        order_ids=cursor.order_ids,
    )
