"""The attribution for a terminal: a table of orders, and one of revenue for each currency."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.reports.attribution.answer import (
    MODELS,
    Attribution,
    Credit,
    Model,
)
from pipeline.values.totals import shown


def render(attribution: Attribution) -> RenderableType:
    """Lay out the credits of all models side by side; computes none."""
    if not attribution.credits:
        return Text("no orders in this span")
    currencies = sorted({credit.currency for credit in attribution.credits})
    orders = _table("Orders", attribution, attribution.credits, lambda credit: credit.conversions)
    money = (table for currency in currencies for table in _money(attribution, currency))
    return Group(orders, *(part for table in money for part in (Text(), table)))


def rows(attribution: Attribution) -> Iterator[dict[str, Any]]:
    """Give the credits, for CSV."""
    return map(asdict, attribution.credits)


def _money(attribution: Attribution, currency: str) -> Iterator[Table]:
    """Lay out the revenue in a currency, and the net revenue if there were refunds."""
    given = tuple(credit for credit in attribution.credits if credit.currency == currency)
    called = currency or "unknown currency"
    yield _table(f"Revenue, {called}", attribution, given, lambda credit: credit.revenue, currency)
    if any(credit.net != credit.revenue for credit in given):
        yield _table(
            f"Net of refunds, {called}", attribution, given, lambda credit: credit.net, currency
        )


def _table(
    title: str,
    attribution: Attribution,
    credits_: tuple[Credit, ...],
    amount: Callable[[Credit], float],
    currency: str = "",
) -> Table:
    models = [model for model in MODELS if any(credit.model == model for credit in credits_)]
    cells: dict[str, dict[Model, float]] = {}
    for credit in credits_:
        row = cells.setdefault(credit.value, dict.fromkeys(models, 0.0))
        row[credit.model] += amount(credit)
    table = Table(title=title, title_justify="left")
    table.add_column(attribution.by)
    for model in models:
        table.add_column(model, justify="right")
    for value, row in sorted(cells.items(), key=lambda cell: (-sum(cell[1].values()), cell[0])):
        table.add_row(value, *(shown(row[model], currency) for model in models))
    return table
