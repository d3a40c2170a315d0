"""The statement of a funnel. PURE: text and its parameters.

Every value goes to the server as a parameter. The only user input that becomes text is the name of
a column, and only if the database has a column of that name.

In order: among the passages that reached the previous step, a step continues the one that began
last, if that was within the window. ClickHouse's `windowFunnel` finds the same, but it returns
neither the times between steps nor the first touchpoint. Strictly: the same, but a step looks back
at one touchpoint instead of all. In any order: each touchpoint compares the newest touchpoints of
all steps; if the steps ever fit into the window, they fit at one of these points.
"""

# ruff: noqa: S608 - see above: only our own text and known columns are formatted in.

from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pipeline.reports.funnel.question import (
    BadFunnel,
    Question,
    Step,
    Unit,
)
from pipeline.reports.span import IN_SPAN
from schemas.times import length

PROPERTY = "properties."
MOST_VALUES = 25

# The time and the place of its first touchpoint identify a passage. A passage that never began lies
# far before every time, so that it is always out of the window.
_LONG_AGO = "-1000000000000000"
_NEVER = f"(toInt64({_LONG_AGO}), toUInt64(0))"

# Touchpoints of the same millisecond are sorted by turn, then by the first step that each matches.
_MATCHED = """
SELECT
    *,
    indexOf(matches, 1) AS first_match,
    row_number() OVER (
        PARTITION BY site, unit
        ORDER BY at, turn, if(first_match = 0, 1000, first_match), matches
    ) AS place
FROM
(
    SELECT
        site,
        {unit}_id AS unit,
        toUnixTimestamp64Milli(occurred_at) AS at,
        turn,
        {value} AS value,
        [{matches}] AS matches
    FROM {view}
    WHERE {in_span}
)"""

_BEFORE = """PARTITION BY site, unit ORDER BY place
    ROWS BETWEEN {back} PRECEDING AND 1 PRECEDING"""

_CONTINUED = """
SELECT
    *,
    max(begun_{last}) OVER ({before}) AS open_{step},
    matches[{step}] AND at - open_{step}.1 <= {{window:Int64}} AS continues_{step},
    if(continues_{step}, open_{step}, {never}) AS begun_{step}
FROM ({rows})"""

_IN_ORDER = """
SELECT
    maxForEach(matches) AS reach,
    arraySum([{reached}]) AS level,
    [{begun}][greatest(level, 1)] AS begun,
    begun.1 AS begun_at,
    [{times}] AS times,
    {value} AS value
FROM ({rows})
GROUP BY site, unit"""

_IN_ANY_ORDER = """
SELECT
    maxForEach(matches) AS reach,
    max(fitting) AS level,
    argMax(newest, (fitting, -at)) AS chosen,
    chosen[1] AS begun_at,
    [{times}] AS times,
    {value} AS value
FROM
(
    SELECT *, [{newest}] AS newest, arraySum([{fitting}]) AS fitting
    FROM ({rows})
    WINDOW so_far AS (
        PARTITION BY site, unit ORDER BY at RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
)
GROUP BY site, unit"""

# Units that never began have no value: they count only in `reach`.
_COUNTED = """
SELECT
    toBool(grouping(value)) AS is_total,
    value,
    sumForEach(reach),
    sumForEach(arrayMap(step -> level >= step, range(1, {steps} + 1))) AS counts,
    [{waits}],
    count() OVER () - 1
FROM (SELECT * REPLACE (if(level = 0, NULL, value) AS value) FROM ({units}))
GROUP BY GROUPING SETS ((), (value))
HAVING is_total OR value IS NOT NULL
ORDER BY is_total DESC, counts[1] DESC, value
LIMIT {most}"""


@dataclass
class Statement:
    """The text of a statement, and the values of its parameters."""

    text: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)

    def place(self, value: str) -> str:
        """Add a value; return its placeholder for the text."""
        name = f"value_{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:String}}"


def funnel_statement(question: Question, columns: Collection[str]) -> Statement:
    """Write the statement; `columns` are those of the view that `view_of` names.

    Its columns: whether the row is the total, the value of the breakdown, units that have each
    step at all, units that reach it as the reading demands, [median, p90] of the seconds before
    each step except the first, and how many values there are. The statement also needs the
    parameters of a `Span`.

    Raises:
        BadFunnel: a filter or the breakdown names no column.
    """
    statement = Statement()
    statement.parameters["window"] = length(question.window)
    rows = _matched(question, columns, statement)
    units = _in_any_order if question.order == "unordered" else _in_order
    steps = len(question.steps)
    statement.text = _COUNTED.format(
        steps=steps,
        waits=", ".join(_waits(step) for step in range(2, steps + 1)),
        units=units(question, rows),
        most=MOST_VALUES + 1,
    )
    return statement


