"""The attribution for a terminal: a table of orders, and one of revenue for each currency."""

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.reports.attribution.answer import (
    MODELS,
    Attribution,
    Credit,
    Model,
)


def render(attribution: Attribution) -> RenderableType:
    """Lay out what each model gives to whom, the models side by side; computes no credit."""
    if not attribution.credits:
        return Text("no orders in this span")
    currencies = sorted({credit.currency for credit in attribution.credits})
    orders = _table("Orders", attribution, attribution.credits, lambda credit: credit.conversions)
    revenue = (
        _table(
            f"Revenue, {currency or 'unknown currency'}",
            attribution,
            tuple(credit for credit in attribution.credits if credit.currency == currency),
            lambda credit: credit.revenue,
        )
        for currency in currencies
    )
    return Group(orders, *(part for table in revenue for part in (Text(), table)))


def _table(
    title: str,
    attribution: Attribution,
    credits_: tuple[Credit, ...],
    amount: Callable[[Credit], float],
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
        table.add_row(value, *(f"{row[model]:,.2f}" for model in models))
    return table
