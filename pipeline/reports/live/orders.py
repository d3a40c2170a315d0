"""Orders and revenue as they add up, compared with the span before and with the usual."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask
from pipeline.reports.live.usual import Usual, usual_number, usual_windows
from pipeline.reports.live.view import SLICES, View

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Money:
    """Orders in one currency, in the span and in the one before.

    `amount` was ordered; `net` is left of it after refunds. The lines add up `net`.
    """

    currency: str
    orders: int
    amount: float
    refunded: float
    net: float
    people: int
    orders_before: int
    amount_before: float
    net_before: float
    line: tuple[float, ...]
    line_before: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class UsualMoney:
    """The usual orders and net revenue at this hour; None: too little is known."""

    currency: str
    orders: Usual | None
    net: Usual | None


def read_orders(client: Client, view: View) -> tuple[Money, ...]:
    """Add up the orders by currency, the most frequent first."""
    totals = list(ask(client, view, "orders_by_currency"))
    now, before = _lines(client, view), _lines(client, view.before)
    return tuple(
        Money(
            **row,
            line=_added_up(now.get(row["currency"], ())),
            line_before=_added_up(before.get(row["currency"], ())),
        )
        for row in totals
    )


def read_usual_orders(client: Client, view: View) -> tuple[UsualMoney, ...]:
    """Compute what is usual at this hour, by currency."""
    counts: dict[str, dict[timedelta, float]] = {}
    amounts: dict[str, dict[timedelta, float]] = {}
    for back in usual_windows(view.length):
        for row in ask(client, view.earlier(back), "orders_by_currency"):
            if row["orders"]:
                counts.setdefault(row["currency"], {})[back] = row["orders"]
                amounts.setdefault(row["currency"], {})[back] = row["net"]
    return tuple(
        UsualMoney(
            currency=currency,
            orders=usual_number(counts[currency]),
            net=usual_number(amounts[currency]),
        )
        for currency in sorted(counts)
    )


def _lines(client: Client, view: View) -> dict[str, list[tuple[int, float]]]:
    """Return what came in when, by currency: the number of the slice, and the net revenue."""
    step = max(_SECOND, view.length / SLICES)
    found: dict[str, list[tuple[int, float]]] = {}
    for row in ask(client, view, "orders_over_time", step=int(step / _SECOND)):
        found.setdefault(row["currency"], []).append((view.slice_at(row["time"]), row["net"]))
    return found


def _added_up(points: Iterable[tuple[int, float]]) -> tuple[float, ...]:
    sums = [0.0] * SLICES
    for place, net in points:
        sums[place] += net
    return tuple(accumulate(sums))
