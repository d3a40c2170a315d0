"""The order of effects. Shell.

First the place of a checkpoint is acknowledged, then rows, then the states of the checkpoint; then
the offset of its chunk may be committed. Chunks that queue up during a send go out together. If the
broker does not answer, the outbox retries for ever: the queue is short, so the agent waits and
Kafka keeps the rest.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from pipeline import metrics
from pipeline.kafka.lease import Lease
from pipeline.kafka.producer import NotAcknowledged, Packed, Producer
from pipeline.kafka.records import Row
from pipeline.tracker.output import Output
from schemas.topics import RAW, STATE

log = logging.getLogger(__name__)

_DEPTH = 256
_LONGEST_PAUSE_SECONDS = 5.0

Batches = dict[tuple[str, int], Packed]


class _Pending(NamedTuple):
    partition: int
    offset: int | None


class Outbox:
    """Sends outputs in order and reports each partition's durable offset to `done`.

    With `excuse` it reports that it is waiting for Kafka. It writes only while it holds `lease`.
    """

    def __init__(self, producer: Producer, done: Callable[[int, int], None], lease: Lease) -> None:
        self._producer = producer
        self._done = done
        self._lease = lease
        self.excuse: Callable[[], None] = lambda: None
        self._queue: asyncio.Queue[_Pending] = asyncio.Queue(_DEPTH)
        self._places: Batches = {}
        self._rows: Batches = {}
        self._states: Batches = {}

    async def put(self, partition: int, output: Output) -> None:
        """Hand over an output; wait while too many are on their way.

        If the caller is cancelled meanwhile, everything except the offset was handed over.
        """
        if output.place:
            _add(self._places, STATE.name, partition, [output.place])
        for topic, rows in output.rows.items():
            _add(self._rows, topic, partition, rows)
        for other, rows in output.messages.items():
            _add(self._rows, RAW.name, other, rows)
        if output.state:
            _add(self._states, STATE.name, partition, output.state)
        await self._queue.put(_Pending(partition, output.offset))

    async def drain(self) -> None:
        """Wait until everything that was handed over is durable."""
        await self._queue.join()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            pending = [await self._queue.get()]
            while not self._queue.empty():
                pending.append(self._queue.get_nowait())
            places, rows, states = self._places, self._rows, self._states
            self._places, self._rows, self._states = {}, {}, {}
            if places:
                await self._send(places)
            await self._send(rows)
            await self._send(states)
            for partition, offset in pending:
                if offset is not None:
                    self._done(partition, offset + 1)
                self._queue.task_done()

    async def _send(self, batches: Batches) -> None:
        pause = 0.1
        while True:
            self._lease.hold()
            try:
                return await self._producer.send_all(batches)
            except NotAcknowledged as error:
                metrics.TRACKER_RETRIES.inc()
                self.excuse()
                log.warning(
                    "Kafka does not take the tracker's records, trying again: %s",
                    error,
                    extra={"event": "tracker_waits_for_kafka"},
                )
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _add(batches: Batches, topic: str, partition: int, rows: list[Row]) -> None:
    batch = batches.get((topic, partition))
    if batch is None:
        batch = batches[topic, partition] = Packed()
    batch.extend(rows)
