"""PURE: the rules of a fold, compiled for fast look-up."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import permutations
from math import isfinite
from typing import Any

from pipeline.journey.abandonment_rules import AbandonmentRules, compile_abandonment
from pipeline.journey.people import Limits
from pipeline.journey.state import Scalar, identifier
from pipeline.journey.traffic import TrafficRules
from schemas.facts import TransitionKind
from schemas.journeys import Condition, History, JourneyModel, Rule
from schemas.times import length
from schemas.touchpoint import OrderEvent

_LONGEST_TEXT = 128
_ONLY_WORDS: dict[str, Any] = {
    "phases": {"__all__": {"en", "de", "longest", "canvas"}},
    "longest_wait": True,
}
"""Parts of a model that no fact depends on; changing them does not change the rules."""

_LIMITS = Limits()


def scalar(value: str | float | bool) -> Scalar:
    """Give a property's value as conditions compare it.

    A text that is a number equals that number, `true` equals "true"; long texts are truncated.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return str(value)[:_LONGEST_TEXT]
    return number if isfinite(number) else str(value)[:_LONGEST_TEXT]


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """A compiled condition on a property."""

    property: str
    one_of: frozenset[Scalar]
    at_least: float | None

    def holds(self, value: Scalar | None) -> bool:
        """Tell whether `value`, None if the touchpoint has none, meets the condition."""
        if self.at_least is None:
            return value in self.one_of
        return isinstance(value, float) and value >= self.at_least


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """A compiled rule of a model; `is_plain` says that it has no conditions to check."""

    id: str
    phase: str
    is_plain: bool
    channels: tuple[str, ...]
    tests: tuple[PropertyTest, ...]
    history: History
    times: int
    visit: int
    is_of_cycle: bool


@dataclass(frozen=True)
class ModelRules:
    """One journey model: which rules a touchpoint name may meet, and the moves between phases.

    `rules_from` has the rules by current phase, empty before the first one. Names without a rule
    that leads anywhere from that phase are left out; these are most. `moves` are the moves within a
    cycle, `ways_round` those into the next one, if `cycle_history` has happened.
    """

    model: JourneyModel
    rules_from: dict[str, dict[str, tuple[EvidenceRule, ...]]]
    moves: dict[tuple[str, str], TransitionKind]
    ways_round: frozenset[tuple[str, str]]
    cycle_history: History


@dataclass(frozen=True)
class Rules:
    """All rules of a fold. The first model is the default: it has the funnel and the abandonment
    rules.

    Evidence is kept for `evidence_retention_ms`; a link that arrives within this time still
    rewrites the journey. Customers and linked visitors are remembered for `customer_timeout_ms`.
    `placeholders` are the words of each site that mean nobody.
    """

    models: tuple[ModelRules, ...]
    session_gap_ms: int
    allowed_lateness_ms: int
    journey_timeout_ms: int
    customer_timeout_ms: int
    evidence_retention_ms: int
    limits: Limits
    traffic: TrafficRules = field(default_factory=TrafficRules)
    placeholders: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def abandonment(self) -> AbandonmentRules:
        """The rules of abandonment."""
        return compile_abandonment(self.models[0].model)

    @cached_property
    def orders(self) -> frozenset[str]:
        """Names of touchpoints that are orders."""
        return frozenset(self.models[0].model.order)

    @property
    def order_events(self) -> Mapping[str, OrderEvent]:
        """What touchpoints do to an order, by name."""
        return self.models[0].model.order_events

    @cached_property
    def funnel(self) -> dict[str, int]:
        """Which step of the funnel a name is."""
        return {name: step for step, name in enumerate(self.models[0].model.funnel)}

    @cached_property
    def version(self) -> str:
        """A hash of everything that facts depend on."""
        return identifier(
            *(model.model.model_dump_json(exclude=_ONLY_WORDS) for model in self.models),
            str((self.session_gap_ms, self.allowed_lateness_ms, self.journey_timeout_ms)),
            str((self.customer_timeout_ms, self.limits)),
            self.traffic.sources.model_dump_json(),
            str((self.traffic.exclusions, self.traffic.brand_terms)),
            *(str((site, sorted(words))) for site, words in sorted(self.placeholders.items())),
        )[:8]

    @cached_property
    def counted(self) -> frozenset[str]:
        """The names whose repetitions some rule counts."""
        return frozenset(name for name, rule in self._named_rules() if rule.times > 1)

    @cached_property
    def properties(self) -> dict[str, frozenset[str]]:
        """The properties that a rule tests, by touchpoint name; evidence carries no others."""
        named: dict[str, set[str]] = {}
        for name, rule in self._named_rules():
            for condition in rule.where:
                named.setdefault(name, set()).add(condition.property)
        return {name: frozenset(properties) for name, properties in named.items()}

    @cached_property
    def soonest_ms(self) -> int:
        """Nothing is due sooner than this after the touchpoint that caused it."""
        return min(
            self.evidence_retention_ms,
            self.abandonment.shortest_ms,
            *(rule.timeout_ms for rule in self.abandonment.kinds.values()),
        )

    def _named_rules(self) -> Iterator[tuple[str, Rule]]:
        for model in self.models:
            for rule in model.model.rules:
                yield from ((name, rule) for name in rule.touchpoints)


