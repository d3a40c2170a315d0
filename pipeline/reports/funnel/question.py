"""The definition of a funnel: steps, order, unit, window, breakdown. PURE: text only, no SQL.

A step is the name of a touchpoint, with optional filters; `>` joins the steps:

    Page Viewed[path=/sale, device=mobile] > Product Added > Order Completed
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from schemas.errors import Unusable

Order = Literal["strict", "ordered", "unordered"]
Unit = Literal["person", "visitor", "session"]

FEWEST_STEPS, MOST_STEPS = 2, 20
LONGEST_WINDOW = timedelta(days=3660)
DEFAULT_WINDOW = timedelta(days=14)

_ARROW = re.compile(r">(?![^\[]*\])")  # not one within a filter
_STEP = re.compile(r"([^\[\]]+?)\s*(?:\[([^\[\]]*)\])?")
_WINDOW = re.compile(r"(\d{1,9})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class BadFunnel(Unusable, ValueError):
    """An invalid funnel; the text says what to write instead."""


@dataclass(frozen=True)
class Filter:
    """The column `field`, or the property `properties.NAME`, is exactly `value`."""

    field: str
    value: str

    def __str__(self) -> str:
        return f"{self.field}={self.value}"


@dataclass(frozen=True)
class Step:
    """Touchpoints of this name that pass every filter."""

    name: str
    filters: tuple[Filter, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.filters))}]" if self.filters else self.name


@dataclass(frozen=True, kw_only=True)
class Question:
    """A funnel to compute. `by` is a column, `properties.NAME`, or empty: not broken down.

    Raises:
        BadFunnel: there are too few or too many steps, a step occurs twice though the order is
            free, or the window is not between 1 second and 3,660 days.
    """

    steps: tuple[Step, ...]
    order: Order = "ordered"
    unit: Unit = "person"
    window: timedelta = DEFAULT_WINDOW
    by: str = ""

    def __post_init__(self) -> None:
        count = len(self.steps)
        if not FEWEST_STEPS <= count <= MOST_STEPS:
            raise BadFunnel(
                f"a funnel has {FEWEST_STEPS} to {MOST_STEPS} steps, this one has {count}: "
                'write them as "Product Viewed > Product Added > Order Completed"'
            )
        if self.order == "unordered" and len(set(self.steps)) < count:
            raise BadFunnel(
                "in any order, a step can be used only once: drop the second one, narrow it "
                "with a filter, or use --order ordered"
            )
        if not timedelta(seconds=1) <= self.window <= LONGEST_WINDOW:
            raise BadFunnel(f"a window has 1 second to {LONGEST_WINDOW.days:,} days")


def parse_steps(text: str) -> tuple[Step, ...]:
    """Read `Name > Name[field=value, field=value] > …`.

    Raises:
        BadFunnel: a step is invalid; the text names it and says what to write.
    """
    return tuple(_step(n, piece.strip()) for n, piece in enumerate(_ARROW.split(text), 1))


def parse_window(text: str) -> timedelta:
    """Read `90s`, `30m`, `12h`, `14d` or `2w`.

    Raises:
        BadFunnel: the text is none of these, or the window is too long to compute.
    """
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        raise BadFunnel(f"{text!r} is not a window: write a number and s, m, h, d or w, as in 14d")
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError as error:
        raise BadFunnel(f"a window has 1 second to {LONGEST_WINDOW.days:,} days") from error


def _step(number: int, text: str) -> Step:
    if not text:
        raise BadFunnel(f"step {number} is empty: write a name on both sides of every >")
    match = _STEP.fullmatch(text)
    if match is None:
        raise BadFunnel(
            f"step {number}, {text!r}: write one filter in [ and ] after the name, as in "
            "Product Viewed[channel=shop]"
        )
    name, filters = match[1], match[2]
    return Step(name, () if filters is None else _filters(number, filters))


def _filters(number: int, text: str) -> tuple[Filter, ...]:
    return tuple(_filter(number, piece) for piece in text.split(","))


def _filter(number: int, text: str) -> Filter:
    field, equals, value = (part.strip() for part in text.partition("="))
    if not (field and equals):
        raise BadFunnel(
            f"step {number}: {text.strip()!r} is not a filter: write field=value, separated by "
            "commas, as in [channel=shop, device=mobile]"
        )
    return Filter(field, value)
