"""Records are collected for a few milliseconds and go to Kafka together. Shell: decides nothing.

The writer waits for the acknowledgement. The bytes that wait for it are counted and bounded,
including those of a send that nobody waits for any more: Kafka's client still holds them.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from pipeline.kafka.producer import NotAcknowledged, Producer
from pipeline.kafka.records import Record, partition_for
from pipeline.metrics import COLLECTOR_SEND_SECONDS

_log = logging.getLogger(__name__)

_FULL = 256 * 1024

Place = tuple[str, int]
"""A topic and a partition."""


class _Batch:
    """Records that go to one place together, and their waiting writers."""

    __slots__ = ("records", "size", "waiters")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.size = 0
        self.waiters: list[asyncio.Future[bool]] = []

    def waiter(self) -> asyncio.Future[bool]:
        """Give a future of the caller's own: cancelling it must not touch the others."""
        waiter = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        return waiter

    def settle(self, is_acknowledged: bool) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(is_acknowledged)
        self.waiters.clear()


class Batches:
    """Writes to `producer` in batches that are at most `wait` old."""

    def __init__(
        self, producer: Producer, *, wait: timedelta, ack_timeout: timedelta, max_pending: int
    ) -> None:
        self.pending = 0
        self._producer = producer
        self._wait = wait.total_seconds()
        self._ack_timeout = ack_timeout.total_seconds()
        self._max_pending = max_pending
        self._open: dict[Place, _Batch] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._overdue = 0
        self._failed_at = float("-inf")

    @property
    def is_failing(self) -> bool:
        """Whether an acknowledgement is overdue, or was refused a moment ago.

        A refusal is forgotten after a while: otherwise the load balancer would send nothing any
        more, and nobody would notice that Kafka is back.
        """
        return self._overdue > 0 or time.monotonic() - self._failed_at < self._ack_timeout

    async def write(self, records: Iterable[tuple[str, Record]]) -> None:
        """Write records to topics; return when all of them are acknowledged.

        Raises:
            NotAcknowledged: too many bytes wait already, or no acknowledgement came in time. Some
                of the records may be in Kafka, or get there later.
        """
        if self.pending > self._max_pending:
            raise NotAcknowledged(f"{self.pending} bytes wait for Kafka already")
        touched = {self._append(topic, record) for topic, record in records}
        for waiter in [batch.waiter() for batch in touched]:
            if not await waiter:
                raise NotAcknowledged(f"no acknowledgement within {self._ack_timeout:g} seconds")

    async def drain(self) -> None:
        """Send what is open, and give Kafka the usual time to acknowledge it."""
        self._send_open()
        if self._sending:
            await asyncio.wait(self._sending, timeout=self._ack_timeout)

    def _append(self, topic: str, record: Record) -> _Batch:
        key = record.key or b""
        place = (topic, partition_for(key, self._producer.partitions(topic)))
        if not self._open:
            # All places at the same moment: Kafka's client packs simultaneous records into one
            # request.
            asyncio.get_running_loop().call_later(self._wait, self._send_open)
        batch = self._open.setdefault(place, _Batch())
        size = len(key) + len(record.value or b"")
        batch.records.append(record)
        batch.size += size
        self.pending += size
        if batch.size >= _FULL:
            self._send(place)
        return batch

    def _send_open(self) -> None:
        for place in list(self._open):
            self._send(place)

    def _send(self, place: Place) -> None:
        batch = self._open.pop(place)
        loop = asyncio.get_running_loop()
        sending = loop.create_task(self._producer.send(*place, batch.records))
        timer = loop.call_later(self._ack_timeout, self._give_up, batch, sending)
        self._sending.add(sending)
        sending.add_done_callback(partial(self._sent, batch, timer, time.monotonic()))

    def _give_up(self, batch: _Batch, sending: asyncio.Task[None]) -> None:
        # The send continues: even if cancelled, Kafka's client would deliver it.
        self._fail(f"nothing for {self._ack_timeout:g} seconds")
        self._overdue += 1
        sending.add_done_callback(self._came_late)
        batch.settle(is_acknowledged=False)

    def _came_late(self, _sending: asyncio.Task[None]) -> None:
        self._overdue -= 1

    def _sent(
        self, batch: _Batch, timer: asyncio.TimerHandle, begun: float, sending: asyncio.Task[None]
    ) -> None:
        timer.cancel()
        self._sending.discard(sending)
        self.pending -= batch.size
        COLLECTOR_SEND_SECONDS.observe(time.monotonic() - begun)
        error = asyncio.CancelledError() if sending.cancelled() else sending.exception()
        if error:
            self._fail(repr(error))
        batch.settle(is_acknowledged=error is None)

    def _fail(self, why: str) -> None:
        if not self.is_failing:
            _log.warning(
                "Kafka does not acknowledge: %s", why, extra={"event": "kafka_not_acknowledging"}
            )
        self._failed_at = time.monotonic()
