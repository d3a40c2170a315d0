"""Records gather, go to Kafka together, and nobody is told "yes" before Kafka has said it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from pipeline.collector.batches import Batches
from pipeline.kafka.in_memory import MemoryBroker
from pipeline.kafka.producer import NotAcknowledged
from pipeline.kafka.records import Record, Row, partition_for

TOPIC = "touchpoints.raw"


@dataclass
class SilentBroker(MemoryBroker):
    """Takes records and says nothing until it is told to speak; counts what it was sent."""

    speaks: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[int] = field(default_factory=list)

    async def send(self, topic: str, partition: int, records: Sequence[Row]) -> None:
        self.sent.append(len(records))
        await self.speaks.wait()
        await super().send(topic, partition, records)


def batches(
    broker: MemoryBroker,
    wait: timedelta = timedelta(milliseconds=5),
    ack_timeout: float = 0.1,
    max_pending: int = 1_000_000,
) -> Batches:
    return Batches(
        broker, wait=wait, ack_timeout=timedelta(seconds=ack_timeout), max_pending=max_pending
    )


def record(visitor: str, value: bytes = b"{}") -> tuple[str, Record]:
    return TOPIC, Record(f"shop:{visitor}".encode(), value, 0)


async def test_a_write_returns_when_its_records_are_in_the_log() -> None:
    broker = MemoryBroker()
    await batches(broker).write([record("a"), record("b")])
    assert {b"shop:a", b"shop:b"} == {each.key for each in broker.records(TOPIC)}


async def test_a_record_stands_in_the_partition_of_its_key() -> None:
    broker = MemoryBroker()
    await batches(broker).write([record("a")])
    assert [(TOPIC, partition_for(b"shop:a", 4))] == list(broker.log)


async def test_writes_of_the_same_milliseconds_go_together_and_in_order() -> None:
    broker = SilentBroker(partition_count=1)
    broker.speaks.set()
    gathering = batches(broker)
    values = [str(number).encode() for number in range(100)]
    await asyncio.gather(*(gathering.write([record("a", value)]) for value in values))
    assert [100] == broker.sent
    assert values == [each.value for each in broker.records(TOPIC)]


async def test_a_full_batch_does_not_wait_for_company() -> None:
    gathering = batches(broker := MemoryBroker(), wait=timedelta(hours=1))
    async with asyncio.timeout(1):
        await gathering.write([record("a", b"x" * 300_000)])
    assert 1 == len(broker.records(TOPIC))


async def test_nobody_is_answered_before_the_acknowledgement() -> None:
    broker = SilentBroker()
    writing = asyncio.create_task(batches(broker).write([record("a")]))
    await asyncio.sleep(0.03)
    assert not writing.done()
    broker.speaks.set()
    await writing


async def test_without_acknowledgement_in_time_the_write_fails() -> None:
    with pytest.raises(NotAcknowledged, match=r"within 0\.1 seconds"):
        await batches(SilentBroker()).write([record("a")])


async def test_a_broker_that_is_down_fails_the_write() -> None:
    with pytest.raises(NotAcknowledged):
        await batches(MemoryBroker(is_down=True)).write([record("a")])


async def test_a_write_to_two_partitions_fails_if_one_of_them_does() -> None:
    broken = partition_for(b"shop:a", 4)
    other = next(name for name in "bcdef" if partition_for(f"shop:{name}".encode(), 4) != broken)

    @dataclass
    class HalfABroker(MemoryBroker):
        async def send(self, topic: str, partition: int, records: Sequence[Row]) -> None:
            if partition == broken:
                raise NotAcknowledged("this partition has no leader")
            await super().send(topic, partition, records)

    with pytest.raises(NotAcknowledged):
        await batches(HalfABroker()).write([record(other), record("a")])


async def test_it_recovers_by_itself() -> None:
    broker = MemoryBroker(is_down=True)
    gathering = batches(broker, ack_timeout=0.02)
    with pytest.raises(NotAcknowledged):
        await gathering.write([record("a")])
    was_failing = gathering.is_failing
    broker.is_down = False
    await gathering.write([record("b")])
    await asyncio.sleep(0.03)
    assert (True, False) == (was_failing, gathering.is_failing)
    assert [b"shop:b"] == [each.key for each in broker.records(TOPIC)]


async def test_bytes_are_pending_until_the_broker_answers_even_if_nobody_waits_any_more() -> None:
    broker = SilentBroker()
    gathering = batches(broker, ack_timeout=0.01)
    with pytest.raises(NotAcknowledged):
        await gathering.write([record("a", b"x" * 994)])
    assert (1000, True) == (gathering.pending, gathering.is_failing)
    broker.speaks.set()
    await asyncio.sleep(0.02)
    assert (0, False) == (gathering.pending, gathering.is_failing)


async def test_with_too_many_bytes_pending_a_write_fails_at_once_and_adds_none() -> None:
    broker = SilentBroker()
    gathering = batches(broker, ack_timeout=1, max_pending=999)
    first = asyncio.create_task(gathering.write([record("a", b"x" * 994)]))
    await asyncio.sleep(0)
    with pytest.raises(NotAcknowledged, match="1000 bytes wait"):
        await gathering.write([record("b")])
    assert 1000 == gathering.pending
    broker.speaks.set()
    await first


async def test_a_sender_that_goes_away_takes_nobody_else_with_it() -> None:
    broker = SilentBroker(partition_count=1)
    gathering = batches(broker, ack_timeout=1)
    gone, stays = (asyncio.create_task(gathering.write([record(name)])) for name in "ab")
    await asyncio.sleep(0.02)
    gone.cancel()
    broker.speaks.set()
    await stays
    assert [b"shop:a", b"shop:b"] == [each.key for each in broker.records(TOPIC)]


async def test_draining_sends_what_is_still_open() -> None:
    gathering = batches(broker := MemoryBroker(), wait=timedelta(hours=1))
    writing = asyncio.create_task(gathering.write([record("a")]))
    await asyncio.sleep(0)
    await gathering.drain()
    await writing
    assert [b"shop:a"] == [each.key for each in broker.records(TOPIC)]


async def test_kafka_is_failing_as_long_as_an_acknowledgement_is_overdue() -> None:
    broker = SilentBroker()
    waiting = batches(broker, ack_timeout=0.02)
    for visitor in ("a", "b"):
        with pytest.raises(NotAcknowledged):
            await waiting.write([record(visitor)])
    await asyncio.sleep(0.05)  # longer than a refusal is remembered
    assert waiting.is_failing
    broker.speaks.set()
    await asyncio.sleep(0.05)
    assert not waiting.is_failing
