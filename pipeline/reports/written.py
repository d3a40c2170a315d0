"""Answers as a table, JSON or CSV. Lays out what it is given; reads nothing."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.reports.compared import Compared, Freshness
from pipeline.reports.span import Span
from pipeline.reports.spreadsheet import as_csv as written
from pipeline.values.totals import shown
from schemas.fields import Language

_LEAST = 0.005
"""Less would be 0.00."""
_LANGUAGES: frozenset[str] = frozenset(get_args(Language))


def as_table(
    found: Compared, zone: ZoneInfo, lang: Language = "en", without: Collection[str] = ()
) -> RenderableType:
    """Lay out the rows, and below them how fresh they are and what they leave out.

    Of the columns `en` and `de`, the one of `lang` is the label; those of `without` are left out.
    """
    table = Table(title=_title(found.span, zone), title_justify="left")
    hidden = {*without, *_LANGUAGES - {lang}}
    places = [n for n, each in enumerate(found.answer.columns) if each.name not in hidden]
    for column in (found.answer.columns[place] for place in places):
        is_number = column.type.removeprefix("Nullable(").startswith(("UInt", "Int", "Float"))
        name = "label" if column.name == lang else column.name
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in found.answer.rows:
        table.add_row(*(Text(_cell(row[place], zone)) for place in places))
    rows = table if found.answer.rows else Text(f"{_title(found.span, zone)}: nothing")
    return Group(rows, *map(Text, notes(found.freshness, zone)))


def as_csv(found: Compared) -> str:
    """Write a header with the column names, and a line for each row; times are UTC in ISO 8601."""
    return written((column.name for column in found.answer.columns), found.answer.rows)


def lines(rows: Iterable[Mapping[str, Any]]) -> str:
    """Write CSV: a header with the names, and a line for each row; nothing for no rows."""
    found = list(rows)
    return written(found[0], (row.values() for row in found)) if found else ""


def as_json(found: Compared) -> bytes:
    """Write rows as objects, with the types of the columns and what the answer leaves out."""
    return msgspec.json.encode(
        {
            "question": found.question,
            "span": found.span,
            "freshness": found.freshness,
            "columns": [column._asdict() for column in found.answer.columns],
            "rows": list(found.answer.named()),
        }
    )


def notes(freshness: Freshness, zone: ZoneInfo) -> Iterator[str]:
    """Say how fresh an answer is, and what it leaves out."""
    if freshness.newest is None:
        yield "No touchpoint was taken in for this span."
    else:
        newest = _cell(freshness.newest, zone)
        yield f"As of {newest} {zone.key}: then the newest touchpoint of the span was taken in."
    yield (
        f"Of {freshness.touchpoints:,} touchpoints {freshness.late:,} came too late and "
        f"{freshness.bots:,} are of bots: they are left out. Refused: {freshness.refused:,}."
    )
    yield waits(freshness.waiting)


def waits(waiting: tuple[int, int] | None) -> str:
    """Say how many records wait in Kafka for the tracker and for the sink."""
    if waiting is None:
        return "How much is still waiting in Kafka is not known: it does not answer here."
    for_tracker, for_sink = waiting
    if not for_tracker + for_sink:
        return "Nothing is waiting in Kafka."
    return f"Records waiting in Kafka: {for_tracker:,} for the tracker, {for_sink:,} for the sink."


def _title(span: Span, zone: ZoneInfo) -> str:
    begin, finish = (
        f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in (span.start, span.end)
    )
    return f"{span.site}, {begin} to {finish} {zone.key}"


def _cell(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, list | tuple):
        return " → ".join(_cell(one, zone) for one in value)
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    return _number(value) if isinstance(value, int | float) else str("" if value is None else value)


def _number(value: float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return shown(value, "") if 0 < abs(value) < _LEAST else f"{value:,.2f}"
