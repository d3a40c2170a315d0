"""The content of a journey model file. Floor 1: imports nothing of ours.

A model is data: phases, the rules by which a touchpoint is evidence for a phase, the ways between
phases, minimum standards, the steps of the funnel, and when a cart or checkout counts as abandoned.
The shipped models are `schemas/journeys/*.toml`; the path of any file of the same shape also works.
docs/journeys.md explains how to write one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from schemas.errors import Unusable
from schemas.facts import AbandonmentKind
from schemas.fields import Channel, Name, Text
from schemas.toml import NotToml, parsed_toml
from schemas.touchpoint import OrderEvent

SHIPPED = Path(__file__).parent / "journeys"

History = Literal["any", "before_purchase", "after_purchase", "new_visit_after_purchase"]
"""What must have happened before: an order or none; or an order in an earlier session."""


Longest = Annotated[timedelta, Field(gt=timedelta(0))]
"""A duration that counts as too long when it is exceeded."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Canvas(_Part):
    """What the workshop noted about a phase; the map shows it beside the numbers."""

    needs: Text = ""
    key_moment: Text = ""
    picture: Text = ""
    team: Text = ""


class Phase(_Part):
    """A stage of the journey, with the label people see; `longest` is its minimum standard."""

    id: Name
    en: Name
    de: Name
    longest: Longest | None = None
    canvas: Canvas | None = None


class Condition(_Part):
    """A property of the touchpoint is one of these values, or a number not below `at_least`."""

    property: Name
    one_of: tuple[str | float | bool, ...] = ()
    at_least: float | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "Condition":
        if bool(self.one_of) == (self.at_least is not None):
            raise ValueError("give either one_of or at_least, not both")
        return self

    def follows_from(self, other: "Condition") -> bool:
        """Tell whether everything that meets `other` meets this condition."""
        if self.property != other.property:
            return False
        if self.at_least is None or other.at_least is None:
            return bool(other.one_of) and set(other.one_of) <= set(self.one_of)
        return self.at_least <= other.at_least


_IN_ANOTHER_VISIT: History = "new_visit_after_purchase"


class Rule(_Part):
    """Touchpoints of these names that meet all conditions are evidence for `phase`.

    Among the rules of a name, the first that matches decides. `times` and `visit` say that it is at
    least the nth touchpoint of its name, in at least the nth visit. History is that of the whole
    life, or of the cycle alone; the touchpoint itself is no order in its history.
    """

    id: Name
    phase: Name
    touchpoints: tuple[Name, ...] = Field(min_length=1)
    channels: tuple[Channel, ...] = ()
    where: tuple[Condition, ...] = ()
    history: History = "any"
    times: int = Field(1, ge=1)
    visit: int = Field(1, ge=1)
    within: Literal["life", "cycle"] = "life"

    @property
    def is_plain(self) -> bool:
        """Whether the names alone decide."""
        asked = (self.channels, self.where, self.history, self.times, self.visit)
        return asked == ((), (), "any", 1, 1)

    def decides_before(self, other: "Rule") -> set[str]:
        """Give the names for which `other` never decides if this rule comes before it."""
        is_met = self._asks_no_more_than(other)
        return set(self.touchpoints) & set(other.touchpoints) if is_met else set()

    def _asks_no_more_than(self, other: "Rule") -> bool:
        """Tell whether everything that meets `other` meets this rule, as far as this is known."""
        is_timeless = (self.history, self.times, self.visit) == ("any", 1, 1)
        is_after_all = (self.history, other.history) == ("after_purchase", _IN_ANOTHER_VISIT)
        return (
            (is_timeless or self.within == other.within)
            and (self.history in ("any", other.history) or is_after_all)
            and (self.times <= other.times and self.visit <= other.visit)
            and (not self.channels or set(self.channels) >= set(other.channels) > set())
            and all(any(map(one.follows_from, other.where)) for one in self.where)
        )


class Way(_Part):
    """From one phase to another."""

    leave: Name
    enter: Name


class Cycle(_Part):
    """Evidence for a phase of `enter` while in one of `leave` begins the next cycle.

    `history`, which is that of the cycle, must have happened before.
    """

    leave: tuple[Name, ...]
    enter: tuple[Name, ...]
    history: History = "any"


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
    the silence, but for a newsletter only `ends` do: its timeout runs from the nth mail
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
                raise ValueError(f"{name} has no meaning in the rule of {self.kind}")
        return self


class Cause(_Part):
    """Touchpoints that explain an abandonment if they came `within` this time before its end."""

    id: Name
    touchpoints: tuple[Name, ...] = Field(min_length=1)
    within: timedelta


