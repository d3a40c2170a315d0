"""The order of effects. Shell.

Rows acknowledged, then the states of a checkpoint acknowledged, then the offset of its chunk may
be committed. Chunks that queue up while a send is under way go out together. A broker that does not
answer is asked again, for ever: the queue is short, so the agent waits and Kafka keeps the rest.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from pipeline import metrics
from pipeline.producer import NotAcknowledged, Producer
from pipeline.records import Row
from pipeline.tracker.steps import Output
from schemas.topics import RAW, STATE

log = logging.getLogger(__name__)

_DEPTH = 256
_LONGEST_PAUSE_SECONDS = 5.0

Batches = dict[tuple[str, int], list[Row]]


class _Pending(NamedTuple):
    partition: int
    output: Output


class Outbox:
    """Sends outputs in order and reports each partition's durable offset to `done`."""

    def __init__(self, producer: Producer, done: Callable[[int, int], None]) -> None:
        self._producer = producer
        self._done = done
        self._queue: asyncio.Queue[_Pending] = asyncio.Queue(_DEPTH)

    async def put(self, partition: int, output: Output) -> None:
        """Hand over a chunk's output; waits while too many are on their way."""
        await self._queue.put(_Pending(partition, output))

    async def drain(self) -> None:
        """Wait until everything handed over is durable."""
        await self._queue.join()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            pending = [await self._queue.get()]
            while not self._queue.empty():
                pending.append(self._queue.get_nowait())
            await self._send(_gather_rows(pending))
            await self._send(_gather_states(pending))
            for partition, output in pending:
                if output.state:
                    self._done(partition, output.offset + 1)
                self._queue.task_done()

    async def _send(self, batches: Batches) -> None:
        pause = 0.1
        while True:
            try:
                return await self._producer.send_all(batches)
            except NotAcknowledged as error:
                metrics.TRACKER_RETRIES.inc()
                log.warning("Kafka does not take the tracker's records, trying again: %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _gather_rows(pending: list[_Pending]) -> Batches:
    batches: Batches = {}
    for partition, output in pending:
        for topic, rows in output.rows.items():
            batches.setdefault((topic, partition), []).extend(rows)
        for other, rows in output.messages.items():
            batches.setdefault((RAW.name, other), []).extend(rows)
    return batches


def _gather_states(pending: list[_Pending]) -> Batches:
    batches: Batches = {}
    for partition, output in pending:
        if output.state:
            batches.setdefault((STATE.name, partition), []).extend(output.state)
    return batches
