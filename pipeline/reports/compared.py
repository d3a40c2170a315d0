"""A question about a span and the equally long span before it, side by side. Prints nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.reports.ask import Answer, Column, ask
from pipeline.reports.known import Unknown, refuse_unknown, sites
from pipeline.reports.span import Span


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How fresh an answer is, and what it leaves out.

    `newest` is when the newest touchpoint of the span was received; None: there is none. `late`,
    `bots` and `refused` count nowhere else. `waiting` are the records, of all sites and times, that
    wait in Kafka for the tracker and for the sink; None: that is not known.
    """

    newest: datetime | None
    touchpoints: int
    late: int
    bots: int
    refused: int
    waiting: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The answer to a question, and how fresh it is."""

    question: str
    span: Span
    answer: Answer
    freshness: Freshness


def site_of(client: Client, named: str) -> str:
    """Return the site that is meant: `named`, or else the only one.

    Raises:
        Unknown: there is no site, or none of this name, or there are several and none is named.
    """
    known = sorted(sites(client, named))
    refuse_unknown("site", named, known)
    if not named and len(known) != 1:
        raise Unknown(f"choose a site with --site; known sites: {', '.join(known) or 'none yet'}")
    return named or known[0]


def compared(
    client: Client,
    question: str,
    span: Span,
    *,
    key: tuple[str, ...] = (),
    number: str = "",
    **given: Any,
) -> Compared:
    """Ask `question` about `span`; with `number`, also about the equally long span before it.

    A column `before` then has the earlier `number` of the row with the same `key`; None: no row.
    """
    asked = span.asked() | given
    answer = ask(client, question, **asked)
    if number:
        earlier = replace(span, start=span.start - (span.end - span.start), end=span.start)
        before = ask(client, question, **asked | earlier.asked())
        answer = _beside(answer, before, key, number)
    return Compared(question=question, span=span, answer=answer, freshness=_freshness(client, span))


def _beside(answer: Answer, before: Answer, key: tuple[str, ...], number: str) -> Answer:
    names = [column.name for column in answer.columns]
    places = [names.index(name) for name in key]
    place = names.index(number)
    was = {_key(row, places): row[place] for row in before.rows}
    column = Column("before", f"Nullable({answer.columns[place].type})")
    rows = [
        (*row[: place + 1], was.get(_key(row, places)), *row[place + 1 :]) for row in answer.rows
    ]
    columns = (*answer.columns[: place + 1], column, *answer.columns[place + 1 :])
    return Answer(columns, rows)


def _key(row: Sequence[Any], places: list[int]) -> tuple[Any, ...]:
    """Give what tells a row from the others; a path of channels is a list."""
    return tuple(tuple(row[p]) if isinstance(row[p], list) else row[p] for p in places)


def _freshness(client: Client, span: Span) -> Freshness:
    [row] = ask(client, "freshness", **span.asked()).named()
    newest = row["newest"] if row["touchpoints"] else None
    return Freshness(
        newest=newest,
        touchpoints=row["touchpoints"],
        late=row["late"],
        bots=row["bots"],
        refused=row["refused"],
    )