class JourneyModel(_Part):
    """One journey model, complete.

    Those of the first model that is enabled are the site's names of orders, of what takes money of
    an order back, and of what takes all of it back.
    """

    id: Name
    version: Name
    phases: tuple[Phase, ...] = Field(min_length=2)
    rules: tuple[Rule, ...] = Field(min_length=1)
    skips: Literal["all"] | tuple[Way, ...] = "all"
    falls_back: tuple[Way, ...] = ()
    cycle: Cycle | None = None
    longest_wait: dict[Channel, Longest] = Field(default_factory=dict)
    funnel: tuple[Name, ...] = Field(min_length=2)
    order: tuple[Name, ...] = Field(("Order Completed",), min_length=1)
    refund: tuple[Name, ...] = ("Order Refunded",)
    cancellation: tuple[Name, ...] = ("Order Cancelled",)
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
    def _holds_together(self) -> "JourneyModel":
        for mistakes in (self._repeated(), self._unknown(), self._wrong_ways(), self._unheard()):
            for mistake in mistakes:
                raise ValueError(mistake)
        return self

    @cached_property
    def order_events(self) -> dict[str, OrderEvent]:
        """What touchpoints do to an order, by name."""
        return {
            **dict.fromkeys(self.cancellation, "cancelled"),
            **dict.fromkeys(self.refund, "refunded"),
            **dict.fromkeys(self.order, "completed"),
        }

    @property
    def unreached(self) -> tuple[str, ...]:
        """The phases that no rule leads to."""
        reached = {rule.phase for rule in self.rules}
        return tuple(phase.id for phase in self.phases if phase.id not in reached)

    @property
    def names(self) -> set[str]:
        """All touchpoints that the model names."""
        done = {*self.order, *self.refund, *self.cancellation}
        return done.union(self.funnel, *(rule.touchpoints for rule in self.rules))

    def _repeated(self) -> Iterator[str]:
        named = Counter(f"phase {phase.id}" for phase in self.phases)
        named.update(f"rule {rule.id}" for rule in self.rules)
        yield from (f"{what}: {times} have this id" for what, times in named.items() if times > 1)
        done = {"order": self.order, "refund": self.refund, "cancellation": self.cancellation}
        named = Counter(name for names in done.values() for name in set(names))
        for name, times in named.items():
            if times > 1:
                yield f"{name!r} stands in {times} of order, refund and cancellation"
        listed = (
            {"funnel": self.funnel} | done | {f"rule {r.id}": r.touchpoints for r in self.rules}
        )
        for where, names in listed.items():
            for name, times in Counter(names).items():
                if times > 1:
                    yield f"{where}: {name!r} stands here {times} times"

    def _unknown(self) -> Iterator[str]:
        known = {phase.id for phase in self.phases}
        named: dict[str, tuple[str, ...]] = {f"rule {r.id}": (r.phase,) for r in self.rules}
        for kind, ways in (("skips", self._skips), ("falls_back", self.falls_back)):
            named |= {f"{kind} {i}": (way.leave, way.enter) for i, way in enumerate(ways)}
        if self.cycle:
            named["cycle"] = (*self.cycle.leave, *self.cycle.enter)
        for where, phases in named.items():
            for phase in phases:
                if phase not in known:
                    yield f"{where}: no phase {phase!r} in this model"

    def _wrong_ways(self) -> Iterator[str]:
        rank = {phase.id: number for number, phase in enumerate(self.phases)}
        for number, way in enumerate(self._skips):
            if rank[way.enter] <= rank[way.leave] + 1:
                yield f"skips {number}: from {way.leave} to {way.enter} no phase is left out"
        for number, way in enumerate(self.falls_back):
            if rank[way.enter] >= rank[way.leave]:
                yield f"falls_back {number}: {way.enter} does not stand before {way.leave}"
        if self.cycle and self.cycle.history in ("any", "before_purchase"):
            for phase in set(self.cycle.leave) & set(self.cycle.enter):
                yield (
                    f"cycle: every touchpoint in {phase} would begin one; say history = "
                    '"new_visit_after_purchase" or "after_purchase"'
                )

    def _unheard(self) -> Iterator[str]:
        for number, rule in enumerate(self.rules):
            for earlier in self.rules[:number]:
                for name in sorted(earlier.decides_before(rule)):
                    yield f"rule {rule.id}: {name!r} is always decided by rule {earlier.id}"

    @property
    def _skips(self) -> tuple[Way, ...]:
        return () if self.skips == "all" else self.skips


class BadModel(Unusable, ValueError):
    """An invalid model file; the text names file, rule and reason."""


def load_model(name_or_path: str) -> JourneyModel:
    """Read a shipped model by its name, or any model by the path of its file.

    Raises:
        BadModel: no such file, not TOML, or against the rules of `JourneyModel`.
    """
    shipped = SHIPPED / f"{name_or_path}.toml"
    path = shipped if shipped.exists() else Path(name_or_path)
    try:
        document = parsed_toml(path.read_bytes())
    except OSError as error:
        known = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.toml")))
        raise BadModel(
            f"{name_or_path}: neither a readable file nor a shipped model ({known})"
        ) from error
    except NotToml as error:
        raise BadModel(f"{path}: {error}") from error
    try:
        return JourneyModel.model_validate(document)
    except ValidationError as error:
        raise BadModel(f"{path}: {_complaint(error.errors()[0], document)}") from error


def load_models(names: Iterable[str]) -> list[JourneyModel]:
    """Read the models of a setting: at least one, and each id only once.

    Raises:
        BadModel: one of them cannot be used, or cannot be combined with the others.
    """
    models = [load_model(name) for name in names]
    if not models:
        raise BadModel("journey_models: name at least one model, the first is the default")
    for id_, times in Counter(model.id for model in models).items():
        if times > 1:
            raise BadModel(
                f"journey_models: {times} models have the id {id_!r}; change one of them"
            )
    return models


def _complaint(error: ErrorDetails, document: dict[str, Any]) -> str:
    place = error["loc"]
    match place:
        case ("rules" | "phases" as part, int(number), _, *_):
            name = document[part][number].get("id", number)
            place = (f"{part.removesuffix('s')} {name}", *place[2:])
    where = ".".join(str(part) for part in place)
    reason = error["msg"].removeprefix("Value error, ")
    return ": ".join(filter(None, (where, reason)))
