"""The live funnel: how far people get, now, recently, and usually at this hour.

A person counts for a step if they have it and every step before it, in any order, in the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask
from pipeline.reports.live.usual import Usual, usual_share, usual_windows
from pipeline.reports.live.view import SLICES, View
from schemas.times import milliseconds

VISIT = "Page Viewed"
"""The step before the first step of a model: any visit."""

_LINE_SPANS = 3

Window = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step: `people` reached it, and `gone_on` of them reached the next one.

    `before` and `before_gone_on` are the same numbers for the span before.
    """

    step: str
    people: int
    gone_on: int
    before: int
    before_gone_on: int


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """How many reached a step and how many of them the next one, in windows as long as the span;
    the last one ends now.
    """

    step: str
    line: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class UsualStep:
    """The usual range of the share that goes on, at this hour; None: too little is known."""

    step: str
    usual: Usual | None


def shown_steps(steps: Sequence[str]) -> tuple[str, ...]:
    """Return a funnel with the visit before it, unless that is one of its steps anyway."""
    return tuple(steps) if VISIT in steps else (VISIT, *steps)


def read_steps(client: Client, view: View, steps: Sequence[str]) -> tuple[Step, ...]:
    """Count the funnel of a visit and `steps`."""
    before = view.before
    windows = [(view.start, view.end), (before.start, before.end)]
    now, then = people_in(client, view, steps, windows)
    return tuple(
        Step(
            step=step,
            people=now[place],
            gone_on=(*now, 0)[place + 1],
            before=then[place],
            before_gone_on=(*then, 0)[place + 1],
        )
        for place, step in _places(steps)
    )


def read_step_lines(client: Client, view: View, steps: Sequence[str]) -> tuple[StepLine, ...]:
    """Count the funnel in the windows of its lines, over three spans."""
    lately = people_in(client, view, steps, _line(view))
    return tuple(
        StepLine(step=step, line=tuple((each[place], (*each, 0)[place + 1]) for each in lately))
        for place, step in _places(steps)
    )


def read_usual_steps(client: Client, view: View, steps: Sequence[str]) -> tuple[UsualStep, ...]:
    """Compute the usual range of each step's share, from the same hours of other weeks or days."""
    found: dict[timedelta, tuple[int, ...]] = {}
    for back in usual_windows(view.length):
        then = view.earlier(back)
        [found[back]] = people_in(client, then, steps, [(then.start, then.end)])

    def samples(place: int) -> dict[timedelta, tuple[int, int]]:
        return {back: (each[place], each[place + 1]) for back, each in found.items()}

    return tuple(
        UsualStep(step=step, usual=usual_share(samples(place)))
        for place, step in _places(steps)[:-1]
    )


def people_in(
    client: Client, view: View, steps: Sequence[str], windows: Sequence[Window]
) -> list[tuple[int, ...]]:
    """Count the people with a visit and at each of `steps`, for each of `windows`."""
    around = replace(view, start=min(windows)[0], end=max(end for _, end in windows))
    found = ask(
        client,
        around,
        "funnel_windows",
        steps=list(steps),
        starts=[milliseconds(start) for start, _ in windows],
        ends=[milliseconds(end) for _, end in windows],
    )
    people = {row["w"]: tuple(row["people"]) for row in found}
    nobody = (0,) * (len(steps) + 1)
    return [people.get(number, nobody) for number in range(1, len(windows) + 1)]


def _places(steps: Sequence[str]) -> list[tuple[int, str]]:
    """Give the shown steps with their places in the counts, of which the first is the visit's."""
    shown = shown_steps(steps)
    return list(enumerate(shown, start=len(steps) + 1 - len(shown)))


def _line(view: View) -> list[Window]:
    pace = view.length * _LINE_SPANS / SLICES
    ends = [view.end - pace * back for back in reversed(range(SLICES))]
    return [(end - view.length, end) for end in ends]
