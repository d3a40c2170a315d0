"""What happened in a span of time: the numbers, read from ClickHouse. Prints nothing.

The funnel has three readings. *Reach*: the step at all. *Closed*: this step and every earlier one,
in any order. *Ordered*: all of them in this order, however long it took.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from clickhouse_connect.driver.client import Client

from pipeline.reports.overview import orders_sql
from pipeline.reports.overview import sql as report_sql
from pipeline.reports.span import Span
from pipeline.values.totals import plain_rows
from schemas.journeys import JourneyModel

FUNNEL = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")


_MOST_STEPS = 32


@dataclass(frozen=True)
class Share:
    """A part of a whole, and their ratio; None if the whole is zero."""

    part: int
    whole: int
    ratio: float | None


@dataclass(frozen=True)
class Funnel:
    """How far visitors or sessions got, and how many abandoned a cart or checkout."""

    unit: Literal["visitor", "session"]
    steps: tuple[str, ...]
    reach: tuple[int, ...]
    closed: tuple[int, ...]
    ordered: tuple[int, ...]
    cart_abandonment: Share
    checkout_abandonment: Share


@dataclass(frozen=True)
class Revenue:
    """Distinct orders in one currency; each counts with the revenue of its first touchpoint.

    `refunded` is the part of `amount` that was refunded until now; `net` is the rest.
    """

    currency: str
    orders: int
    amount: Decimal
    touchpoints: int
    refunded: Decimal
    net: Decimal


@dataclass(frozen=True)
class LeftOut:
    """Orders that do not count, or refunds that take nothing off, and why.

    An order is `late` or of a `bot`. So can a refund be; or it `names no order`, or an `unknown
    order`, or is in an `other currency`.
    """

    what: str
    why: str
    times: int
    currency: str
    amount: Decimal


@dataclass(frozen=True)
class Uncounted:
    """Touchpoints whose money does not count, and why; docs/messy-input.md explains the reasons."""

    name: str
    reason: str
    touchpoints: int


@dataclass(frozen=True)
class PhaseCount:
    """People in a phase of a model, with the labels of the model file if that is known."""

    model: str
    phase: str
    en: str
    de: str
    people: int


@dataclass(frozen=True)
class Abandoned:
    """Abandonments as they were recorded live."""

    kind: str
    currency: str
    count: int
    recovered: int
    value: Decimal


@dataclass(frozen=True)
class Buried:
    """Dead letters of one reason."""

    stage: str
    reason: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that `touchstream report` says.

    Late touchpoints and bots are counted in `late`, `bots` and `left_out`, and nowhere else.
    """

    span: Span
    touchpoints: int
    late: int
    bots: int
    visitors: int
    people: int
    links: int
    sessions: int
    by_visitor: Funnel
    by_session: Funnel
    revenue: tuple[Revenue, ...]
    left_out: tuple[LeftOut, ...]
    uncounted_money: tuple[Uncounted, ...]
    phases: tuple[PhaseCount, ...]
    abandoned: tuple[Abandoned, ...]
    dead_letters: tuple[Buried, ...]

    @property
    def orders(self) -> int:
        """Distinct orders in all currencies."""
        return sum(revenue.orders for revenue in self.revenue)


def read_report(
    client: Client,
    span: Span,
    *,
    steps: Sequence[str] = FUNNEL,
    models: Iterable[JourneyModel] = (),
) -> Report:
    """Read the report of `span`; `models` give the phases their labels and order.

    Raises:
        ValueError: `steps` are not 1 to 32 different names, as ClickHouse's windowFunnel needs.
    """
    if not 1 <= len(set(steps)) == len(steps) <= _MOST_STEPS:
        raise ValueError(f"a funnel has 1 to {_MOST_STEPS} different steps")

    def rows(statement: str) -> Sequence[Sequence[Any]]:
        found = client.query(statement, parameters=span.parameters())
        return plain_rows(found.result_rows, found.column_names)

    [(touchpoints, late, bots, visitors)] = rows(report_sql.TOUCHPOINTS)
    [(sessions, people)] = rows(report_sql.SESSIONS)
    [(links,)] = rows(report_sql.LINKS)
    return Report(
        span=span,
        touchpoints=touchpoints,
        late=late,
        bots=bots,
        visitors=visitors,
        people=people,
        links=links,
        sessions=sessions,
        by_visitor=_funnel(client, span, "visitor", steps),
        by_session=_funnel(client, span, "session", steps),
        revenue=tuple(Revenue(*row) for row in rows(orders_sql.ORDERS)),
        left_out=tuple(LeftOut(*row) for row in rows(orders_sql.LEFT_OUT)),
        uncounted_money=tuple(Uncounted(*row) for row in rows(report_sql.UNCOUNTED_MONEY)),
        phases=_labelled(rows(report_sql.PHASES), models),
        abandoned=tuple(Abandoned(*row) for row in rows(report_sql.ABANDONED)),
        dead_letters=tuple(Buried(*row) for row in rows(report_sql.DEAD_LETTERS)),
    )


def _funnel(
    client: Client, span: Span, unit: Literal["visitor", "session"], steps: Sequence[str]
) -> Funnel:
    [(*readings, carts_left, carts, checkouts_left, checkouts)] = client.query(
        report_sql.funnel(unit, len(steps)), parameters=span.parameters() | {"steps": list(steps)}
    ).result_rows
    reach, closed, ordered = (tuple(reading) or (0,) * len(steps) for reading in readings)
    return Funnel(
        unit=unit,
        steps=tuple(steps),
        reach=reach,
        closed=closed,
        ordered=ordered,
        cart_abandonment=_share(carts_left, carts),
        checkout_abandonment=_share(checkouts_left, checkouts),
    )


def _share(part: int, whole: int) -> Share:
    return Share(part, whole, part / whole if whole else None)


def _labelled(
    rows: Sequence[Sequence[Any]], models: Iterable[JourneyModel]
) -> tuple[PhaseCount, ...]:
    known = {(model.id, phase.id): phase for model in models for phase in model.phases}
    places = {phase: place for place, phase in enumerate(known)}

    def count(model: str, phase: str, people: int) -> PhaseCount:
        label = known.get((model, phase))
        en, de = (label.en, label.de) if label else (phase, phase)
        return PhaseCount(model, phase, en, de, people)

    def place(row: Sequence[Any]) -> tuple[int, str, str]:
        model, phase, _ = row
        return places.get((model, phase), len(places)), model, phase

    return tuple(count(*row) for row in sorted(rows, key=place))
