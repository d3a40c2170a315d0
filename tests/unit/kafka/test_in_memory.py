"""The in-memory broker, consumer and clock keep the contracts of the real ones."""

from datetime import timedelta

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

from pipeline.kafka.in_memory import (
    Fetched,
    ManualClock,
    MemoryBroker,
    MemoryConsumer,
)
from pipeline.kafka.producer import NotAcknowledged
from pipeline.kafka.records import Row

ZERO, ONE = TopicPartition("sessions", 0), TopicPartition("sessions", 1)


def row(value: bytes) -> Row:
    return (b"shop:ada", value, 5)


async def filled(*values: bytes) -> MemoryBroker:
    broker = MemoryBroker()
    await broker.send("sessions", 0, [row(value) for value in values])
    return broker


async def offsets(consumer: MemoryConsumer, most: int | None = None) -> list[int]:
    fetched = await consumer.getmany(max_records=most)
    return [record.offset for records in fetched.values() for record in records]


async def test_a_broker_keeps_the_order_of_each_partition() -> None:
    broker = await filled(b"a")
    await broker.send_all({("sessions", 1): [row(b"b")], ("sessions", 0): [row(b"c")]})
    assert [record.value for record in broker.records("sessions")] == [b"a", b"c", b"b"]


async def test_a_broker_that_is_down_takes_nothing() -> None:
    broker = MemoryBroker(is_down=True)
    with pytest.raises(NotAcknowledged):
        await broker.send("sessions", 0, [row(b"a")])
    with pytest.raises(NotAcknowledged):
        await broker.send_all({("sessions", 0): [row(b"a")]})
    assert broker.records("sessions") == []


async def test_a_consumer_gives_each_record_once() -> None:
    consumer = MemoryConsumer(await filled(b"a", b"b"))
    consumer.assign([ZERO])
    assert await consumer.getmany() == {
        ZERO: [Fetched("sessions", 0, at, 5, b"shop:ada", b"ab"[at : at + 1]) for at in range(2)]
    }
    assert await consumer.getmany() == {}


async def test_a_consumer_gives_no_more_than_asked_for() -> None:
    consumer = MemoryConsumer(await filled(b"a", b"b", b"c"))
    consumer.assign([ZERO])
    assert await offsets(consumer, most=2) == [0, 1]
    assert await offsets(consumer, most=2) == [2]


async def test_a_paused_partition_gives_nothing_until_it_is_resumed() -> None:
    consumer = MemoryConsumer(await filled(b"a"))
    consumer.assign([ZERO])
    consumer.pause(ZERO)
    assert (await offsets(consumer), consumer.paused()) == ([], {ZERO})
    consumer.resume(ZERO)
    assert (await offsets(consumer), consumer.paused()) == ([0], set())


async def test_a_new_assignment_begins_at_what_was_committed_and_is_not_paused() -> None:
    consumer = MemoryConsumer(await filled(b"a", b"b"))
    consumer.assign([ZERO])
    await consumer.getmany()
    await consumer.commit({ZERO: 1})
    consumer.pause(ZERO)
    consumer.assign([ZERO, ONE])
    assert (await offsets(consumer), consumer.assignment()) == ([1], {ZERO, ONE})


async def test_members_of_a_group_share_what_is_committed() -> None:
    first = MemoryConsumer(await filled(b"a", b"b"))
    second = MemoryConsumer(first.broker, first.committed)
    first.assign([ZERO])
    await first.commit({ZERO: 1})
    second.assign([ZERO])
    assert await offsets(second) == [1]


async def test_a_partition_that_is_not_owned_cannot_be_committed_or_asked_for_its_end() -> None:
    consumer = MemoryConsumer(await filled(b"a"))
    consumer.assign([ONE])
    with pytest.raises(IllegalStateError):
        await consumer.commit({ZERO: 1})
    with pytest.raises(AssertionError):
        consumer.highwater(ZERO)
    assert (consumer.committed, consumer.highwater(ONE)) == ({}, 0)


def test_a_clock_moves_when_it_is_told_to() -> None:
    clock = ManualClock()
    before = clock()
    assert clock() == before
    clock.advance(timedelta(hours=1))
    assert clock() == before + timedelta(hours=1)
