"""PURE: the rules of abandonment, compiled for fast look-up by touchpoint name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from schemas.facts import AbandonmentKind
from schemas.fields import Channel
from schemas.journeys import AbandonmentRule, JourneyModel
from schemas.times import length

Kinds = tuple[AbandonmentKind, ...]

JOURNEY: AbandonmentKind = "journey"
AT_STAKE: Kinds = ("cart", "checkout")
"""The kinds that need something in the cart."""
PUT_IN, TAKEN_OUT, VIEWED = "Product Added", "Product Removed", "Cart Viewed"


@dataclass(frozen=True)
class StakeRule:
    """How a stake of one kind is opened and judged; `in_a_row` of 0: by silence alone."""

    channels: frozenset[Channel]
    in_a_row: int
    timeout_ms: int
    recovery_ms: int


@dataclass(frozen=True)
class Meaning:
    """What touchpoints of one name do: the kinds they open, end, abandon and recover."""

    opens: Kinds = ()
    ends: Kinds = ()
    gives_up: Kinds = ()
    recovers: Kinds = ()
    cause: str = ""


@dataclass(frozen=True)
class AbandonmentRules:
    """All rules of abandonment of one model, whose id is `model`.

    `usual` is what a touchpoint does that `meanings` does not name. `limit_ms` is how long a
    journey may be silent in each phase, `causes` how long before the end each cause counts,
    likelier causes first. For `settled_ms` after an order, cart views and payments belong to that
    order. No silence up to `shortest_ms` abandons anything except the kinds in `counted`.
    """

    model: str
    kinds: dict[AbandonmentKind, StakeRule]
    limit_ms: dict[str, int]
    meanings: dict[str, Meaning]
    usual: Meaning
    causes: tuple[tuple[str, int], ...]
    shortest_ms: int
    settled_ms: int
    counted: frozenset[str]


def compile_abandonment(model: JourneyModel) -> AbandonmentRules:
    """Compile the rules of abandonment of `model`."""
    silences = [
        silence
        for rule in model.abandonment
        if not rule.in_a_row
        for silence in (rule.timeout, *rule.limits.values())
    ]
    return AbandonmentRules(
        model=model.id,
        kinds={rule.kind: _stake_rule(rule) for rule in model.abandonment},
        limit_ms={
            phase.id: length(rule.limits.get(phase.id, rule.timeout))
            for rule in model.abandonment
            if rule.kind == JOURNEY
            for phase in model.phases
        },
        meanings={name: _meaning(name, model) for name in _names(model)},
        usual=_meaning("", model),
        causes=tuple((cause.id, length(cause.within)) for cause in model.causes),
        settled_ms=length(
            max(
                (rule.timeout for rule in model.abandonment if rule.kind in AT_STAKE),
                default=timedelta(0),
            )
        ),
        shortest_ms=length(min(silences, default=timedelta(0))),
        counted=frozenset(rule.kind for rule in model.abandonment if rule.in_a_row),
    )


def _stake_rule(rule: AbandonmentRule) -> StakeRule:
    return StakeRule(
        channels=frozenset(rule.channels),
        in_a_row=rule.in_a_row,
        timeout_ms=length(rule.timeout),
        recovery_ms=length(rule.recovery),
    )


def _names(model: JourneyModel) -> Iterator[str]:
    yield from (PUT_IN, TAKEN_OUT, *model.order)
    for rule in model.abandonment:
        yield from (*rule.opens, *rule.ends, *rule.gives_up)
    for cause in model.causes:
        yield from cause.touchpoints


def _meaning(name: str, model: JourneyModel) -> Meaning:
    ends = _kinds(r for r in model.abandonment if r.kind != JOURNEY and name in _ends(r, model))
    journey = _kinds(r for r in model.abandonment if r.kind == JOURNEY)
    return Meaning(
        opens=_kinds(rule for rule in model.abandonment if name in rule.opens),
        ends=ends,
        gives_up=_kinds(rule for rule in model.abandonment if name in rule.gives_up),
        recovers=ends + journey,
        cause=next((cause.id for cause in model.causes if name in cause.touchpoints), ""),
    )


def _ends(rule: AbandonmentRule, model: JourneyModel) -> tuple[str, ...]:
    return rule.ends or model.order


def _kinds(rules: Iterable[AbandonmentRule]) -> Kinds:
    return tuple(rule.kind for rule in rules)
