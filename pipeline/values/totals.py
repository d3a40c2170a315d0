"""Totals of money: what the tables hold of them, and how people read them. PURE.

A total is kept to eight decimals: Bitcoin's smallest unit, and more than any currency of a country
has (ISO 4217: four at most). Unit prices are not rounded before they are multiplied.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from pipeline.values.money import MOST_MONEY, Amount

PLACES = 8
"""Decimals of a column of money."""

_FEWEST = 2
"""Decimals that people expect behind an amount."""
_COINS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DECIMALS: dict[object, int] = {
    code: digits for digits, codes in _COINS.items() for code in codes.split()
}
"""Decimals of the currencies that have not two (minor units of ISO 4217)."""
_FIGURES = 4
"""How many figures show an amount below one."""

Value = TypeVar("Value")


def settled(total: Amount) -> Amount:
    """Round a total to what a column holds; what it cannot hold is worth 0, and says why."""
    value, currency, problem = total
    if problem:
        return Amount(0.0, currency, problem)
    if not abs(value) < MOST_MONEY:
        return Amount(0.0, currency, "too_large")
    kept = rounded(value)
    return Amount(kept, currency, "too_small" if value and not kept else "")


def rounded(value: float) -> float:
    """Round a sum to what a column holds, without what floating point adds to it."""
    return round(value, PLACES) + 0.0  # no -0.0


def plain(value: Value, currency: object = "") -> Value:
    """Take the zeros off that fill a column of money up, but not those of the currency's coins."""
    if not isinstance(value, Decimal):
        return value
    least = _DECIMALS.get(currency, _FEWEST)
    short = value.normalize()
    digits = short.as_tuple().exponent
    is_short = isinstance(digits, int) and digits > -least
    return value.quantize(Decimal(1).scaleb(-least)) if is_short else short  # type: ignore[return-value]


def plain_rows(rows: Iterable[Sequence[Any]], names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Give rows of an answer, whose columns have these names, with each amount `plain`."""
    if "currency" not in names:
        return [tuple(map(plain, row)) for row in rows]
    place = names.index("currency")
    return [tuple(plain(value, row[place]) for value in row) for row in rows]


def shown(amount: Decimal | float, currency: str) -> str:
    """Write an amount for people: to its currency's smallest coin, below one in four figures."""
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(amount))
    least = _DECIMALS.get(currency, _FEWEST)
    if not 0 < abs(exact) < 1:
        return f"{exact:,.{least}f}"
    most = min(PLACES, _FIGURES - 1 - exact.adjusted())
    whole, cents = f"{exact:.{max(least, most)}f}".split(".")
    return f"{whole}.{cents[:least]}{cents[least:].rstrip('0')}".rstrip(".")
