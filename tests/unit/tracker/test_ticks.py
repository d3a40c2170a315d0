"""Which partitions are told the time: also those in which nothing happens after a restart."""

from faust.types import TP

from pipeline.kafka.in_memory import MemoryBroker
from pipeline.settings import Settings
from pipeline.tracker.app import Tracker
from pipeline.tracker.changelog import Store
from pipeline.tracker.partition import Partition
from schemas.codec import decode_tick
from schemas.times import milliseconds
from schemas.topics import RAW
from tests.support.journeys import RULES


def test_a_partition_that_knows_nobody_needs_no_time() -> None:
    store, somebody = Store(Settings()), Partition(2)
    somebody.states[b"shop:ada"] = b""
    store._open = {1: Partition(1), 2: somebody}
    assert store.may_remember({1, 2, 3}) == [2, 3]


async def test_a_tracker_that_has_just_started_tells_the_time_to_all_it_owns() -> None:
    tracker, broker = Tracker(Settings(), RULES), MemoryBroker()
    tracker.producer = broker  # type: ignore[assignment]
    await tracker.assigned(None, {TP(RAW.name, 1), TP(RAW.name, 3)})
    await tracker.tick()
    said = {number: broker.log[RAW.name, number] for number in range(4)}
    assert [number for number, records in said.items() if records] == [1, 3]
    [record] = said[1]
    assert milliseconds(decode_tick(record.value or b"").tick) == record.timestamp_ms
