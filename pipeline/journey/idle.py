"""PURE: names in a journey model that never have an effect, and why."""

from collections.abc import Iterable, Iterator

from pipeline.values.texts import line
from schemas.journeys import JourneyModel

_OF_THE_FIRST = ("order", "refund", "cancellation", "funnel")
"""What the first model defines for the whole site, besides abandonment and its causes."""


def idle_names(model: JourneyModel, first: JourneyModel) -> list[str]:
    """Describe each name in `model` that does nothing; `first` is the first enabled model.

    A name may still do something elsewhere in the model.
    """
    return [*_never_sent(model), *_taken(model), *_of_the_first(model, first)]


def _never_sent(model: JourneyModel) -> Iterator[str]:
    for name in sorted(set(_names(model))):
        if name != line(name):
            yield f"{name!r} is no touchpoint's name: those have no blanks around them."


def _taken(model: JourneyModel) -> Iterator[str]:
    """A touchpoint explains by one cause: the first with its name."""
    cause_of: dict[str, str] = {}
    for cause in model.causes:
        for name in cause.touchpoints:
            earlier = cause_of.setdefault(name, cause.id)
            if earlier != cause.id:
                yield f"cause {cause.id}: {name!r} always belongs to cause {earlier}."


def _of_the_first(model: JourneyModel, first: JourneyModel) -> Iterator[str]:
    if model.id == first.id:
        return
    spoken, heard = _said_for_the_site(model), _said_for_the_site(first)
    for part, names in spoken.items():
        idle = [name for name in names if name not in heard.get(part, ())]
        if idle:
            yield (
                f"{part}: {', '.join(map(repr, idle))} counts only where {model.id} is the first "
                f"of TOUCHSTREAM_JOURNEY_MODELS; now that is {first.id}."
            )


def _said_for_the_site(model: JourneyModel) -> dict[str, tuple[str, ...]]:
    said: dict[str, tuple[str, ...]] = {part: getattr(model, part) for part in _OF_THE_FIRST}
    for rule in model.abandonment:
        said[f"abandonment {rule.kind}"] = (*rule.opens, *rule.ends, *rule.gives_up)
    return said | {f"cause {cause.id}": cause.touchpoints for cause in model.causes}


def _names(model: JourneyModel) -> Iterable[str]:
    yield from (name for names in _said_for_the_site(model).values() for name in names)
    for rule in model.rules:
        yield from rule.touchpoints
