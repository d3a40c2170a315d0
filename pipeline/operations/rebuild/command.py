"""A rebuild with all that it needs, and what it says at the end. Shell."""

from collections.abc import Sequence
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client
from rich.console import Console

from pipeline.clickhouse import connect
from pipeline.kafka.producer import KafkaProducer
from pipeline.operations.rebuild import tables
from pipeline.operations.rebuild.run import Rebuild, Rebuilt
from pipeline.operations.rebuild.tables import Scope
from pipeline.reports.span import BEGINNING, END, Span
from pipeline.settings import Settings
from pipeline.terminal import progress_bar
from schemas.errors import Unusable
from schemas.topics import RAW
from schemas.touchpoint import Touchpoint


class NothingToRebuild(Unusable):
    """Nobody is concerned; the text says what there is."""


async def rebuild_site(
    settings: Settings,
    span: Span,
    *,
    more: Sequence[Touchpoint] = (),
    without: str = "",
    also: Sequence[str] = (),
) -> Rebuilt:
    """Tell a site anew, or who was seen in `span`.

    `more`, `without` and `also` are those of `Rebuild` and `tables.choose`.

    Raises:
        RebuildFailed: it broke off.
        NothingToRebuild: there is nobody.
    """
    client, producer = connect(settings), KafkaProducer(settings)
    try:
        scope = _scope(client, span, without, also)
        await producer.start([RAW.name])
        with progress_bar(Console(stderr=True)) as progress:
            rebuild = Rebuild(
                settings, client, producer, scope, progress, _now, list(more), without
            )
            return await rebuild.run()
    finally:
        await producer.stop()
        client.close()


def said(done: Rebuilt) -> str:
    """Say what a rebuild did."""
    who = "everybody" if done.names is None else f"{done.names:,} visitors and identifiers"
    gone = ", ".join(f"{count:,} {table}" for table, count in done.gone.items() if count)
    before = f"{gone} of before are not true any more" if gone else "nothing of before was wrong"
    return f"{done.touchpoints:,} touchpoints of {who} told again: {before}"


def _scope(client: Client, span: Span, without: str, also: Sequence[str]) -> Scope:
    rebuild = int(_now().timestamp() * 1000)
    is_of_all = (span.start, span.end) == (BEGINNING, END) and not without and not also
    seen = without or f"occurred_at >= '{_text(span.start)}' AND occurred_at < '{_text(span.end)}'"
    scope = (
        Scope(span.site, rebuild)
        if is_of_all
        else tables.choose(client, span.site, rebuild, seen, also)
    )
    if scope is None or not (also or tables.slices(client, scope)):
        raise NothingToRebuild(f"the table holds no touchpoints of {span.site} in that span")
    return scope


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _now() -> datetime:
    return datetime.now(UTC)
