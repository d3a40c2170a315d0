"""PURE: the rules a fold goes by, made ready for fast look-up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from pipeline.journey.abandonment_rules import AbandonmentRules, compile_abandonment
from pipeline.journey.state import identifier
from schemas.journeys import JourneyModel, Rule


def milliseconds(duration: timedelta) -> int:
    """Give a duration in whole milliseconds."""
    return duration // timedelta(milliseconds=1)


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
    abandonment: AbandonmentRules = field(init=False)
    orders: frozenset[str] = field(init=False)
    funnel: dict[str, int] = field(init=False)
    version: str = field(init=False)

    def __post_init__(self) -> None:
        default = self.models[0].model
        derived = {
            "abandonment": compile_abandonment(default),
            "orders": frozenset(default.order),
            "funnel": {name: step for step, name in enumerate(default.funnel)},
            "version": identifier(
                *(model.model.model_dump_json() for model in self.models),
                str((self.session_gap_ms, self.allowed_lateness_ms, self.journey_timeout_ms)),
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
) -> Rules:
    """Make the rules of `models` and of the three durations ready for use."""
    return Rules(
        models=tuple(_compile(model) for model in models),
        session_gap_ms=milliseconds(session_gap),
        allowed_lateness_ms=milliseconds(allowed_lateness),
        journey_timeout_ms=milliseconds(journey_timeout),
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
