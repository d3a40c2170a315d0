"""The live funnel: how far people get, now, recently, and usually at this hour.

A person counts for a step if they have it and every step before it, in any order, in the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask
from pipeline.reports.live.usual import Usual, usual_share, usual_windows
from pipeline.reports.live.view import IDENTITIES, PERSON, SLICES, VISITORS_OF_SEGMENT, View
from schemas.times import milliseconds

VISIT = "Page Viewed"
"""The step before the first step of a model: any visit."""

_LINE_SPANS = 3
_LATEST, _BEFORE = 1, 2

Window = tuple[datetime, datetime]

# A touchpoint of another step also counts as a visit.
_PEOPLE = """
SELECT w, sumForEach(closed) AS people
FROM
(
    SELECT w, person,
        arrayMap(step -> has(names, step), {{steps:Array(String)}}) AS reach,
        arrayMap(
            i -> i = 1 OR arrayMin(arraySlice(reach, 2, i - 1)), arrayEnumerate(reach)
        ) AS closed
    FROM
    (
        SELECT w, {person} AS person, groupUniqArray(v.name) AS names
        FROM
        (
            SELECT visitor_id, name, arrayJoin(arrayFilter(
                n -> occurred_at >= fromUnixTimestamp64Milli({{starts:Array(Int64)}}[n])
                    AND occurred_at < fromUnixTimestamp64Milli({{ends:Array(Int64)}}[n]),
                arrayEnumerate({{starts:Array(Int64)}})
            )) AS w
            FROM touchpoints FINAL
            WHERE site = {{site:String}} AND NOT is_late AND NOT is_bot
                AND toDate(occurred_at) IN {{days:Array(Date)}}
                AND has({{steps:Array(String)}}, name){narrowed}
        ) AS v
        LEFT JOIN {identities} AS i ON v.visitor_id = i.visitor_id
        GROUP BY w, person
    )
)
GROUP BY w"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step: `people` reached it, and `gone_on` of them reached the next one.

    `before` and `before_gone_on` are the same numbers for the span before. `line` has both numbers
    for windows as long as the span; the last one ends now.
    """

    step: str
    people: int
    gone_on: int
    before: int
    before_gone_on: int
    line: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class UsualStep:
    """The usual range of the share that goes on, at this hour; None: too little is known."""

    step: str
    usual: Usual | None


def read_steps(client: Client, view: View, steps: Sequence[str]) -> tuple[Step, ...]:
    """Count the funnel of a visit and `steps`, with its line."""
    line = _line(view)
    before = view.before
    windows = [(view.start, view.end), (before.start, before.end), *line]
    found = people_in(client, view, steps, windows)
    now, then, *lately = found
    return tuple(
        Step(
            step=step,
            people=now[place],
            gone_on=now[place + 1] if place < len(steps) else 0,
            before=then[place],
            before_gone_on=then[place + 1] if place < len(steps) else 0,
            line=tuple((each[place], (*each, 0)[place + 1]) for each in lately),
        )
        for place, step in enumerate((VISIT, *steps))
    )


def read_usual_steps(client: Client, view: View, steps: Sequence[str]) -> tuple[UsualStep, ...]:
    """Compute the usual range of each step's share, from the same hours of other weeks or days."""
    shifts = usual_windows(view.length)
    windows = [(view.start - shift, view.end - shift) for shift in shifts]
    found = dict(zip(shifts, people_in(client, view, steps, windows), strict=True))

    def samples(place: int) -> dict[timedelta, tuple[int, int]]:
        return {shift: (each[place], each[place + 1]) for shift, each in found.items()}

    return tuple(
        UsualStep(step=step, usual=usual_share(samples(place)))
        for place, step in enumerate((VISIT, *steps)[:-1])
    )


def people_in(
    client: Client, view: View, steps: Sequence[str], windows: Sequence[Window]
) -> list[tuple[int, ...]]:
    """Count the people with a visit and at each of `steps`, for each of `windows`."""
    narrowed = " AND channel = {channel:String}" if view.channel else ""
    narrowed += f" AND visitor_id IN ({VISITORS_OF_SEGMENT})" if view.segment else ""
    statement = _PEOPLE.format(person=PERSON, identities=IDENTITIES, narrowed=narrowed)
    found = ask(
        client,
        view,
        statement,
        steps=[VISIT, *steps],
        starts=[milliseconds(start) for start, _ in windows],
        ends=[milliseconds(end) for _, end in windows],
        days=sorted({day for window in windows for day in _days(window)}),
    )
    people: dict[int, Any] = {row["w"]: tuple(row["people"]) for row in found}
    nobody = (0,) * (len(steps) + 1)
    return [people.get(number, nobody) for number in range(1, len(windows) + 1)]


def _line(view: View) -> list[Window]:
    pace = view.length * _LINE_SPANS / SLICES
    ends = [view.end - pace * back for back in reversed(range(SLICES))]
    return [(end - view.length, end) for end in ends]


def _days(window: Window) -> list[Any]:
    start, end = window
    count = (end.date() - start.date()).days
    return [(start + timedelta(days=day)).date() for day in range(count + 1)]
