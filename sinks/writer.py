"""Consume, flush, then commit. A plain aiokafka consumer, not a Faust agent: only so is an offset
always committed after its row is in the table, whatever fails in between.

If ClickHouse is unreachable, the writer retries forever and pauses the partitions. It splits a
batch with a bad row until it finds the row, which becomes a dead letter.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from math import ceil

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from schemas.dead_letter import DeadLetter, Reason, dead_letter
from schemas.refusals import Refusals, site_in
from schemas.times import instant
from schemas.topics import DEAD_LETTERS
from sinks.batch import Batch, Row, due, halves, token_of
from sinks.sink import RowsRefused, Sink, SinkEvents, SinkUnavailable

log = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 10.0
_LONGEST_LISTEN_SECONDS = 0.2


class Writer:
    """Moves records of `tables`' topics into their tables until `stop` is set.

    At this Kafka, the names of the topics begin with `prefix`; a dead letter's source does not.
    `log_id` stands with each offset that is committed.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        sink: Sink,
        tables: Mapping[str, str],
        refuse: Callable[[DeadLetter], Awaitable[None]],
        events: SinkEvents,
        *,
        most_rows: int,
        longest_seconds: float,
        refusals: Refusals | None = None,
        prefix: str = "",
        log_id: str = "",
    ) -> None:
        self._consumer = consumer
        self._sink = sink
        self._tables = tables
        self._prefix = prefix
        self._log_id = log_id
        self._refuse = refuse
        self._events = events
        self._most_rows = most_rows
        self._longest_seconds = longest_seconds
        self._refusals = refusals or Refusals(run=0, share=0.0)
        self._batches = {table: Batch() for table in tables.values()}
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Consume until `stop` is set, then flush once more if ClickHouse answers."""
        try:
            while not self.stop.is_set():
                await self._collect(self._until_due())
                now = time.monotonic()
                if tables := due(self._batches, now, self._most_rows, self._longest_seconds):
                    await self._flush(tables)
            await self._flush(self._tables.values())
        except SinkUnavailable:
            log.warning(
                "stopped while ClickHouse does not answer; the rows stay in Kafka",
                extra={"event": "sink_stopped_waiting"},
            )

    def _until_due(self) -> float:
        """Return the seconds until a table is due, or until it is time to look at `stop`."""
        at = min(batch.due_at(self._longest_seconds) for batch in self._batches.values())
        return min(max(0.0, at - time.monotonic()), _LONGEST_LISTEN_SECONDS)

    async def _collect(self, seconds: float) -> None:
        """Take what has come, or comes within `seconds`."""
        fetched = await self._consumer.getmany(
            timeout_ms=ceil(1000 * seconds), max_records=self._most_rows
        )
        for tp, records in fetched.items():
            topic = tp.topic.removeprefix(self._prefix)
            source = f"{topic}-{tp.partition}"
            rows = [Row(r.value or b"", source, r.offset, r.timestamp, r.headers) for r in records]
            batch = self._batches[self._tables[topic]]
            batch.add(tp.topic, tp.partition, rows, time.monotonic())

    async def _flush(self, tables: Iterable[str]) -> None:
        batches = {table: self._batches[table] for table in tables if self._batches[table].rows}
        self._batches |= {table: Batch(after=time.monotonic()) for table in batches}
        positions = {at: to for each in batches.values() for at, to in each.positions.items()}
        for table, batch in batches.items():
            await self._write(table, batch.rows)
        await self._commit(positions)

    async def _write(self, table: str, rows: Sequence[Row]) -> None:
        began = time.monotonic()
        try:
            await self._insist(table, rows)
        except RowsRefused as refusal:
            if len(rows) == 1:
                await self._bury(table, rows[0], str(refusal))
            else:
                for half in halves(rows):
                    await self._write(table, half)
        else:
            self._events.wrote(table, rows, time.monotonic() - began)
            self._refusals.count(len(rows), 0)

    async def _insist(self, table: str, rows: Sequence[Row]) -> None:
        token = token_of(table, rows)
        pause = 0.2
        while True:
            try:
                return await self._sink.write(table, [row.value for row in rows], token)
            except SinkUnavailable as error:
                log.warning(
                    "%s: %d rows wait for ClickHouse: %s",
                    table,
                    len(rows),
                    error,
                    extra={"event": "rows_wait"},
                )
                self._events.retried(table, str(error))
                if self.stop.is_set():
                    raise
                await self._pause(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Wait, and stay in the group: a consumer that does not poll is removed from it.

        Partitions assigned meanwhile are not paused: their records go into the next batch.
        """
        self._consumer.pause(*self._consumer.assignment())
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), seconds)
        await self._collect(0)
        self._consumer.resume(*self._consumer.assignment())

    async def _bury(self, table: str, row: Row, why: str) -> None:
        self._events.refused(table)
        log.warning(
            "%s refuses the row at %s:%d",
            table,
            row.source,
            row.offset,
            extra={"event": "row_refused"},
        )
        if table == self._tables[DEAD_LETTERS.name]:
            return
        self._refusals.count(0, 1)
        await self._refuse(
            dead_letter(
                row.value,
                site=site_in(row.value),
                stage="sink",
                reason=Reason.REFUSED_BY_CLICKHOUSE,
                detail=why,
                source=row.source,
                position=row.offset,
                at=instant(row.timestamp_ms),
            )
        )

    async def _commit(self, positions: Mapping[tuple[str, int], int]) -> None:
        mine = self._consumer.assignment()
        offsets = {
            TopicPartition(topic, partition): OffsetAndMetadata(offset, self._log_id)
            for (topic, partition), offset in positions.items()
            if TopicPartition(topic, partition) in mine
        }
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            log.info(
                "partitions moved before the commit; their rows will be offered again",
                extra={"event": "partitions_moved"},
            )
        except KafkaError as error:
            log.warning(
                "the commit was not taken, the next one will do: %s",
                error,
                extra={"event": "commit_refused"},
            )
