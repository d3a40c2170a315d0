"""How records reach the Faust agent, and up to where they count as done. Shell.

Faust costs 250 µs per record, whatever the record. `Coalesce` gives the agent one event per chunk
of records instead. `ChunkConsumer` commits what the tracker has completed: Faust's own bookkeeping
acknowledges an event even if its agent raised, and sees a gap before every chunk.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import faust
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

CHUNK = 500
"""Most records in one chunk: enough to spread Faust's cost, few enough to stay responsive."""


class Coalesce(DefaultSchedulingStrategy):
    """Joins consecutive records of a partition: the value of the last one is the list of all."""

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        """Give chunks from every partition in turn."""
        return super().iterate({tp: list(_chunks(found)) for tp, found in records.items()})


def _chunks(records: list[Any]) -> Iterator[Any]:
    for start in range(0, len(records), CHUNK):
        chunk = records[start : start + CHUNK]
        yield replace(chunk[-1], value=chunk)


class ChunkSchema(faust.Schema[Any, Any]):
    """Hands the chunk to the agent as it is; decoding is the tracker's own first step."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:
        """Give the key's bytes."""
        del app
        return message.key

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:
        """Give the list of records."""
        del app
        return message.value


class TrackerApp(faust.App):
    """A Faust app that knows how to make the effects of its chunks durable."""

    drain: Callable[[], Awaitable[None]]
    consumer: Any
    rack: str = ""
    fetch_wait_ms: int

    def _create_directories(self) -> None:
        """Make no topics: they would be for Faust's tables, and there are none."""


class _Thread(AIOKafkaConsumerThread):
    """Reads from the nearest replica, and at once: Faust has no setting for either."""

    app: Any

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._client_rack = self.app.rack or None  # noqa: SLF001
        consumer._fetch_max_wait_ms = self.app.fetch_wait_ms  # noqa: SLF001
        return consumer


class ChunkConsumer(Consumer):
    """Commits `done`: per partition the offset after the last record whose effects are durable."""

    app: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.done: dict[TP, int] = {}
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        del topics
        return iter(list(self.done))

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self.done.get(tp)

    async def wait_empty(self) -> None:
        """Make all effects durable, then commit: before a rebalance and before the end."""
        await super().wait_empty()
        await self.app.drain()
        await self.commit()

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Faust sees chunks as gaps; nothing is skipped."""


class ChunkTransport(Transport):
    """Kafka with `ChunkConsumer`."""

    Consumer = ChunkConsumer
