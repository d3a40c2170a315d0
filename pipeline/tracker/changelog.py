"""The tracker's state in Kafka: a compacted changelog, read in bulk. Shell.

Why not `faust.Table`: it writes one record per assignment (~290 µs) and reads one record per event.
Here the states of a checkpoint go out in batches, after its rows are acknowledged, and recovery
applies whole fetches.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.journey.clock import Clock
from pipeline.kafka import clients
from pipeline.kafka.lag import committed, ends_of
from pipeline.kafka.topics import is_at_end
from pipeline.settings import Settings
from pipeline.tracker.partition import FORMAT, Meta, Partition
from schemas.errors import TouchstreamError
from schemas.topics import RAW, STATE, Topic

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5
_FETCH_BYTES = 16 * 1024 * 1024


_ANEW = "stop the trackers, run `touchstream state rebuild`, and start them again"


class StateRefused(TouchstreamError):
    """The memory in Kafka does not belong to the log; the text says what to do."""


def doubt(partition: Partition, end: int, read_to: int, begins: int = 0) -> str:
    """Describe what is wrong with a restored partition of a log that ends at `end`; empty: nothing.

    `read_to` is the offset that the group has committed, 0 if none, and `begins` the first one of
    the changelog: compaction leaves it as it is.
    """
    if partition.format != FORMAT:
        return _of_another_version(partition)
    if begins > partition.begins and partition.is_remembered:
        return (
            f"partition {partition.number}: the oldest part of the tracker's memory is gone (topic "
            f"{STATE.name} begins at {begins} instead of {partition.begins}: see that nothing but "
            f"compaction deletes from it). To tell it again from the log, {_ANEW}"
        )
    if partition.offset >= end:
        return (
            f"partition {partition.number}: the tracker's memory knows the log up to "
            f"{partition.offset}, and the log ends before {end}: it is another log. To begin with "
            f"this one, {_ANEW}"
        )
    if read_to > 0 and not partition.is_remembered:
        return (
            f"partition {partition.number}: the log was read up to {read_to}, and the tracker's "
            f"memory of it is gone (topic {STATE.name}). To tell it again from the log, {_ANEW}"
        )
    is_anew = partition.offset < 0 and read_to <= partition.void_before
    if read_to > partition.offset + 1 and not is_anew:
        return (
            f"partition {partition.number}: the log was read up to {read_to}, and the tracker's "
            f"memory knows it up to {partition.offset + 1} only: the newest part of it is gone "
            f"(topic {STATE.name}). To tell it again from the log, {_ANEW}"
        )
    return ""


def _of_another_version(partition: Partition) -> str:
    return (
        f"partition {partition.number}: the tracker's memory (topic {STATE.name}) is of another "
        f"version of Touchstream; this one reads format {FORMAT}. Run that version, or to tell it "
        f"again from the log, {_ANEW}"
    )


class Remembered(NamedTuple):
    """The memory of a partition: what it holds, and how far it, its group and the log are.

    `size` is in bytes; `why_not` says why a tracker would refuse it, empty: it would not.
    """

    partition: int
    visitors: int
    size: int
    known_to: int
    read_to: int
    end: int
    why_not: str


class Store:
    """The partitions this worker owns, or owned a moment ago.

    Every rebalance revokes all partitions and assigns most of them again. A revoked partition is
    kept until the next assignment, with the position up to which its changelog was read; opening it
    again reads only what another owner has added since.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.excuse: Callable[[], None] = lambda: None
        self._open: dict[int, Partition] = {}
        self._parked: dict[int, tuple[Partition, int]] = {}

    def owned(self) -> list[Partition]:
        """Give the open partitions."""
        return list(self._open.values())

    async def open(self, number: int) -> Partition:
        """Give the state of partition `number`, recovered if it is not yet in memory."""
        if number not in self._open:
            partition, position = self._parked.pop(number, (Partition(number), 0))
            begins = await self._read(partition, position)
            await self._hold_to_the_log(partition, begins)
            self._open[number] = partition
        return self._open[number]

    async def examine(self, number: int) -> Remembered:
        """Read the memory of partition `number` as `open` does; say what is wrong with it."""
        partition, why_not, begins = Partition(number), "", 0
        try:
            begins = await self._read(partition, 0)
        except StateRefused as error:
            why_not = str(error)
        end, read_to = await self._until_told(self._place(RAW, number))
        return Remembered(
            number,
            partition.visitors,
            sum(map(len, partition.states.values())),
            partition.offset + 1,
            read_to,
            end,
            why_not or doubt(partition, end, read_to, begins),
        )

    def note_durable(self, number: int, position: int) -> None:
        """Note that the checkpoint of partition `number` at `position` is complete."""
        if partition := self._open.get(number):
            partition.note_durable(position)

    async def _hold_to_the_log(self, partition: Partition, begins: int) -> None:
        end, read_to = await self._until_told(self._place(RAW, partition.number))
        if why := doubt(partition, end, read_to, begins):
            raise StateRefused(why)

    async def _until_told(self, raw: TopicPartition) -> tuple[int, int]:
        """Give the end of a partition and what the group has committed, once Kafka says so."""
        group = self._settings.tracker_group
        while True:
            try:
                end = (await ends_of(self._settings, [raw]))[raw]
                return end, (await committed(self._settings, group, [raw]))[raw]
            except KafkaError as error:
                self.excuse()
                log.warning(
                    "Kafka does not say yet how far the log was read: %s",
                    error,
                    extra={"event": "offset_unknown"},
                )
                await asyncio.sleep(_PAUSE_SECONDS)

    async def park(self) -> None:
        """Release all partitions; their state stays until the assignment is known."""
        if not self._open:
            return
        async with self._consumer(self._open) as consumer:
            ends = await consumer.end_offsets([self._place(STATE, number) for number in self._open])
        for number, partition in self._open.items():
            self._parked[number] = (partition, ends[self._place(STATE, number)])
        self._open.clear()

    def forget(self, kept: Iterable[int]) -> None:
        """Free the released partitions that were not assigned again."""
        for number in self._parked.keys() - set(kept):
            del self._parked[number]

    async def _read(self, partition: Partition, position: int) -> int:
        """Read the changelog from `position` on; give its first offset."""
        began = time.monotonic()
        changelog = self._place(STATE, partition.number)
        count = 0
        async with self._consumer([partition.number]) as consumer:
            begins: int = (await consumer.beginning_offsets([changelog]))[changelog]
            consumer.seek(changelog, max(position, begins))
            while not await is_at_end(consumer, changelog):
                fetched = await consumer.getmany(changelog, timeout_ms=500)
                if fetched:
                    self.excuse()
                for record in fetched.get(changelog, ()):
                    restore(partition, record.key, record.value)
                    count += 1
        log.info(
            "partition %d: %d visitors from %d changelog records in %.1f s",
            partition.number,
            len(partition.states),
            count,
            time.monotonic() - began,
            extra={"event": "state_restored"},
        )
        return begins

    def _place(self, topic: Topic, number: int) -> TopicPartition:
        return TopicPartition(self._settings.topic(topic.name), number)

    @asynccontextmanager
    async def _consumer(self, numbers: Iterable[int]) -> AsyncIterator[AIOKafkaConsumer]:
        places = [self._place(STATE, number) for number in numbers]
        async with clients.consumer(
            self._settings,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_FETCH_BYTES,
            fetch_max_wait_ms=100,
        ) as consumer:
            consumer.assign(places)
            yield consumer


def restore(partition: Partition, key: bytes, value: bytes | None) -> None:
    """Apply one changelog entry; StateRefused if another version wrote it."""
    try:
        partition.restore(key, value)
    except msgspec.DecodeError as error:
        raise StateRefused(_of_another_version(partition)) from error


def fresh_meta(end: int, begins: int = 0) -> bytes:
    """Write the entry that makes a log that ends at `end` be read again from its beginning; the
    changelog `begins` there.
    """
    return msgspec.msgpack.encode(Meta(-1, Clock(), end, {}, FORMAT, begins))
