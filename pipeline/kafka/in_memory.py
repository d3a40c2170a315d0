"""In-memory replacements for Kafka and the clock, for dry runs of an import and for tests."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError
from aiokafka.structs import OffsetAndMetadata

from pipeline.kafka.producer import NotAcknowledged
from pipeline.kafka.records import Carrying, Record, Row
from schemas.topics import Headers


@dataclass
class MemoryBroker:
    """Keeps every partition as a list; an offset is the index in it."""

    partition_count: int = 4
    log: dict[tuple[str, int], list[Record]] = field(default_factory=lambda: defaultdict(list))
    is_down: bool = False

    def partitions(self, topic: str) -> int:  # noqa: ARG002 - the same for all
        """Say how many partitions `topic` has: the same number for all."""
        return self.partition_count

    async def send(self, topic: str, partition: int, records: Sequence[Row]) -> None:
        """Append `records`, or raise NotAcknowledged while the broker is down."""
        if self.is_down:
            raise NotAcknowledged("the in-memory broker is down")
        self.log[topic, partition].extend(
            row if isinstance(row, Record) else Record(*row) for row in records
        )

    async def send_all(self, batches: Mapping[tuple[str, int], Iterable[Row]]) -> None:
        """Append to several partitions."""
        for to, records in batches.items():
            await self.send(*to, list(records))

    def records(self, topic: str) -> list[Record]:
        """Give all records of `topic`, partition after partition."""
        return [
            record
            for partition in range(self.partition_count)
            for record in self.log.get((topic, partition), [])
        ]


@dataclass(slots=True)
class Fetched:
    """A record as a consumer gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class MemoryConsumer:
    """Reads a `MemoryBroker` as one member of a group; `assign` is what a rebalance does.

    Members of the same group share `committed`.
    """

    def __init__(
        self, broker: MemoryBroker, committed: dict[TopicPartition, int] | None = None
    ) -> None:
        self.broker = broker
        self.committed = {} if committed is None else committed
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Own `partitions`, and no others, from their committed offsets on."""
        self._positions = {tp: self.committed.get(tp, 0) for tp in partitions}
        self._paused.clear()

    def assignment(self) -> set[TopicPartition]:
        """Give the partitions owned."""
        return set(self._positions)

    def pause(self, *partitions: TopicPartition) -> None:
        """Give no records of `partitions` for a while."""
        self._paused.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        """Give records of `partitions` again."""
        self._paused.difference_update(partitions)

    def paused(self) -> set[TopicPartition]:
        """Give the partitions that rest."""
        return set(self._paused)

    def highwater(self, tp: TopicPartition) -> int:
        """Give the offset of the next record of `tp`; AssertionError if it is not owned."""
        if tp not in self._positions:
            raise AssertionError(f"{tp} is not assigned")
        return len(self.broker.log[tp])

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Fetched]]:
        """Give the records since the last call, of `partitions` or of all owned ones.

        Without any, wait for `timeout_ms`.
        """
        fetched = {}
        for tp in set(partitions or self._positions) - self._paused:
            if records := self._fetch(tp, max_records):
                fetched[tp] = records
        if not fetched:
            await asyncio.sleep(timeout_ms / 1000)
        return fetched

    async def commit(self, offsets: Mapping[TopicPartition, int | OffsetAndMetadata]) -> None:
        """Note `offsets`; IllegalStateError if one of their partitions is not owned.

        Without any it is a ValueError, as with aiokafka.
        """
        if not offsets:
            raise ValueError(offsets)
        if not offsets.keys() <= self._positions.keys():
            raise IllegalStateError("a partition is not assigned")
        for place, to in offsets.items():
            self.committed[place] = to if isinstance(to, int) else to.offset

    def _fetch(self, tp: TopicPartition, most: int | None) -> list[Fetched]:
        start = self._positions[tp]
        found = self.broker.log[tp][start:][:most]
        self._positions[tp] = start + len(found)
        return [_fetched(tp, offset, record) for offset, record in enumerate(found, start)]


def _fetched(tp: TopicPartition, offset: int, record: Record) -> Fetched:
    headers = record.headers if isinstance(record, Carrying) else ()
    at, key, value = record.timestamp_ms, record.key, record.value
    return Fetched(tp.topic, tp.partition, offset, at, key, value, headers)


@dataclass
class ManualClock:
    """A clock that moves only on command."""

    now: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Give the current time."""
        return self.now

    def advance(self, by: timedelta) -> None:
        """Move time forward."""
        self.now += by
