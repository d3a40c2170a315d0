"""What a journey model file says. Floor 1: imports nothing of ours.

A model is data: phases, the rules by which a touchpoint is evidence for a phase, the steps of the
funnel, and when a cart or checkout counts as abandoned. `schemas/journeys/*.toml` are the shipped
ones; a path to a file of the same shape works as well.
"""

import tomllib
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from schemas.facts import AbandonmentKind
from schemas.fields import Channel, Name

SHIPPED = Path(__file__).parent / "journeys"

History = Literal["any", "before_purchase", "after_purchase", "new_visit_after_purchase"]
"""What must have happened before: an order or none; or an order in an earlier session."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Phase(_Part):
    """A stage of the journey, with the label people see."""

    id: Name
    en: Name
    de: Name


class Rule(_Part):
    """Touchpoints of these names (and channels) are evidence for `phase`; the first rule wins."""

    id: Name
    phase: Name
    touchpoints: tuple[Name, ...] = Field(min_length=1)
    channels: tuple[Channel, ...] = ()
    history: History = "any"


class FallBack(_Part):
    """A way back that the model allows; all others are ignored."""

    leave: Name
    enter: Name


class Cycle(_Part):
    """Evidence for a phase of `enter` while in one of `leave` begins the next cycle."""

    leave: tuple[Name, ...]
    enter: tuple[Name, ...]


_ON_THE_WAY_TO_AN_ORDER = (("opens",), ("channels", "ends"))
_PARTS_OF: dict[AbandonmentKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "browse": _ON_THE_WAY_TO_AN_ORDER,
    "cart": _ON_THE_WAY_TO_AN_ORDER,
    "checkout": _ON_THE_WAY_TO_AN_ORDER,
    "form": (("opens", "ends"), ("channels",)),
    "newsletter": (("opens", "ends", "in_a_row"), ("channels", "gives_up")),
    "journey": ((), ("limits",)),
}
"""Of each kind: what its rule must say besides timeout and recovery, and what it may."""


class AbandonmentRule(_Part):
    """What opens it, what it awaits, and how long a silence may be before it is abandoned.

    A touchpoint of `ends` closes it or, within `recovery` after it was abandoned, recovers it;
    without any, those are the model's orders. A journey is opened, and recovered, by every
    touchpoint; `limits` are the timeouts of its phases, where they differ. Every touchpoint breaks
    the silence, but for a newsletter only `ends` do: its timeout runs from the so manieth mail
    `in_a_row`, and one of `gives_up` abandons it at once. `channels` limit what opens it.
    """

    kind: AbandonmentKind
    opens: tuple[Name, ...] = ()
    channels: tuple[Channel, ...] = ()
    ends: tuple[Name, ...] = ()
    gives_up: tuple[Name, ...] = ()
    in_a_row: int = Field(0, ge=0)
    timeout: timedelta
    limits: dict[Name, timedelta] = Field(default_factory=dict)
    recovery: timedelta

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> "AbandonmentRule":
        needed, possible = _PARTS_OF[self.kind]
        names = ("opens", "channels", "ends", "gives_up", "in_a_row", "limits")
        given = [name for name in names if getattr(self, name)]
        for name in needed:
            if name not in given:
                raise ValueError(f"the rule of {self.kind} needs {name}")
        for name in given:
            if name not in needed + possible:
                raise ValueError(f"{name} means nothing in the rule of {self.kind}")
        return self


class Cause(_Part):
    """Touchpoints that explain an abandonment when they came `within` so long before its end."""

    id: Name
    touchpoints: tuple[Name, ...] = Field(min_length=1)
    within: timedelta


class JourneyModel(_Part):
    """One journey model, complete."""

    id: Name
    version: Name
    phases: tuple[Phase, ...] = Field(min_length=2)
    rules: tuple[Rule, ...] = Field(min_length=1)
    falls_back: tuple[FallBack, ...] = ()
    cycle: Cycle | None = None
    funnel: tuple[Name, ...] = Field(min_length=2)
    order: tuple[Name, ...] = ("Order Completed",)
    abandonment: tuple[AbandonmentRule, ...] = ()
    causes: tuple[Cause, ...] = ()

    @model_validator(mode="after")
    def _abandonment_fits(self) -> "JourneyModel":
        named = Counter(f"abandonment {rule.kind}" for rule in self.abandonment)
        named.update(f"cause {cause.id}" for cause in self.causes)
        for what, times in named.items():
            if times > 1:
                raise ValueError(f"{what}: {times} have this id")
        limited = {phase for rule in self.abandonment for phase in rule.limits}
        for phase in sorted(limited - {phase.id for phase in self.phases}):
            raise ValueError(f"abandonment journey.limits: no phase {phase!r} in this model")
        return self

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "JourneyModel":
        named = Counter(f"phase {phase.id}" for phase in self.phases)
        named.update(f"rule {rule.id}" for rule in self.rules)
        for what, times in named.items():
            if times > 1:
                raise ValueError(f"{what}: {times} have this id")
        return self

    @model_validator(mode="after")
    def _phases_exist(self) -> "JourneyModel":
        known = {phase.id for phase in self.phases}
        named: dict[str, tuple[str, ...]] = {f"rule {r.id}": (r.phase,) for r in self.rules}
        named |= {f"falls_back {i}": (b.leave, b.enter) for i, b in enumerate(self.falls_back)}
        if self.cycle:
            named["cycle"] = (*self.cycle.leave, *self.cycle.enter)
        for where, phases in named.items():
            for phase in phases:
                if phase not in known:
                    raise ValueError(f"{where}: no phase {phase!r} in this model")
        return self


class BadModel(ValueError):
    """A model file that cannot be used; the text names file, rule and reason."""


def load_model(name_or_path: str) -> JourneyModel:
    """Read a shipped model by its name, or any model by the path of its file.

    Raises:
        BadModel: no such file, not TOML, or against the rules of `JourneyModel`.
    """
    shipped = SHIPPED / f"{name_or_path}.toml"
    path = shipped if shipped.exists() else Path(name_or_path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.toml")))
        raise BadModel(f"{name_or_path}: no readable file, and none of ours ({known})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadModel(f"{path}: not TOML: {error}") from error
    try:
        return JourneyModel.model_validate(document)
    except ValidationError as error:
        raise BadModel(f"{path}: {_complaint(error.errors()[0], document)}") from error


def _complaint(error: ErrorDetails, document: dict[str, Any]) -> str:
    place = error["loc"]
    match place:
        case ("rules", int(number), _, *_):
            place = (f"rule {document['rules'][number].get('id', number)}", *place[2:])
    where = ".".join(str(part) for part in place)
    reason = error["msg"].removeprefix("Value error, ")
    return ": ".join(filter(None, (where, reason)))
