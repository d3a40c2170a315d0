"""The order of effects: rows, then states, then the offset."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress

import pytest

from pipeline.kafka.in_memory import MemoryBroker
from pipeline.kafka.lease import Lease, LeaseLost
from pipeline.kafka.producer import NotAcknowledged, Producer
from pipeline.kafka.records import Row
from pipeline.metrics import TRACKER_RETRIES
from pipeline.tracker.outbox import Outbox
from pipeline.tracker.output import Output
from schemas.topics import RAW, SESSIONS, STATE, TOUCHPOINTS

Batches = Mapping[tuple[str, int], Iterable[Row]]


class SlowProducer(MemoryBroker):
    """Acknowledges when it is told to, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: asyncio.Queue[Batches] = asyncio.Queue()
        self._answers: asyncio.Queue[bool] = asyncio.Queue()

    async def send_all(self, batches: Batches) -> None:
        self.asked.put_nowait(batches)
        if not await self._answers.get():
            raise NotAcknowledged("not today")
        await super().send_all(batches)

    def acknowledge(self) -> None:
        self._answers.put_nowait(True)

    def fail(self) -> None:
        self._answers.put_nowait(False)


def output(offset: int, *topics: str) -> Output:
    made = Output(offset=offset)
    made.rows = {topic: [(b"shop:ada", b"%d" % offset, offset)] for topic in topics}
    made.state = [(b"shop:ada", b"%d" % offset, offset)]
    return made


def values(batches: Batches) -> dict[tuple[str, int], list[bytes | None]]:
    return {to: [value for _, value, _ in rows] for to, rows in batches.items()}


Done = list[tuple[int, int]]


@asynccontextmanager
async def sending(producer: Producer) -> AsyncIterator[tuple[Outbox, Done]]:
    done: Done = []
    outbox = Outbox(producer, lambda *place: done.append(place), Lease(8.0, lambda: 0.0))
    task = asyncio.create_task(outbox.run())
    yield outbox, done
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_states_are_sent_only_after_the_rows_are_acknowledged() -> None:
    producer = SlowProducer()
    async with sending(producer) as (outbox, done):
        await outbox.put(2, output(7, SESSIONS.name, TOUCHPOINTS.name))
        assert values(await producer.asked.get()) == {
            (SESSIONS.name, 2): [b"7"],
            (TOUCHPOINTS.name, 2): [b"7"],
        }
        await asyncio.sleep(0.01)
        assert producer.asked.empty()
        producer.acknowledge()
        assert values(await producer.asked.get()) == {(STATE.name, 2): [b"7"]}
        assert done == []


async def test_the_place_of_a_checkpoint_is_durable_before_anything_of_it_is_sent() -> None:
    producer = SlowProducer()
    async with sending(producer) as (outbox, _):
        begun = Output(place=(b"places", b"7", 7))
        await outbox.put(2, begun)
        await outbox.put(2, output(7, SESSIONS.name))
        assert values(await producer.asked.get()) == {(STATE.name, 2): [b"7"]}
        await asyncio.sleep(0.01)
        assert producer.asked.empty()
        producer.acknowledge()
        assert values(await producer.asked.get()) == {(SESSIONS.name, 2): [b"7"]}


async def test_the_offset_after_the_chunk_is_done_once_its_states_are_acknowledged() -> None:
    producer = SlowProducer()
    async with sending(producer) as (outbox, done):
        await outbox.put(2, output(7, SESSIONS.name))
        producer.acknowledge()
        producer.acknowledge()
        await outbox.drain()
        assert done == [(2, 8)]


async def test_drain_waits_until_everything_is_durable() -> None:
    producer = SlowProducer()
    async with sending(producer) as (outbox, done):
        await outbox.put(0, output(0, SESSIONS.name))
        drained = asyncio.create_task(outbox.drain())
        producer.acknowledge()
        await asyncio.sleep(0.01)
        assert (drained.done(), done) == (False, [])
        producer.acknowledge()
        await drained
        assert done == [(0, 1)]


async def test_drain_with_nothing_on_its_way_returns_at_once() -> None:
    async with sending(SlowProducer()) as (outbox, done):
        await asyncio.wait_for(outbox.drain(), 1)
        assert done == []


