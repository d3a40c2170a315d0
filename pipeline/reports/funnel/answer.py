"""The answer of a funnel, read from ClickHouse. Shell: prints nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.reports.funnel.question import Order, Question, Unit
from pipeline.reports.funnel.sql import funnel_statement, view_of
from pipeline.reports.span import Span

_COLUMNS = """
SELECT name FROM system.columns
WHERE database = currentDatabase() AND table = {view:String} AND name != 'properties'"""


@dataclass(frozen=True)
class Reached:
    """A step: `count` units reached it as the reading demands; `reach` units have it at all.

    `of_first` and `of_previous` are shares of the units at the first and at the previous step.
    `lost` is how many units of the previous step are missing here. `median_seconds` and
    `p90_seconds` are the time since the previous step. None: there is nothing to compare with.
    """

    step: str
    reach: int
    count: int
    of_first: float | None
    of_previous: float | None
    lost: int | None
    median_seconds: float | None
    p90_seconds: float | None


@dataclass(frozen=True)
class Part:
    """The funnel of the units that had `value` at the first step."""

    value: str
    steps: tuple[Reached, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A funnel, the parts of its breakdown, and how many parts were left out."""

    span: Span
    order: Order
    unit: Unit
    window_seconds: float
    by: str
    steps: tuple[Reached, ...]
    parts: tuple[Part, ...]
    parts_left_out: int


def read_funnel(client: Client, span: Span, question: Question) -> Answer:
    """Compute the funnel from the touchpoints of `span`.

    Raises:
        BadFunnel: a filter or the breakdown names no column.
    """
    parameters = {"view": view_of(question.unit)}
    columns = [name for (name,) in client.query(_COLUMNS, parameters=parameters).result_rows]
    statement = funnel_statement(question, columns)
    total, *parts = client.query(
        statement.text, parameters=span.parameters() | statement.parameters
    ).result_rows
    return Answer(
        span=span,
        order=question.order,
        unit=question.unit,
        window_seconds=question.window.total_seconds(),
        by=question.by,
        steps=_reached(question, total),
        parts=tuple(Part(row[1], _reached(question, row)) for row in parts if question.by),
        parts_left_out=total[-1] - len(parts) if question.by else 0,
    )


def _reached(question: Question, row: Sequence[Any]) -> tuple[Reached, ...]:
    nobody = [0] * len(question.steps)
    _, _, reach, counts, waits, _ = row
    reach, counts = reach or nobody, counts or nobody
    return tuple(
        Reached(
            step=str(step),
            reach=reach[place],
            count=counts[place],
            of_first=_share(counts[place], counts[0]) if place else None,
            of_previous=_share(counts[place], counts[place - 1]) if place else None,
            lost=counts[place - 1] - counts[place] if place else None,
            median_seconds=_known(waits[place - 1][0]) if place else None,
            p90_seconds=_known(waits[place - 1][1]) if place else None,
        )
        for place, step in enumerate(question.steps)
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _known(seconds: float) -> float | None:
    return None if isnan(seconds) else round(seconds, 3)