def view_of(unit: Unit) -> str:
    """Name the view with the touchpoints; it has the persons as known now."""
    return "person_touchpoints" if unit == "person" else "session_touchpoints"


def _matched(question: Question, columns: Collection[str], statement: Statement) -> str:
    by = _expression(question.by, columns, statement) if question.by else "''"
    names = ", ".join(statement.place(step.name) for step in question.steps)
    only = "" if question.order == "strict" else f" AND name IN ({names})"
    return _MATCHED.format(
        unit=question.unit,
        value=by,
        matches=", ".join(_match(step, columns, statement) for step in question.steps),
        view=view_of(question.unit),
        in_span=IN_SPAN.format(time="occurred_at") + only,
    )


def _match(step: Step, columns: Collection[str], statement: Statement) -> str:
    terms = [f"name = {statement.place(step.name)}"]
    for filter_ in step.filters:
        expression = _expression(filter_.field, columns, statement)
        terms.append(f"{expression} = {statement.place(filter_.value)}")
    return " AND ".join(terms)


def _expression(name: str, columns: Collection[str], statement: Statement) -> str:
    if name in columns:
        return f"ifNull(toString(`{name}`), '')"
    path = name.removeprefix(PROPERTY).split(".")
    if not name.startswith(PROPERTY) or not all(path):
        raise BadFunnel(_no_column(name, columns))
    where = ", ".join(["properties", *map(statement.place, path)])
    return f"if(JSONType({where}) = 'String', JSONExtractString({where}), JSONExtractRaw({where}))"


def _no_column(name: str, columns: Collection[str]) -> str:
    close = get_close_matches(name, columns, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    return (
        f"touchpoints have no column {name!r}: {meant}A property is written {PROPERTY}{name}; "
        f"the columns are {', '.join(sorted(columns))}"
    )


def _in_order(question: Question, rows: str) -> str:
    steps = range(1, len(question.steps) + 1)
    before = _BEFORE.format(back="1" if question.order == "strict" else "UNBOUNDED")
    rows = f"SELECT *, if(matches[1], (at, place), {_NEVER}) AS begun_1 FROM ({rows})"
    for step in steps[1:]:
        rows = _CONTINUED.format(last=step - 1, step=step, before=before, never=_NEVER, rows=rows)
    return _IN_ORDER.format(
        reached=", ".join(f"max(begun_{step}) > {_NEVER}" for step in steps),
        begun=", ".join(f"minIf(begun_{step}, begun_{step} > {_NEVER})" for step in steps),
        times=", ".join(_first_time(step) for step in steps),
        value=_value(question),
        rows=rows,
    )


def _first_time(step: int) -> str:
    """Write when the chosen passage reached `step`: the one that was first at the last level."""
    there = f"groupArrayIf((begun_{step}, at), begun_{step} > {_NEVER})"
    return f"arrayMin(there -> there.2, arrayFilter(there -> there.1 = begun, {there}))"


def _in_any_order(question: Question, rows: str) -> str:
    steps = range(1, len(question.steps) + 1)
    newest = [f"max(if(matches[{step}], at, {_LONG_AGO})) OVER so_far" for step in steps]
    return _IN_ANY_ORDER.format(
        newest=", ".join(newest),
        fitting=", ".join(_fits(step) for step in steps),
        times=", ".join(f"arrayMax(arraySlice(chosen, 1, {step}))" for step in steps),
        value=_value(question),
        rows=rows,
    )


def _fits(step: int) -> str:
    first = f"arraySlice(newest, 1, {step})"
    lowest, highest = f"arrayMin({first})", f"arrayMax({first})"
    return f"{lowest} > {_LONG_AGO} AND {highest} - {lowest} <= {{window:Int64}}"


def _value(question: Question) -> str:
    """Write the value at the first step; of several in that millisecond, the greatest text."""
    if not question.by:
        return "''"
    firsts = "groupUniqArrayIf((at, value), matches[1])"
    return f"arraySort(arrayMap(f -> f.2, arrayFilter(f -> f.1 = begun_at, {firsts})))[-1]"


def _waits(step: int) -> str:
    seconds = f"(times[{step}] - times[{step - 1}]) / 1000"
    return f"quantilesExactInclusiveIf(0.5, 0.9)({seconds}, level >= {step})"