async def test_chunks_that_come_meanwhile_go_out_together_in_order() -> None:
    producer = SlowProducer()
    async with sending(producer) as (outbox, done):
        await outbox.put(0, output(0, SESSIONS.name))
        await producer.asked.get()
        await outbox.put(0, output(1, SESSIONS.name))
        await outbox.put(1, output(5, TOUCHPOINTS.name))
        await outbox.put(0, output(2, SESSIONS.name))
        producer.acknowledge()
        producer.acknowledge()
        await producer.asked.get()
        assert values(await producer.asked.get()) == {
            (SESSIONS.name, 0): [b"1", b"2"],
            (TOUCHPOINTS.name, 1): [b"5"],
        }
        producer.acknowledge()
        assert values(await producer.asked.get()) == {
            (STATE.name, 0): [b"1", b"2"],
            (STATE.name, 1): [b"5"],
        }
        producer.acknowledge()
        await outbox.drain()
        assert done == [(0, 1), (0, 2), (1, 6), (0, 3)]


async def test_messages_go_to_the_partitions_they_are_for() -> None:
    producer = SlowProducer()
    async with sending(producer) as (outbox, _):
        said = output(3)
        said.messages = {1: [(b"shop:bob", b"one", 3)], 2: [(b"shop:eve", b"two", 3)]}
        await outbox.put(0, said)
        told = values(await producer.asked.get())
        assert told == {(RAW.name, 1): [b"one"], (RAW.name, 2): [b"two"]}


async def test_a_chunk_without_rows_still_writes_its_state() -> None:
    broker = MemoryBroker()
    async with sending(broker) as (outbox, done):
        await outbox.put(0, output(3))
        await outbox.drain()
        assert ([record.value for record in broker.records(STATE.name)], done) == (
            [b"3"],
            [(0, 4)],
        )


async def test_rows_that_are_not_acknowledged_are_sent_again_before_any_state() -> None:
    producer = SlowProducer()
    async with sending(producer) as (outbox, done):
        await outbox.put(0, output(0, SESSIONS.name))
        first = await producer.asked.get()
        tried, excused = TRACKER_RETRIES._value.get(), asyncio.Event()
        outbox.excuse = excused.set
        producer.fail()
        assert await producer.asked.get() == first
        assert (TRACKER_RETRIES._value.get() - tried, excused.is_set()) == (1, True)
        assert (list(first), done) == ([(SESSIONS.name, 0)], [])


async def test_states_that_are_not_acknowledged_are_sent_again_without_the_rows() -> None:
    producer = SlowProducer()
    async with sending(producer) as (outbox, done):
        await outbox.put(0, output(0, SESSIONS.name))
        producer.acknowledge()
        producer.fail()
        producer.acknowledge()
        await outbox.drain()
        asked = [list(producer.asked.get_nowait()) for _ in range(3)]
        assert asked == [[(SESSIONS.name, 0)], [(STATE.name, 0)], [(STATE.name, 0)]]
        assert done == [(0, 1)]


async def test_a_broker_that_is_away_for_a_while_loses_nothing() -> None:
    broker = MemoryBroker(is_down=True)
    async with sending(broker) as (outbox, done):
        for offset in range(3):
            await outbox.put(0, output(offset, SESSIONS.name))
        await asyncio.sleep(0.05)
        assert (broker.log, done) == ({}, [])
        broker.is_down = False
        await outbox.drain()
    for topic in (SESSIONS.name, STATE.name):
        assert [record.value for record in broker.records(topic)] == [b"0", b"1", b"2"]
    assert done == [(0, 1), (0, 2), (0, 3)]


async def put_until_it_waits(outbox: Outbox, *topics: str) -> int:
    """Hand over outputs until one has to wait, and break that one off; give its number."""
    put = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            while True:
                await outbox.put(0, output(put, *topics))
                put += 1
    return put


async def test_while_the_broker_is_away_the_agent_waits_and_memory_stays_bounded() -> None:
    broker = MemoryBroker(is_down=True)
    async with sending(broker) as (outbox, _):
        assert 0 < await put_until_it_waits(outbox) < 1000


async def test_who_is_cancelled_while_waiting_has_handed_over_all_but_the_offset() -> None:
    broker = MemoryBroker(is_down=True)
    async with sending(broker) as (outbox, done):
        put = await put_until_it_waits(outbox, SESSIONS.name)
        broker.is_down = False
        await outbox.drain()
        assert (0, put + 1) not in done
        await outbox.put(0, output(put + 1, SESSIONS.name))
        await outbox.drain()
    for topic in (SESSIONS.name, STATE.name):
        assert [int(record.value or b"") for record in broker.records(topic)] == [*range(put + 2)]
    assert done[-1] == (0, put + 2)


async def test_who_stood_still_for_too_long_writes_nothing_more() -> None:
    now = 0.0
    broker = MemoryBroker()
    lease = Lease(8.0, lambda: now)
    lease.renew()
    outbox = Outbox(broker, lambda *_: None, lease)
    await outbox.put(2, output(7, SESSIONS.name))
    now = 9.0
    with pytest.raises(LeaseLost):
        await outbox.run()
    assert broker.records(SESSIONS.name) == []
