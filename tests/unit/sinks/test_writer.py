"""Consume, flush, then commit: whatever fails in between, nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError, RequestTimedOutError
from aiokafka.structs import OffsetAndMetadata
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kafka.in_memory import MemoryBroker, MemoryConsumer
from schemas.dead_letter import DeadLetter
from schemas.refusals import Refusals, TooManyRefused
from schemas.topics import DEAD_LETTERS, SESSIONS, TABLES, TOUCHPOINTS
from sinks.batch import Row
from sinks.memory import MemorySink
from sinks.writer import Writer

SESSIONS_0, SESSIONS_1 = TopicPartition(SESSIONS.name, 0), TopicPartition(SESSIONS.name, 1)
TOUCHPOINTS_0 = TopicPartition(TOUCHPOINTS.name, 0)
LETTERS_0 = TopicPartition(DEAD_LETTERS.name, 0)


@dataclass
class Events:
    """What the writer told of itself."""

    rows: dict[str, int] = field(default_factory=dict)
    retries: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def wrote(self, table: str, rows: Sequence[Row], seconds: float) -> None:
        del seconds
        self.rows[table] = self.rows.get(table, 0) + len(rows)

    def retried(self, table: str, reason: str) -> None:
        del reason
        self.retries.append(table)

    def refused(self, table: str) -> None:
        self.refusals.append(table)


class Bench:
    """A writer between a broker and a sink, all in memory."""

    def __init__(
        self,
        *assigned: TopicPartition,
        consumer: MemoryConsumer | None = None,
        sink: MemorySink | None = None,
        most_rows: int = 1000,
        longest_seconds: float = 0,
        writer: type[Writer] = Writer,
    ) -> None:
        self.consumer = consumer or MemoryConsumer(MemoryBroker())
        self.broker = self.consumer.broker
        self.consumer.assign(assigned)
        self.sink = sink or MemorySink()
        self.events = Events()
        self.letters: list[DeadLetter] = []
        self.writer = writer(
            self.consumer,
            self.sink,
            TABLES,
            self._bury,
            self.events,
            most_rows=most_rows,
            longest_seconds=longest_seconds,
        )

    async def say(self, tp: TopicPartition, *values: bytes | None) -> None:
        await self.broker.send(tp.topic, tp.partition, [(None, value, 5) for value in values])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.writer.run())
        yield
        self.writer.stop.set()
        await asyncio.wait_for(task, 10)

    async def run(self, until: Callable[[], object]) -> None:
        async with self.running():
            await eventually(until)

    async def drain(self) -> None:
        """Run until everything that its partitions hold is committed."""
        await self.run(lambda: all(self._is_level(tp) for tp in self.consumer.assignment()))

    def _is_level(self, tp: TopicPartition) -> bool:
        return self.consumer.committed.get(tp, 0) == len(self.broker.log[tp])

    def has_committed(self, tp: TopicPartition, offset: int) -> Callable[[], bool]:
        return lambda: self.consumer.committed.get(tp) == offset

    async def _bury(self, letter: DeadLetter) -> None:
        self.letters.append(letter)


def logged(caplog: pytest.LogCaptureFixture) -> set[str]:
    """Give what the operator was told."""
    return {record.event for record in caplog.records if hasattr(record, "event")}


async def eventually(is_true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not is_true():  # noqa: ASYNC110 - what is waited for is not ours to signal
            await asyncio.sleep(0.002)


async def test_records_become_rows_and_are_committed() -> None:
    bench = Bench(SESSIONS_0, TOUCHPOINTS_0)
    await bench.say(SESSIONS_0, b"a", b"b")
    await bench.say(TOUCHPOINTS_0, b"c")
    await bench.run(until=bench.has_committed(TOUCHPOINTS_0, 1))
    assert dict(bench.sink.tables) == {"sessions": [b"a", b"b"], "touchpoints": [b"c"]}
    assert bench.consumer.committed == {SESSIONS_0: 2, TOUCHPOINTS_0: 1}


async def test_what_is_there_when_it_stops_is_written_and_committed() -> None:
    bench = Bench(SESSIONS_0, longest_seconds=3600)
    await bench.say(SESSIONS_0, b"a")
    await bench.run(until=lambda: bench.writer._batches["sessions"].rows)
    assert bench.sink.tables["sessions"] == [b"a"]
    assert bench.consumer.committed == {SESSIONS_0: 1}


async def test_when_nearly_all_are_refused_it_stops_and_commits_nothing() -> None:
    bench = Bench(SESSIONS_0, sink=MemorySink(poison=b"shop"))
    bench.writer._refusals = Refusals(run=3, share=0)
    await bench.say(SESSIONS_0, *(b'{"site":"shop"}' for _ in range(20)))
    with pytest.raises(TooManyRefused):
        await bench.writer.run()
    assert [letter.site for letter in bench.letters] == ["shop"] * 3
    assert bench.consumer.committed == {}


async def test_a_row_that_is_written_ends_a_run_of_refusals() -> None:
    bench = Bench(SESSIONS_0, sink=MemorySink(poison=b"bad"))
    bench.writer._refusals = Refusals(run=1, share=0)
    for number, value in enumerate([b"good", b"bad", b"good", b"bad"], 1):
        await bench.say(SESSIONS_0, value)
        bench.writer.stop.clear()
        await bench.run(until=bench.has_committed(SESSIONS_0, number))
    assert len(bench.letters) == 2


async def test_with_nothing_to_do_it_writes_and_commits_nothing() -> None:
    bench = Bench(SESSIONS_0)
    await bench.run(until=lambda: True)
    assert (dict(bench.sink.tables), bench.consumer.committed) == ({}, {})


async def test_the_events_tell_rows() -> None:
    bench = Bench(SESSIONS_0, most_rows=2)
    await bench.say(SESSIONS_0, *(b"%d" % number for number in range(5)))
    await bench.drain()
    assert bench.events.rows == {"sessions": 5}


# --- bad rows -----------------------------------------------------------------------------------


@given(st.integers(1, 40), st.data())
async def test_every_bad_row_becomes_one_dead_letter_and_all_others_arrive(
    count: int, data: st.DataObject
) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    values = [b'{"n":%d%s}' % (at, b',"bad":1' if at in bad else b"") for at in range(count)]
    bench = Bench(SESSIONS_0)
    bench.sink.poison = b"bad"
    await bench.say(SESSIONS_0, *values)
    await bench.drain()
    assert bench.sink.tables["sessions"] == [v for at, v in enumerate(values) if at not in bad]
    assert [(letter.position, letter.payload.encode()) for letter in bench.letters] == [
        (at, values[at]) for at in sorted(bad)
    ]
    assert bench.events.refusals == ["sessions"] * len(bad)


async def test_a_dead_letter_says_where_the_row_stood_and_why_it_was_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(SESSIONS_1)
    bench.sink.poison = b"bad"
    await bench.say(SESSIONS_1, b"good", b"bad")
    await bench.drain()
    assert "row_refused" in logged(caplog)
    (letter,) = bench.letters
    assert (letter.stage, letter.source, letter.position) == ("sink", "sessions-1", 1)
    assert (letter.reason, letter.detail) == ("refused_by_clickhouse", "poison")
    assert letter.at.timestamp() == 0.005


async def test_a_bad_dead_letter_makes_no_dead_letter_and_stops_nothing() -> None:
    bench = Bench(LETTERS_0)
    bench.sink.poison = b"bad"
    await bench.say(LETTERS_0, b"bad", b"good")
    await bench.drain()
    assert bench.sink.tables["dead_letters"] == [b"good"]
    assert (bench.letters, bench.events.refusals) == ([], ["dead_letters"])


async def test_a_record_without_a_value_is_an_empty_line_that_the_sink_may_ignore() -> None:
    bench = Bench(SESSIONS_0)
    await bench.say(SESSIONS_0, None)
    await bench.drain()
    assert bench.sink.tables["sessions"] == [b""]


async def test_a_dead_letter_that_cannot_be_written_ends_the_sink_before_the_commit() -> None:
    bench = Bench(SESSIONS_0)
    bench.sink.poison = b"bad"
    bench.letters = Full()
    await bench.say(SESSIONS_0, b"bad")
    with pytest.raises(BufferError):
        await bench.writer.run()
    assert bench.consumer.committed == {}


class Full(list[DeadLetter]):
    """A letter box that takes nothing more."""

    def append(self, letter: DeadLetter) -> None:
        raise BufferError(letter.dead_letter_id)


# --- a sink that is away ------------------------------------------------------------------------


async def test_while_the_sink_is_down_partitions_rest_and_nothing_is_committed() -> None:
    bench = Bench(SESSIONS_0, SESSIONS_1)
    bench.sink.is_down = True
    await bench.say(SESSIONS_0, b"a")
    async with bench.running():
        await eventually(lambda: bench.events.retries)
        await eventually(bench.consumer.paused)
        assert bench.consumer.paused() == {SESSIONS_0, SESSIONS_1}
        assert (dict(bench.sink.tables), bench.consumer.committed) == ({}, {})
        bench.sink.is_down = False
        await eventually(bench.has_committed(SESSIONS_0, 1))
        assert bench.consumer.paused() == set()


async def test_when_it_is_back_nothing_is_missing_and_nothing_is_there_twice() -> None:
    bench = Bench(SESSIONS_0)
    bench.sink.is_down = True
    values = [b"%d" % number for number in range(20)]
    await bench.say(SESSIONS_0, *values[:10])
    async with bench.running():
        await eventually(lambda: bench.events.retries)
        await bench.say(SESSIONS_0, *values[10:])
        bench.sink.is_down = False
        await eventually(bench.has_committed(SESSIONS_0, 20))
    assert bench.sink.tables["sessions"] == values


async def test_an_insert_that_arrived_unheard_is_not_there_twice() -> None:
    bench = Bench(SESSIONS_0)
    await bench.say(SESSIONS_0, b"a", b"b")
    await bench.drain()
    bench.consumer.committed.clear()
    bench.consumer.assign([SESSIONS_0])
    bench.writer.stop.clear()
    await bench.drain()
    assert bench.sink.tables["sessions"] == [b"a", b"b"]


async def test_it_stops_at_once_while_the_sink_is_down_and_leaves_the_rows_to_the_next_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(SESSIONS_0)
    bench.sink.is_down = True
    await bench.say(SESSIONS_0, b"a")
    await bench.run(until=lambda: bench.events.retries)
    assert bench.consumer.committed == {}
    assert {"rows_wait", "sink_stopped_waiting"} <= logged(caplog)


class Patient(Writer):
    """Does not wait, but notes how long it would have, until it would wait the same time again."""

    async def _pause(self, seconds: float) -> None:
        pauses = self.__dict__.setdefault("pauses", [])
        if seconds in pauses:
            self.stop.set()
        pauses.append(seconds)


async def test_the_longer_the_sink_is_down_the_less_often_it_is_tried() -> None:
    bench = Bench(SESSIONS_0, writer=Patient)
    bench.sink.is_down = True
    await bench.say(SESSIONS_0, b"a")
    await bench.writer.run()
    assert vars(bench.writer)["pauses"] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


# --- rebalances ---------------------------------------------------------------------------------


async def test_a_partition_that_comes_while_the_sink_is_down_loses_no_record() -> None:
    bench = Bench(SESSIONS_0)
    bench.sink.is_down = True
    await bench.say(SESSIONS_0, b"a")
    await bench.say(SESSIONS_1, b"b", b"c")
    async with bench.running():
        await eventually(bench.consumer.paused)
        bench.consumer.assign([SESSIONS_0, SESSIONS_1])
        await eventually(lambda: len(bench.events.retries) > 1)
        bench.sink.is_down = False
        await eventually(bench.has_committed(SESSIONS_1, 2))
    assert set(bench.sink.tables["sessions"]) == {b"a", b"b", b"c"}


async def test_two_members_that_hand_partitions_over_lose_nothing() -> None:
    first = Bench(SESSIONS_0, SESSIONS_1)
    member = MemoryConsumer(first.broker, first.consumer.committed)
    second = Bench(consumer=member, sink=first.sink)
    for number in range(50):
        await first.say(SESSIONS_0, b"0-%d" % number)
        await first.say(SESSIONS_1, b"1-%d" % number)
    async with first.running(), second.running():
        await eventually(lambda: first.consumer.committed)
        first.consumer.assign([SESSIONS_0])
        second.consumer.assign([SESSIONS_1])
        await first.say(SESSIONS_1, b"last")
        await eventually(first.has_committed(SESSIONS_0, 50))
        await eventually(first.has_committed(SESSIONS_1, 51))
    everything = {record.value for record in first.broker.records(SESSIONS.name)}
    assert set(first.sink.tables["sessions"]) == everything


@dataclass
class Group:
    """What a group coordinator may answer to a commit."""

    failures: list[KafkaError] = field(default_factory=list)
    moves_to: TopicPartition | None = None
    commits: list[Mapping[TopicPartition, int | OffsetAndMetadata]] = field(default_factory=list)


class Member(MemoryConsumer):
    """A consumer whose commits may fail, and cost it its partitions."""

    def __init__(self, group: Group) -> None:
        super().__init__(MemoryBroker())
        self.group = group

    async def commit(self, offsets: Mapping[TopicPartition, int | OffsetAndMetadata]) -> None:
        self.group.commits.append(offsets)
        if self.group.moves_to:
            self.assign([self.group.moves_to])
        if self.group.failures:
            raise self.group.failures.pop()
        await super().commit(offsets)


async def test_a_commit_that_kafka_did_not_take_is_made_good_by_the_next_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    group = Group([RequestTimedOutError()])
    bench = Bench(SESSIONS_0, consumer=Member(group))
    await bench.say(SESSIONS_0, b"a")
    async with bench.running():
        await eventually(lambda: group.commits)
        await bench.say(SESSIONS_0, b"b")
        await eventually(bench.has_committed(SESSIONS_0, 2))
    assert bench.sink.tables["sessions"] == [b"a", b"b"]
    assert "commit_refused" in logged(caplog)


async def test_a_partition_that_goes_before_the_commit_is_not_committed() -> None:
    group = Group()
    bench = Bench(SESSIONS_0, SESSIONS_1, consumer=Member(group))
    bench.sink.is_down = True
    await bench.say(SESSIONS_0, b"a")
    await bench.say(SESSIONS_1, b"b")
    async with bench.running():
        await eventually(bench.consumer.paused)
        bench.consumer.assign([SESSIONS_1])
        bench.sink.is_down = False
        await eventually(bench.has_committed(SESSIONS_1, 1))
    assert {tp for offsets in group.commits for tp in offsets} == {SESSIONS_1}


async def test_losing_the_partitions_during_the_commit_stops_nothing() -> None:
    group = Group([CommitFailedError()], moves_to=SESSIONS_1)
    bench = Bench(SESSIONS_0, consumer=Member(group))
    await bench.say(SESSIONS_0, b"a")
    await bench.say(SESSIONS_1, b"b")
    await bench.run(until=bench.has_committed(SESSIONS_1, 1))
    assert set(bench.sink.tables["sessions"]) == {b"a", b"b"}


class Witness(MemorySink):
    """Notes what was committed when rows came in."""

    committed: Mapping[TopicPartition, int]

    async def write(self, table: str, rows: Sequence[bytes], token: str) -> None:
        self.tables["seen"].append(b"%d" % self.committed.get(SESSIONS_0, 0))
        await super().write(table, rows, token)


async def test_rows_are_in_the_table_before_their_offset_is_committed() -> None:
    sink = Witness()
    bench = Bench(SESSIONS_0, sink=sink, most_rows=2)
    sink.committed = bench.consumer.committed
    await bench.say(SESSIONS_0, b"a", b"b", b"c", b"d", b"e")
    await bench.drain()
    assert sink.tables["seen"] == [b"0", b"2", b"4"]
