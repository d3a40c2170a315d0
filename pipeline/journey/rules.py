"""PURE: the rules a fold goes by, made ready for fast look-up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from pipeline.journey.state import identifier
from pipeline.journey.traffic import TrafficRules
from schemas.journeys import JourneyModel, Rule


def milliseconds(duration: timedelta) -> int:
    """Give a duration in whole milliseconds."""
    return duration // timedelta(milliseconds=1)


@dataclass(frozen=True)
class AbandonmentRules:
    """When a cart or checkout opens and when its silence has lasted too long."""

    kind_of: dict[str, str]
    timeout_ms: dict[str, int]
    recovery_ms: dict[str, int]


@dataclass(frozen=True)
class ModelRules:
    """One journey model: which rules a touchpoint name may meet, and the order of phases."""

    model: JourneyModel
    rules_of: dict[str, tuple[Rule, ...]]
    rank: dict[str, int]
    ways_back: frozenset[tuple[str, str]]
    ways_round: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Rules:
    """All rules of a fold. The first model is the default: it has funnel and abandonment."""

    models: tuple[ModelRules, ...]
    session_gap_ms: int
    allowed_lateness_ms: int
    journey_timeout_ms: int
    traffic: TrafficRules = field(default_factory=TrafficRules)
    abandonment: AbandonmentRules = field(init=False)
    orders: frozenset[str] = field(init=False)
    funnel: dict[str, int] = field(init=False)
    version: str = field(init=False)

    def __post_init__(self) -> None:
        default = self.models[0].model
        by_kind = {rule.kind: rule for rule in default.abandonment}
        derived = {
            "abandonment": AbandonmentRules(
                kind_of={name: rule.kind for rule in default.abandonment for name in rule.opens},
                timeout_ms={kind: milliseconds(rule.timeout) for kind, rule in by_kind.items()},
                recovery_ms={kind: milliseconds(rule.recovery) for kind, rule in by_kind.items()},
            ),
            "orders": frozenset(default.order),
            "funnel": {name: step for step, name in enumerate(default.funnel)},
            "version": identifier(
                *(model.model.model_dump_json() for model in self.models),
                str((self.session_gap_ms, self.allowed_lateness_ms, self.journey_timeout_ms)),
                self.traffic.sources.model_dump_json(),
                str((self.traffic.exclusions, self.traffic.brand_terms)),
            )[:8],
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)


def compile_rules(
    models: Iterable[JourneyModel],
    *,
    session_gap: timedelta = timedelta(minutes=30),
    allowed_lateness: timedelta = timedelta(hours=24),
    journey_timeout: timedelta = timedelta(days=30),
    traffic: TrafficRules | None = None,
) -> Rules:
    """Make the rules of `models`, of the three durations and of `traffic` ready for use.

    Without `traffic` no source is known by name.
    """
    return Rules(
        models=tuple(_compile(model) for model in models),
        session_gap_ms=milliseconds(session_gap),
        allowed_lateness_ms=milliseconds(allowed_lateness),
        journey_timeout_ms=milliseconds(journey_timeout),
        traffic=traffic or TrafficRules(),
    )


def _compile(model: JourneyModel) -> ModelRules:
    rules_of: dict[str, list[Rule]] = {}
    for rule in model.rules:
        for name in rule.touchpoints:
            rules_of.setdefault(name, []).append(rule)
    cycle = model.cycle
    return ModelRules(
        model=model,
        rules_of={name: tuple(rules) for name, rules in rules_of.items()},
        rank={phase.id: rank for rank, phase in enumerate(model.phases)},
        ways_back=frozenset((back.leave, back.enter) for back in model.falls_back),
        ways_round=frozenset((a, b) for a in cycle.leave for b in cycle.enter)
        if cycle
        else frozenset(),
    )
