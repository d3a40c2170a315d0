"""The overflow topic comes back: all of it, at its pace, a site behind itself alone."""

import asyncio
from datetime import timedelta

import pytest
from aiokafka import TopicPartition

from pipeline import metrics
from pipeline.collector.arrival import Arrival
from pipeline.collector.batches import Batches
from pipeline.collector.collect import Collected
from pipeline.collector.intake import Intake, Limits
from pipeline.kafka.in_memory import ManualClock, MemoryBroker, MemoryConsumer
from pipeline.kafka.records import Record, partition_for
from pipeline.roles.drain import Drain
from schemas.topics import OVERFLOW, RAW

PARTITIONS = 4
LANE = [TopicPartition(OVERFLOW.name, number) for number in range(PARTITIONS)]


async def diverted(broker: MemoryBroker, site: str, count: int) -> list[bytes | None]:
    """Write touchpoints of different visitors to the lane; give what they say."""
    intake = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=30)))
    collected = Collected(Arrival(site, ManualClock().now))
    for number in range(count):
        call = f'{{"event": "X", "anonymousId": "a-{number}", "messageId": "m-{number}"}}'
        collected.keep(intake.touchpoint(call.encode(), collected.arrival, "track"))
    said = [record.value for _, record in collected.records]
    collected.divert()
    batches = Batches(
        broker,
        wait=timedelta(milliseconds=1),
        ack_timeout=timedelta(seconds=5),
        max_pending=10_000_000,
    )
    await batches.write(collected.records)
    return said


def member(
    broker: MemoryBroker, committed: dict[TopicPartition, int] | None = None
) -> MemoryConsumer:
    consumer = MemoryConsumer(broker, committed)
    consumer.assign(LANE)
    return consumer


async def test_what_comes_back_is_what_would_have_stood_there_and_where_it_would() -> None:
    broker = MemoryBroker(PARTITIONS)
    said = await diverted(broker, "shop", 100)
    await Drain(member(broker), broker, rate=1000).round(1)
    back = broker.records(RAW.name)
    assert sorted(map(str, said)) == sorted(str(record.value) for record in back)
    for partition in range(PARTITIONS):
        for record in broker.log.get((RAW.name, partition), []):
            assert record.key
            assert record.key.startswith(b"shop:a-")
            assert partition == partition_for(record.key, PARTITIONS)
    received = int(ManualClock().now.timestamp() * 1000)
    assert {received} == {record.timestamp_ms for record in back}


async def test_no_partition_gives_back_more_than_its_rate_and_none_waits_for_another() -> None:
    broker = MemoryBroker(PARTITIONS)
    sites = {partition_for(site.encode(), PARTITIONS): site for site in ("a", "b", "c", "d", "e")}
    hot, quiet = list(sites.values())[:2]
    await diverted(broker, hot, 1000)
    await diverted(broker, quiet, 5)
    drain = Drain(member(broker), broker, rate=100)
    for number in range(1, 5):
        await drain.round(0.5)
        came = [str(record.value) for record in broker.records(RAW.name)]
        assert number * 50 == sum(f'"site":"{hot}"' in value for value in came)
        assert 5 == sum(f'"site":"{quiet}"' in value for value in came)


async def test_a_silence_does_not_save_up_more_than_a_second() -> None:
    broker = MemoryBroker(PARTITIONS)
    drain = Drain(member(broker), broker, rate=100)
    for _ in range(20):
        await drain.round(0.5)
    await diverted(broker, "shop", 1000)
    await drain.round(0.5)
    assert 100 == len(broker.records(RAW.name))


async def test_less_than_one_a_second_comes_back_too() -> None:
    broker = MemoryBroker(PARTITIONS)
    await diverted(broker, "shop", 10)
    drain = Drain(member(broker), broker, rate=0.5)
    for _ in range(8):
        await drain.round(0.5)
    assert 2 == len(broker.records(RAW.name))


async def test_while_kafka_does_not_acknowledge_nothing_is_committed_and_nothing_lost() -> None:
    broker = MemoryBroker(PARTITIONS)
    await diverted(broker, "shop", 10)
    consumer = member(broker)
    broker.is_down = True
    paused = asyncio.Event()

    async def pause(_seconds: float) -> None:
        paused.set()
        await asyncio.sleep(0.01)

    round_ = asyncio.create_task(Drain(consumer, broker, rate=100, pause=pause).round(1))
    await paused.wait()
    assert {} == consumer.committed
    broker.is_down = False
    await round_
    assert 10 == len(broker.records(RAW.name))
    assert 10 == sum(consumer.committed.values())


async def test_after_a_crash_before_the_commit_it_comes_back_once_more_and_nothing_is_missing() -> (
    None
):
    broker = MemoryBroker(PARTITIONS)
    await diverted(broker, "shop", 10)

    class Crashing(MemoryConsumer):
        async def commit(self, offsets: object) -> None:
            raise ConnectionError(str(offsets))

    first = Crashing(broker)
    first.assign(LANE)
    with pytest.raises(ConnectionError):
        await Drain(first, broker, rate=100).round(1)
    await Drain(member(broker, first.committed), broker, rate=100).round(1)
    values = [record.value for record in broker.records(RAW.name)]
    assert (20, 10) == (len(values), len(set(values)))


def ages() -> dict[str, float]:
    [family] = metrics.DRAIN_AGE.collect()
    return {sample.labels["partition"]: sample.value for sample in family.samples}


async def test_how_long_they_have_waited_is_shown_until_none_waits() -> None:
    """Also while a fetch is under way, which brings nothing."""
    broker = MemoryBroker(PARTITIONS)
    await diverted(broker, "shop", 15)
    consumer = member(broker)
    then = ManualClock().now.timestamp()
    drain = Drain(consumer, broker, rate=10, now=lambda: then + 7 * 3600)
    home = str(partition_for(b"shop", PARTITIONS))
    await drain.round(1)
    assert ages()[home] == 7 * 3600
    consumer.pause(*LANE)
    await drain.round(1)
    assert ages()[home] == 7 * 3600
    consumer.resume(*LANE)
    await drain.round(1)
    await drain.round(1)
    assert ages()[home] == 0


async def test_of_a_partition_that_has_gone_to_another_nothing_is_shown() -> None:
    broker = MemoryBroker(PARTITIONS)
    await diverted(broker, "shop", 15)
    consumer = member(broker)
    drain = Drain(consumer, broker, rate=10)
    await drain.round(1)
    consumer.assign([])
    await drain.round(1)
    assert ages() == {}


async def test_what_is_no_touchpoint_goes_on_to_where_it_is_buried() -> None:
    broker = MemoryBroker(PARTITIONS)
    values = [b"{", b"\xff", b"[" * 100_000, b'{"site": 7}', None]
    await broker.send(OVERFLOW.name, 0, [Record(b"shop", value, 0) for value in values])
    consumer = member(broker)
    await Drain(consumer, broker, rate=100).round(1)
    assert values == [record.value for record in broker.records(RAW.name)]
    assert 5 == consumer.committed[LANE[0]]
