"""The report for a terminal. Lays out what `answer` has read; computes nothing."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.reports.overview.answer import Funnel, Report, Share
from pipeline.reports.span import BEGINNING, END
from pipeline.values.totals import shown
from schemas.fields import Language


def render(report: Report, lang: Language = "en") -> RenderableType:
    """Lay out the report, table by table; a table without rows is left out."""
    tables = [table for table in _tables(report, lang) if table.row_count]
    return Group(_title(report), *(part for table in tables for part in (Text(), table)))


def rows(report: Report) -> Iterator[dict[str, Any]]:
    """Give every figure for CSV, named by its place in the JSON, as `revenue.0.amount`."""
    return ({"figure": name, "value": value} for name, value in _figures("", asdict(report)))


def _figures(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, tuple):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _figures(f"{name}.{key}" if name else str(key), inner)


def _title(report: Report) -> Text:
    span = report.span
    parts = [span.site or "all sites"]
    if span.start > BEGINNING:
        parts.append(f"from {span.start:%Y-%m-%d %H:%M %Z}")
    if span.end < END:
        parts.append(f"until {span.end:%Y-%m-%d %H:%M %Z}")
    return Text(", ".join(parts))


def _tables(report: Report, lang: Language) -> Iterator[Table]:
    yield _totals(report)
    yield _funnel(report.by_visitor)
    yield _funnel(report.by_session)
    yield _left_behind(report)
    yield _orders(report)
    yield _left_out(report)
    yield _uncounted_money(report)
    yield _phases(report, lang)
    yield _abandoned(report)
    yield _dead_letters(report)


def _table(title: str, text: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in text:
        table.add_column(heading)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def _totals(report: Report) -> Table:
    headings = ("sessions", "visitors", "people", "links", "touchpoints", "of them late", "of bots")
    table = _table("Totals", (), headings)
    people = (report.sessions, report.visitors, report.people, report.links)
    table.add_row(*map(_count, (*people, report.touchpoints, report.late, report.bots)))
    return table


def _funnel(funnel: Funnel) -> Table:
    table = _table(f"Funnel by {funnel.unit}", ("step",), ("reach", "closed", "ordered"))
    for step, *counts in zip(
        funnel.steps, funnel.reach, funnel.closed, funnel.ordered, strict=True
    ):
        table.add_row(step, *map(_count, counts))
    return table


def _left_behind(report: Report) -> Table:
    table = _table("Left without an order", ("what", "by"), ("left", "of", "rate"))
    for funnel in (report.by_visitor, report.by_session):
        table.add_row("cart", funnel.unit, *_share(funnel.cart_abandonment))
        table.add_row("checkout", funnel.unit, *_share(funnel.checkout_abandonment))
    return table


def _orders(report: Report) -> Table:
    numbers = ("orders", "touchpoints", "gross", "refunded", "net", "currency")
    table = _table("Orders", (), numbers)
    for revenue in report.revenue:
        counts = (revenue.orders, revenue.touchpoints)
        amounts = (revenue.amount, revenue.refunded, revenue.net)
        table.add_row(
            *map(_count, counts),
            *(shown(each, revenue.currency) for each in amounts),
            revenue.currency or "unknown",
        )
    return table


def _left_out(report: Report) -> Table:
    numbers = ("count", "amount", "currency")
    table = _table("Orders and refunds that do not count", ("what", "why"), numbers)
    for left in report.left_out:
        amount = shown(left.amount, left.currency)
        table.add_row(left.what, left.why, _count(left.times), amount, left.currency or "unknown")
    if any(left.why == "late" for left in report.left_out):
        table.caption = "touchstream rebuild has the late ones count"
    return table


def _uncounted_money(report: Report) -> Table:
    table = _table("Money that does not count", ("touchpoint", "why"), ("touchpoints",))
    for kind in report.uncounted_money:
        table.add_row(kind.name, kind.reason, _count(kind.touchpoints))
    return table


def _phases(report: Report, lang: Language) -> Table:
    table = _table("Where people are", ("model", "phase"), ("people",))
    for phase in report.phases:
        table.add_row(phase.model, getattr(phase, lang), _count(phase.people))
    return table


def _abandoned(report: Report) -> Table:
    numbers = ("count", "recovered", "value", "currency")
    table = _table("Abandonments, as recorded live", ("kind",), numbers)
    for kind in report.abandoned:
        counts = map(_count, (kind.count, kind.recovered))
        table.add_row(
            kind.kind, *counts, shown(kind.value, kind.currency), kind.currency or "unknown"
        )
    return table


def _dead_letters(report: Report) -> Table:
    table = _table("Dead letters", ("stage", "reason"), ("count",))
    for buried in report.dead_letters:
        table.add_row(buried.stage, buried.reason, _count(buried.count))
    return table


def _share(share: Share) -> tuple[str, str, str]:
    rate = "" if share.ratio is None else f"{share.ratio:.2%}".replace("%", " %")
    return _count(share.part), _count(share.whole), rate


def _count(number: int) -> str:
    return f"{number:,}"
