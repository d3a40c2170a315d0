"""Orders and revenue as they add up, compared with the span before and with the usual."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, rows_of
from pipeline.reports.live.usual import Usual, usual_number, usual_windows
from pipeline.reports.live.view import SLICES, VISITORS_OF_SEGMENT, View
from schemas.times import length

# Each order counts once, as in `touchstream report`: with its first touchpoint.
_ORDERS = """
    SELECT
        argMin(currency, (occurred_at, turn, touchpoint_id)) AS currency,
        argMin(revenue, (occurred_at, turn, touchpoint_id)) AS revenue,
        toUnixTimestamp64Milli(min(occurred_at)) AS at
    FROM touchpoints FINAL
    WHERE order_event = 'completed' AND NOT is_bot AND NOT is_late AND site = {{site:String}}
        AND occurred_at >= fromUnixTimestamp64Milli({earliest})
        AND occurred_at < fromUnixTimestamp64Milli({{end:Int64}}){narrowed}
    GROUP BY {window}order_id, if(order_id = '', touchpoint_id, '')"""

_ADDED_UP = """
SELECT currency, countIf(is_now) AS orders, sumIf(revenue, is_now) AS amount,
    countIf(NOT is_now) AS orders_before, sumIf(revenue, NOT is_now) AS amount_before,
    arrayCumSum(sumForEach(arrayMap(
        n -> toFloat64(if(n = place AND is_now, revenue, 0)), range({slices})
    ))) AS line,
    arrayCumSum(sumForEach(arrayMap(
        n -> toFloat64(if(n = place AND NOT is_now, revenue, 0)), range({slices})
    ))) AS line_before
FROM
(
    SELECT *, at >= {{start:Int64}} AS is_now,
        least({slices} - 1, intDiv(
            at - if(is_now, {{start:Int64}}, 2 * {{start:Int64}} - {{end:Int64}}), {{slice:Int64}}
        )) AS place
    FROM ({orders})
)
GROUP BY currency
ORDER BY orders DESC, currency"""

_OFTEN = """
SELECT currency, number, count() AS orders, toFloat64(sum(revenue)) AS amount
FROM
(
    SELECT currency, revenue, arrayJoin(arrayFilter(
        n -> at >= {{start:Int64}} - {{shifts:Array(Int64)}}[n]
            AND at < {{end:Int64}} - {{shifts:Array(Int64)}}[n],
        arrayEnumerate({{shifts:Array(Int64)}})
    )) AS number
    FROM ({orders})
)
GROUP BY currency, number"""


@dataclass(frozen=True, kw_only=True)
class Money:
    """Orders in one currency, in the span and in the one before; the lines add up revenue."""

    currency: str
    orders: int
    amount: Decimal
    orders_before: int
    amount_before: Decimal
    line: tuple[float, ...]
    line_before: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class UsualMoney:
    """The usual orders and revenue at this hour; None: too little is known."""

    currency: str
    orders: Usual | None
    amount: Usual | None


def read_orders(client: Client, view: View) -> tuple[Money, ...]:
    """Add up the orders by currency, the most frequent first."""
    orders = _orders(view, "2 * {start:Int64} - {end:Int64}")
    return rows_of(Money, client, view, _ADDED_UP.format(orders=orders, slices=SLICES))


def read_usual_orders(client: Client, view: View) -> tuple[UsualMoney, ...]:
    """Compute what is usual at this hour, by currency."""
    shifts = usual_windows(view.length)
    orders = _orders(view, "{start:Int64} - arrayMax({shifts:Array(Int64)})")
    counts: dict[str, dict[timedelta, float]] = {}
    amounts: dict[str, dict[timedelta, float]] = {}
    for row in ask(client, view, _OFTEN.format(orders=orders), shifts=[*map(length, shifts)]):
        shift = shifts[row["number"] - 1]
        counts.setdefault(row["currency"], {})[shift] = row["orders"]
        amounts.setdefault(row["currency"], {})[shift] = row["amount"]
    return tuple(
        UsualMoney(
            currency=currency,
            orders=usual_number(counts[currency]),
            amount=usual_number(amounts[currency]),
        )
        for currency in sorted(counts)
    )


def _orders(view: View, earliest: str) -> str:
    narrowed = " AND channel = {channel:String}" if view.channel else ""
    narrowed += f" AND visitor_id IN ({VISITORS_OF_SEGMENT})" if view.segment else ""
    return _ORDERS.format(earliest=earliest, narrowed=narrowed, window="")
