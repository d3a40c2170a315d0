"""Writing records to Kafka, a batch per partition. Shell: moves bytes, decides nothing.

Why not `AIOKafkaProducer.send` per record: one future and one lock per record cost ten times
what the record itself costs. `send` here hands whole batches to the broker and returns when it
has acknowledged them.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.records import Row
from pipeline.settings import Settings

_LARGEST_BATCH = 512 * 1024
_TOPIC_SECONDS = 5


class NotAcknowledged(Exception):
    """The broker did not take the records, or did not say so in time; they may still arrive."""


class Producer(Protocol):
    """Appends records to partitions; `pipeline.memory.MemoryBroker` is the other implementation."""

    def partitions(self, topic: str) -> int:
        """Say how many partitions `topic` has."""

    async def send(self, topic: str, partition: int, records: Sequence[Row]) -> None:
        """Append `records` in order; return when they are acknowledged, else NotAcknowledged."""

    async def send_all(self, batches: Mapping[tuple[str, int], Sequence[Row]]) -> None:
        """Append to several partitions at once; NotAcknowledged if any of them did not."""


class KafkaProducer:
    """A producer with acks=all that is made anew after a fatal error, as aiokafka needs it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}
        self._rebuilding = asyncio.Lock()

    async def start(self, topics: Iterable[str]) -> None:
        """Connect, and learn the partitions of `topics`.

        Raises:
            NotAcknowledged: no broker answers, or a topic is missing; the text names both.
        """
        self._producer = await self._connect()
        for topic in topics:
            try:
                async with asyncio.timeout(_TOPIC_SECONDS):
                    self._partitions[topic] = len(await self._producer.partitions_for(topic))
            except (KafkaError, TimeoutError) as error:
                await self.stop()
                raise NotAcknowledged(
                    f"topic {topic} is missing: run `touchstream topics`"
                ) from error

    async def stop(self) -> None:
        """Flush and disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    def partitions(self, topic: str) -> int:
        """Say how many partitions `topic` has."""
        return self._partitions[topic]

    async def send(self, topic: str, partition: int, records: Sequence[Row]) -> None:
        """Append `records` to one partition, in order, and wait for all acknowledgements."""
        producer = self._producer or await self._rebuild(None)
        try:
            await asyncio.gather(*await self._submit(producer, topic, partition, records))
        except KafkaError as error:
            if not error.retriable:
                await self._rebuild(producer)
            raise NotAcknowledged(str(error)) from error

    async def send_all(self, batches: Mapping[tuple[str, int], Sequence[Row]]) -> None:
        """Append to several partitions at once; return when all are acknowledged."""
        sends = [self.send(topic, partition, rows) for (topic, partition), rows in batches.items()]
        for outcome in await asyncio.gather(*sends, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _submit(
        self, producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Row]
    ) -> list[asyncio.Future[object]]:
        acknowledgements = []
        batch = producer.create_batch()
        for key, value, timestamp in records:
            if batch.append(key=key, value=value, timestamp=timestamp) is None:
                acknowledgements.append(
                    await producer.send_batch(batch, topic, partition=partition)
                )
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=timestamp)
        acknowledgements.append(await producer.send_batch(batch, topic, partition=partition))
        return acknowledgements

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka_bootstrap_servers,
            acks="all",
            enable_idempotence=self._settings.kafka_idempotence,
            max_batch_size=_LARGEST_BATCH,
            request_timeout_ms=int(self._settings.kafka_request_timeout.total_seconds() * 1000),
        )
        try:
            await producer.start()
        except KafkaError as error:
            await producer.stop()
            hint = "; the embedded broker needs TOUCHSTREAM_KAFKA_IDEMPOTENCE=false"
            raise NotAcknowledged(
                f"no Kafka broker answers at {self._settings.kafka_bootstrap_servers}: {error}"
                + hint * self._settings.kafka_idempotence
            ) from error
        return producer

    async def _rebuild(self, broken: AIOKafkaProducer | None) -> AIOKafkaProducer:
        async with self._rebuilding:
            if self._producer is None or self._producer is broken:
                self._producer = None
                if broken is not None:
                    await broken.stop()
                self._producer = await self._connect()
            return self._producer
