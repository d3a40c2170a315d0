"""In-memory stand-ins for Kafka and the clock: product code, used by tests and dry runs."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pipeline.producer import NotAcknowledged
from pipeline.records import Record, Row


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
        self.log[topic, partition].extend(Record(*row) for row in records)

    def records(self, topic: str) -> list[Record]:
        """Give all records of `topic`, partition after partition."""
        return [
            record
            for partition in range(self.partition_count)
            for record in self.log.get((topic, partition), [])
        ]


@dataclass
class ManualClock:
    """A clock that moves when told to."""

    now: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Give the current time."""
        return self.now

    def advance(self, by: timedelta) -> None:
        """Move time forward."""
        self.now += by
