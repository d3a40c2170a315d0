"""PURE: which phase a touchpoint is evidence for, and whether the journey moves there.

A journey moves forward and may skip phases; it goes back only where its model allows it; evidence
for an earlier phase is otherwise ignored. Where the model has a cycle, evidence for a phase of its
beginning starts the next one.
"""

from pipeline.journey.rules import ModelRules
from pipeline.journey.state import Cursor, Evidence, Journey, OpenSession
from schemas.facts import TransitionKind
from schemas.journeys import Rule


def matching_rule(
    model: ModelRules, cursor: Cursor, seen: Evidence, session: OpenSession
) -> Rule | None:
    """Find the first rule of `model` that `seen` meets, after what `cursor` has seen before."""
    for rule in model.rules_of.get(seen.name, ()):
        if rule.channels and seen.channel not in rule.channels:
            continue
        if rule.history == "any" or _has_happened(rule.history, cursor, session):
            return rule
    return None


def _has_happened(history: str, cursor: Cursor, session: OpenSession) -> bool:
    if history == "before_purchase":
        return cursor.orders == 0
    if history == "after_purchase":
        return cursor.orders > 0
    return cursor.orders > 0 and session.id != cursor.order_session_id


def movement(model: ModelRules, journey: Journey, phase: str) -> TransitionKind | None:
    """Say how the journey would move to `phase`; None when it stays where it is."""
    if not journey.phase:
        return "enter"
    if phase == journey.phase:
        return None
    way = (journey.phase, phase)
    if way in model.ways_round:
        return "cycle"
    steps = model.rank[phase] - model.rank[journey.phase]
    if steps > 0:
        return "forward" if steps == 1 else "skip"
    return "back" if way in model.ways_back else None