def compile_rules(
    models: Iterable[JourneyModel],
    *,
    session_gap: timedelta = timedelta(minutes=30),
    allowed_lateness: timedelta = timedelta(hours=24),
    journey_timeout: timedelta = timedelta(days=30),
    customer_timeout: timedelta = timedelta(days=730),
    evidence_retention: timedelta = timedelta(days=30),
    limits: Limits = _LIMITS,
    traffic: TrafficRules | None = None,
    placeholders: Mapping[str, frozenset[str]] | None = None,
) -> Rules:
    """Compile the rules of `models`, the durations, the limits of links and `traffic`.

    Without `traffic` no source is known by name.
    """
    return Rules(
        models=tuple(_compile(model) for model in models),
        session_gap_ms=length(session_gap),
        allowed_lateness_ms=length(allowed_lateness),
        journey_timeout_ms=length(journey_timeout),
        customer_timeout_ms=length(max(customer_timeout, journey_timeout)),
        evidence_retention_ms=length(max(evidence_retention, allowed_lateness)),
        limits=limits,
        traffic=traffic or TrafficRules(),
        placeholders=placeholders or {},
    )


def _compile(model: JourneyModel) -> ModelRules:
    rules_of: dict[str, list[EvidenceRule]] = {}
    for rule in model.rules:
        ready = _ready(rule)
        for name in rule.touchpoints:
            rules_of.setdefault(name, []).append(ready)
    cycle, moves = model.cycle, _moves(model)
    ways_round = {(a, b) for a in cycle.leave for b in cycle.enter} if cycle else set()
    ways = {*moves, *ways_round, *(("", phase.id) for phase in model.phases)}
    return ModelRules(
        model=model,
        rules_from={
            phase: {
                name: tuple(rules)
                for name, rules in rules_of.items()
                if any((phase, rule.phase) in ways for rule in rules)
            }
            for phase in ("", *(phase.id for phase in model.phases))
        },
        moves=moves,
        ways_round=frozenset(ways_round),
        cycle_history=cycle.history if cycle else "any",
    )


def _ready(rule: Rule) -> EvidenceRule:
    return EvidenceRule(
        id=rule.id,
        phase=rule.phase,
        is_plain=rule.is_plain,
        channels=rule.channels,
        tests=tuple(map(_test, rule.where)),
        history=rule.history,
        times=rule.times,
        visit=rule.visit,
        is_of_cycle=rule.within == "cycle",
    )


def _test(condition: Condition) -> PropertyTest:
    wanted = frozenset(map(scalar, condition.one_of))
    return PropertyTest(condition.property, wanted, condition.at_least)


def _moves(model: JourneyModel) -> dict[tuple[str, str], TransitionKind]:
    rank = {phase.id: number for number, phase in enumerate(model.phases)}
    ways = {way: rank[way[1]] - rank[way[0]] for way in permutations(rank, 2)}
    moves: dict[tuple[str, str], TransitionKind] = {
        way: "forward" if steps == 1 else "skip" for way, steps in ways.items() if steps > 0
    }
    if model.skips != "all":
        allowed = {(way.leave, way.enter) for way in model.skips}
        moves = {w: kind for w, kind in moves.items() if kind == "forward" or w in allowed}
    return moves | dict.fromkeys(((way.leave, way.enter) for way in model.falls_back), "back")
