"""PURE: what a rule of a journey model requires, in words. For commands and documentation."""

from collections.abc import Iterator

from schemas.journeys import Condition, History, JourneyModel, Rule

_HISTORY: dict[History, str] = {
    "any": "",
    "before_purchase": "before a purchase",
    "after_purchase": "after a purchase",
    "new_visit_after_purchase": "in a later visit than a purchase",
}


def conditions(rule: Rule) -> str:
    """Say what `rule` requires of a touchpoint besides its name; empty if nothing."""
    return ", ".join(_conditions(rule))


def _conditions(rule: Rule) -> Iterator[str]:
    of_the_cycle = " of the cycle" if rule.within == "cycle" else ""
    if rule.channels:
        yield f"on {' or '.join(rule.channels)}"
    yield from map(_property, rule.where)
    if rule.history != "any":
        yield _HISTORY[rule.history] + of_the_cycle
    if rule.times > 1:
        yield f"at least touchpoint {rule.times} of its name{of_the_cycle}"
    if rule.visit > 1:
        yield f"in visit {rule.visit}{of_the_cycle} or later"


def _property(condition: Condition) -> str:
    if condition.at_least is not None:
        return f"with {condition.property} of at least {condition.at_least:g}"
    return f"with {condition.property} {' or '.join(map(_value, condition.one_of))}"


def _value(value: str | float | bool) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def ways(model: JourneyModel) -> Iterator[str]:
    """Say how a journey can move other than one phase forward."""
    if model.skips == "all":
        yield "may skip phases"
    else:
        yield from (f"may skip from {way.leave} to {way.enter}" for way in model.skips)
    yield from (f"falls back from {way.leave} to {way.enter}" for way in model.falls_back)
    if model.cycle:
        leave, enter = (" or ".join(phases) for phases in (model.cycle.leave, model.cycle.enter))
        when = _HISTORY[model.cycle.history]
        yield f"begins the next cycle from {leave} into {enter}{when and f', {when} of the cycle'}"
