"""Brings the overflow topic back into `touchpoints.raw`, at a bounded rate. Shell.

The topic is keyed by site: a site stands in one partition, and what it has too much of waits behind
itself. Every partition gives back the same number a second. Offsets are committed after Kafka's
acknowledgement, so a touchpoint may come twice; its id is the same.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import time
from typing import Any, Protocol

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from pipeline import metrics
from pipeline.kafka import clients
from pipeline.kafka.producer import NotAcknowledged, Producer
from pipeline.kafka.records import Row, carrying, partition_for
from pipeline.kafka.rights import check_rights
from pipeline.kafka.watchdog import Watchdog, complaints, show
from pipeline.settings import Settings
from schemas.topics import OVERFLOW, RAW, record_key
from schemas.touchpoint import visitor_of

_log = logging.getLogger(__name__)

_ROUND_SECONDS = 0.5
_PAUSE_SECONDS = 1.0


class Consumer(Protocol):
    """Reads a topic as a member of a group; `kafka.in_memory.MemoryConsumer` is one too."""

    def assignment(self) -> set[TopicPartition]: ...  # noqa: D102 - as aiokafka has it

    def highwater(self, tp: TopicPartition) -> int | None: ...  # noqa: D102

    async def getmany(  # noqa: D102
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int | None
    ) -> Mapping[TopicPartition, Sequence[Any]]: ...

    async def commit(self, offsets: dict[TopicPartition, int]) -> None: ...  # noqa: D102


class Drain:
    """Moves at most `rate` records per second out of each partition that `consumer` owns."""

    def __init__(
        self,
        consumer: Consumer,
        producer: Producer,
        rate: float,
        *,
        now: Callable[[], float] = time,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._consumer = consumer
        self._producer = producer
        self._rate = rate
        self._now = now
        self._pause = pause
        self._due: dict[TopicPartition, float] = {}
        self._next: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await self.round(_ROUND_SECONDS)
            await self._pause(_ROUND_SECONDS)

    async def round(self, seconds: float) -> None:
        """Move what each partition may give back in this many seconds."""
        owned = self._consumer.assignment()
        for at in self._due.keys() - owned:
            self._forget(at)
        more, most = self._rate * seconds, max(self._rate, 1.0)
        self._due = {at: min(self._due.get(at, 0.0) + more, most) for at in owned}
        for at in owned:
            if self._due[at] >= 1:
                self._due[at] -= await self._move(at, int(self._due[at]))

    async def _move(self, at: TopicPartition, most: int) -> int:
        fetched = await self._consumer.getmany(at, timeout_ms=0, max_records=most)
        records = fetched.get(at, ())
        if records:
            await self._send(records)
            self._next[at] = records[-1].offset + 1
            await self._consumer.commit({at: self._next[at]})
            metrics.DRAIN_RETURNED.inc(len(records))
        self._tell(at, records)
        return len(records)

    async def _send(self, records: Sequence[Any]) -> None:
        batches: dict[tuple[str, int], list[Row]] = defaultdict(list)
        partitions = self._producer.partitions(RAW.name)
        for record in records:
            key = _visitor(record)
            batches[RAW.name, partition_for(key, partitions)].append(
                carrying((key, record.value, record.timestamp), record.headers)
            )
        while True:
            try:
                return await self._producer.send_all(batches)
            except (NotAcknowledged, KafkaError) as error:
                _log.warning(
                    "what comes back from the overflow topic waits for Kafka: %s",
                    error,
                    extra={"event": "drain_waits_for_kafka"},
                )
                await self._pause(_PAUSE_SECONDS)

    def _forget(self, at: TopicPartition) -> None:
        """Show nothing more of a partition that is somebody else's."""
        self._next.pop(at, None)
        for gauge in (metrics.DRAIN_WAITING, metrics.DRAIN_AGE):
            show(gauge, None, at.partition)

    def _tell(self, at: TopicPartition, records: Sequence[Any]) -> None:
        is_ours = at in self._consumer.assignment()  # a rebalance may have come between
        highwater = self._consumer.highwater(at) if is_ours else None
        if not records and highwater and self._next.get(at, highwater) < highwater:
            return  # the next ones are under way
        if not records or highwater is None:
            metrics.DRAIN_WAITING.labels(at.partition).set(0)
            metrics.DRAIN_AGE.labels(at.partition).set(0)
            return
        last = records[-1]
        metrics.DRAIN_WAITING.labels(at.partition).set(highwater - last.offset - 1)
        metrics.DRAIN_AGE.labels(at.partition).set(self._now() - last.timestamp / 1000)


class _Keyed(msgspec.Struct):
    site: str = ""
    anonymous_id: str = ""
    user_id: str = ""


def _visitor(record: Any) -> bytes:
    """Give the key of a touchpoint in `touchpoints.raw`; invalid ones become dead letters there."""
    try:
        said = msgspec.json.decode(record.value or b"", type=_Keyed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return record.key or b""
    return record_key(said.site, visitor_of(said.anonymous_id, said.user_id))


async def run(settings: Settings) -> None:
    """Drain the topic until cancelled.

    Raises:
        NotAcknowledged: no broker answers, or a topic is missing; the text says what to do.
    """
    dogs: list[Watchdog] = []
    port = settings.drain_metrics_port
    metrics.serve(settings.metrics_host, port, metrics.DRAIN, lambda: complaints(dogs))
    async with clients.producer(settings, RAW.name, OVERFLOW.name) as producer:
        await check_rights(settings, "drain")
        while True:
            try:
                await _member(settings, producer, dogs)
            except KafkaError as error:  # of a commit after a rebalance, say: read it again
                _log.warning(
                    "the overflow topic is read again from its last commit: %s",
                    error,
                    extra={"event": "overflow_read_again"},
                )
                await asyncio.sleep(_PAUSE_SECONDS)


async def _member(settings: Settings, producer: Producer, dogs: list[Watchdog]) -> None:
    group = settings.drain_group
    for gauge in (metrics.DRAIN_WAITING, metrics.DRAIN_AGE):
        gauge.clear()
    async with clients.consumer(
        settings, OVERFLOW.name, group_id=group, auto_offset_reset="earliest"
    ) as consumer:
        dogs[:] = [
            Watchdog(
                settings,
                group=group,
                topics=[OVERFLOW.name],
                owned=consumer.assignment,
                stalled=metrics.STALLED["drain"],
            )
        ]
        with dogs[0]:
            await Drain(consumer, producer, settings.drain_rate).run()
