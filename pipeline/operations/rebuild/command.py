"""A rebuild with its clients, and its message at the end. Shell."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client
from rich.console import Console

from pipeline.clickhouse import connect
from pipeline.kafka import clients
from pipeline.operations.rebuild import tables
from pipeline.operations.rebuild.bring import bring
from pipeline.operations.rebuild.run import Rebuild, Rebuilt
from pipeline.operations.rebuild.tables import Scope
from pipeline.operations.rebuild.told import Placed
from pipeline.reports.span import BEGINNING, END, Span
from pipeline.settings import Settings
from pipeline.terminal import progress_bar
from pipeline.tracker.identifiers import read_identifiers
from schemas.errors import Unusable
from schemas.times import milliseconds
from schemas.topics import RAW
from schemas.touchpoint import Touchpoint, visitor_of
from sinks.another_log import forget_log


class NothingToRebuild(Unusable):
    """Nobody is affected; the text says why."""


async def rebuild_site(settings: Settings, span: Span, source: str = "") -> Rebuilt:
    """Rebuild a site, or the people who were seen in `span`.

    `source` is a database of another log, whose rows are brought first.

    Raises:
        RebuildFailed: it did not finish.
        NothingToRebuild: nobody was seen.
        NotBrought: `source` cannot be read.
    """
    with closing(connect(settings)) as client:
        if source:
            await asyncio.to_thread(bring, client, source, span.site)
        return await _run(settings, client, _scope(client, span))


def forget(settings: Settings) -> list[str]:
    """Delete the facts of a log that is gone; give the sites to rebuild."""
    with closing(connect(settings)) as client:
        return forget_log(client)


async def replace_touchpoints(
    settings: Settings, site: str, gone: Sequence[Touchpoint], told: Sequence[Touchpoint]
) -> Rebuilt:
    """Delete the touchpoints `gone`, tell those of `told` in their place, and tell anew whom that
    concerns.

    Raises:
        RebuildFailed: it broke off.
    """
    ids = {(visitor_of(one.anonymous_id, one.user_id), one.touchpoint_id) for one in (*gone, *told)}
    return await rebuild_people(settings, site, _names((*gone, *told)), ids, [*map(Placed, told)])


async def rebuild_people(
    settings: Settings,
    site: str,
    names: Sequence[str],
    gone: Iterable[tuple[str, str]],
    told: Sequence[Placed],
) -> Rebuilt:
    """Delete the touchpoints `gone`, each a visitor and an id, tell those of `told`, and tell anew
    the people called `names` and all who had the touchpoints.

    Raises:
        RebuildFailed: it broke off.
    """
    rebuild = milliseconds(_now())
    with closing(connect(settings)) as client:
        tables.note_gone(client, site, rebuild, sorted(gone))
        scope = tables.choose(client, site, rebuild, tables.GONE, names)
        return await _run(settings, client, scope or Scope(site, rebuild), told, tables.GONE)


async def _run(
    settings: Settings,
    client: Client,
    scope: Scope,
    more: Sequence[Placed] = (),
    without: str = "",
) -> Rebuilt:
    async with clients.producer(settings, RAW.name) as producer:
        with progress_bar(Console(stderr=True)) as progress:
            rebuild = Rebuild(
                settings, client, producer, scope, progress, _now, list(more), without
            )
            return await rebuild.run()


def _names(touchpoints: Sequence[Touchpoint]) -> list[str]:
    """Name the visitors of `touchpoints` and their identifiers."""
    names: set[str] = set()
    for one in touchpoints:
        visitor_id = visitor_of(one.anonymous_id, one.user_id)
        names.update((visitor_id, *read_identifiers(one, visitor_id)))
    return sorted(names)


def said(done: Rebuilt) -> str:
    """Describe the result of a rebuild."""
    who = "everybody" if done.names is None else f"{done.names:,} visitors and identifiers"
    gone = ", ".join(f"{count:,} {table}" for table, count in done.gone.items() if count)
    before = f"{gone} of before are not true any more" if gone else "nothing of before was wrong"
    return f"{done.touchpoints:,} touchpoints of {who} told again: {before}"


def _scope(client: Client, span: Span) -> Scope:
    rebuild = milliseconds(_now())
    if (span.start, span.end) == (BEGINNING, END):
        scope: Scope | None = Scope(span.site, rebuild)
    else:
        seen = f"occurred_at >= '{_text(span.start)}' AND occurred_at < '{_text(span.end)}'"
        scope = tables.choose(client, span.site, rebuild, seen)
    if scope is None or not tables.slices(client, scope):
        raise NothingToRebuild(f"the table has no touchpoints of {span.site} in that span")
    return scope


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _now() -> datetime:
    return datetime.now(UTC)
