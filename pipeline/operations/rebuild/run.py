"""`touchstream rebuild`: from the table of touchpoints into the log, to the tracker. Shell.

1. `begin` is written to every partition. The tracker forgets, and holds back what is done now.
2. Once the table holds all that stood in the log before, it is told again in order of time.
3. Once the trackers have read that, and have told each other, `end`: what is done now counts again.
4. What was held back is told again.
5. Facts that were found out before the beginning, and not again, are deleted.

It can be broken off anywhere and done again: the next one begins with nothing.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from operator import attrgetter
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from rich.progress import Progress

from pipeline.kafka.lag import Positions, ends, left_to_commit
from pipeline.kafka.producer import NotAcknowledged, Producer
from pipeline.operations.rebuild import tables, told
from pipeline.operations.rebuild.tables import Scope
from pipeline.operations.rebuild.told import Placed, Told
from pipeline.settings import Settings
from schemas.errors import TouchstreamError
from schemas.times import EPOCH, milliseconds
from schemas.topics import RAW, TABLES

_CHUNK = 5_000
_GO_ON_SECONDS = 60
_STALLED_SECONDS = 60
_HOPS = 3
"""A link, an assignment, a handover: the longest chain of answers between trackers."""
_SILENCE_AFTER = timedelta(hours=25)


class RebuildFailed(TouchstreamError):
    """A rebuild that ended early; the text says what to do."""


class Rebuilt(NamedTuple):
    """The result of a rebuild: names (None: everybody), replayed touchpoints, deleted facts."""

    names: int | None
    touchpoints: int
    gone: dict[str, int]


@dataclass
class Rebuild:
    """The rebuild of those in `scope`; `more` are touchpoints that are not in the table yet.

    Rows that meet the condition `without` are deleted first and not replayed.
    """

    settings: Settings
    client: Client
    producer: Producer
    scope: Scope
    progress: Progress
    now: Callable[[], datetime]
    more: list[Placed] = field(default_factory=list)
    without: str = ""
    _told: int = 0

    async def run(self) -> Rebuilt:
        """Do it.

        Raises:
            RebuildFailed: Kafka does not answer, or tracker or sink do not read.
        """
        try:
            async with self._going_on():
                begun, ended = await self._tell_history()
                await self._tell_held(begun, ended)
                return await self._clean_up(begun)
        except (NotAcknowledged, KafkaError) as error:
            raise RebuildFailed(
                f"the rebuild stopped because Kafka failed ({error}): run it again"
            ) from error

    async def _tell_history(self) -> tuple[list[int], list[int]]:
        """Run it from `begin` to `end`; give the latest offsets of both in the log."""
        site, rebuild = self.scope.site, self.scope.rebuild
        for value in told.begin(site, rebuild, list(self.scope.names)):
            await self._say(value)
        begun = await self._ends()
        await self._until_in_tables(begun)
        last = await self._tell_all() or self.now()
        await self._until_told()
        until = min(last + _SILENCE_AFTER, self.now())
        await self._say(told.end(site, rebuild, self._ms(), milliseconds(until)))
        return begun, await self._ends()

    async def _tell_held(self, begun: list[int], ended: list[int]) -> None:
        """Replay the touchpoints that arrived meanwhile."""
        await self._until_in_tables(ended)
        held = tables.rows_between(self.client, self.scope, begun, ended)
        await self._tell(self._rows(held), "What was done meanwhile")
        await self._until_told()

    async def _clean_up(self, begun: list[int]) -> Rebuilt:
        await self._until_in_tables(await self._ends())
        kept_since = self._kept_since()
        gone = await asyncio.to_thread(
            tables.delete_void, self.client, self.scope, begun, kept_since
        )
        await asyncio.to_thread(tables.fill_sets, self.client, self.scope.site)
        return Rebuilt(len(self.scope.names) or None, self._told, gone)

    async def _tell_all(self) -> datetime | None:
        client, scope = self.client, self.scope
        if self.without:
            await asyncio.to_thread(tables.remove, client, scope, self.without)
        pieces = await asyncio.to_thread(tables.slices, client, scope)
        rows = chain.from_iterable(
            self._rows(tables.rows_in(client, scope, piece)) for piece in pieces
        )
        more = [told.told_touchpoint(one, scope.rebuild) for one in self.more]
        more.sort(key=attrgetter("occurred_at"))
        total = sum(piece.touchpoints for piece in pieces) + len(more)
        merged = heapq.merge(rows, more, key=attrgetter("occurred_at"))
        return await self._tell(merged, "Telling again", total)

    async def _tell(
        self, rows: Iterator[Told], what: str, total: int | None = None
    ) -> datetime | None:
        task, last = self.progress.add_task(what, total=total), None
        while chunk := await asyncio.to_thread(list, islice(rows, _CHUNK)):
            batches = told.by_partition(chunk, self.producer.partitions(RAW.name), self._ms())
            await self.producer.send_all({(RAW.name, to): some for to, some in batches.items()})
            self._told += len(chunk)
            self.progress.advance(task, len(chunk))
            last = datetime.fromisoformat(chunk[-1].occurred_at)
        return last

    def _rows(self, blocks: Iterable[list[dict[str, Any]]]) -> Iterator[Told]:
        for block in blocks:
            for row in block:
                yield told.told_row(row, self.scope.rebuild)

    @asynccontextmanager
    async def _going_on(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._go_on())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(_GO_ON_SECONDS)
            with suppress(NotAcknowledged):  # whoever tells meanwhile hears of it too
                await self._say(told.go_on(self.scope.site, self.scope.rebuild, self._ms()))

    async def _say(self, value: bytes) -> None:
        row = (None, value, self._ms())
        numbers = range(self.producer.partitions(RAW.name))
        await self.producer.send_all({(RAW.name, number): [row] for number in numbers})

    async def _ends(self) -> list[int]:
        found = await ends(self.settings, [RAW.name])
        return [end for _, end in sorted(found.items())]

    async def _until_told(self) -> None:
        """Wait until the trackers have read everything, including their messages since then."""
        for _ in range(_HOPS + 1):
            found = await ends(self.settings, [RAW.name])
            await self._until(self.settings.tracker_group, found, "The tracker reads")

    async def _until_in_tables(self, raw: list[int]) -> None:
        places = sorted(await ends(self.settings, [RAW.name]))
        positions = dict(zip(places, raw, strict=True))
        await self._until(self.settings.tracker_group, positions, "The tracker reads")
        written = await ends(self.settings, TABLES)
        await self._until(self.settings.sink_group, written, "The sink writes")

    async def _until(self, group: str, positions: Positions, what: str) -> None:
        task, first, best, since = self.progress.add_task(what, total=None), 0, -1, self.now()
        async for left in left_to_commit(self.settings, group, positions):
            first = max(first, left)
            self.progress.update(task, total=first, completed=first - left)
            if not left:
                break
            if best < 0 or left < best:
                best, since = left, self.now()
            if (self.now() - since).total_seconds() > _STALLED_SECONDS:
                raise RebuildFailed(
                    f"{group} has read nothing for {_STALLED_SECONDS} seconds, and {left:,} "
                    "records are left: start its processes, then run the rebuild again"
                )
            await asyncio.sleep(0.1)
        self.progress.remove_task(task)

    def _kept_since(self) -> datetime:
        """Give the time from which facts rest on touchpoints that still exist."""
        kept = self.settings.table_retention.get("touchpoints")
        return self.now() - kept if kept else EPOCH

    def _ms(self) -> int:
        return milliseconds(self.now())
