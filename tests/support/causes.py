"""What the operations alerts are for, made to happen on a running line, and mended again.

Two things cannot be made here: a disk that is full, and metrics of ClickHouse itself, which the
embedded engine has not. A page with the same names and made-up values stands in for them.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from os import kill
from signal import SIGCONT, SIGSTOP

from pipeline.kafka import clients
from pipeline.kafka.topics import create_topics
from pipeline.settings import Settings
from schemas.topics import OVERFLOW, RAW, SESSIONS
from tests.support.kafka import KafkaCluster
from tests.support.receiver import Receiver
from tests.support.stand_in import CLICKHOUSE, Page, standing_in
from tests.support.tracker import touchpoint
from tests.support.visits import Visit, Visits
from tests.support.watched import Stack, again_and_again, begin_at, until

_HOUR = timedelta(hours=1)
_LATE = frozenset({"WatchBlind", "WatchBehind"})


@dataclass
class World:
    """The line, and whom it tells: an endpoint of `webhook` at /crm, the on-call one at /oncall."""

    stack: Stack
    others: Receiver


Begin = Callable[[World], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Cause:
    """Something that goes wrong for the length of a block, and which alerts it raises.

    It must raise all of `raises`, and may raise those of `besides` for a moment. Any of them may
    make the watch late: on a slow machine, twenty seconds are soon over.
    """

    begin: Begin
    raises: frozenset[str]
    besides: frozenset[str] = _LATE
    stands_in: bool = False

    @property
    def name(self) -> str:
        return self.begin.__name__


CAUSES: list[Cause] = []


def _raising(
    *raises: str, besides: Sequence[str] = (), stands_in: bool = False
) -> Callable[[Begin], Begin]:
    def note(begin: Begin) -> Begin:
        CAUSES.append(Cause(begin, frozenset(raises), _LATE | set(besides), stands_in))
        return begin

    return note


# --- who does not answer --------------------------------------------------------------------------


@_raising("TargetDown")
@asynccontextmanager
async def a_role_is_gone(world: World) -> AsyncIterator[None]:
    line = world.stack.line
    await line.kill("sink")
    yield
    await line.start("sink")


@_raising(
    "CollectorNotReady",
    besides=("TargetDown", "TrackerStalled", "TrackerSilent", "SinkStalled"),
)
@asynccontextmanager
async def kafka_does_not_answer(world: World) -> AsyncIterator[None]:
    process = world.stack.broker._process
    assert process
    kill(process.pid, SIGSTOP)
    try:
        async with world.stack.visited(2):
            yield
    finally:
        kill(process.pid, SIGCONT)


@_raising("WatchBlind", "SinkRetrying", besides=("SinkStalled",))
@asynccontextmanager
async def clickhouse_is_away(world: World) -> AsyncIterator[None]:
    await world.stack.engine.stop()
    try:
        async with world.stack.visited(2):
            yield
    finally:
        await world.stack.engine.start()


@_raising("KafkaUnwell", besides=("TargetDown",))
@asynccontextmanager
async def a_broker_of_three_is_gone(world: World) -> AsyncIterator[None]:
    stack = world.stack
    async with KafkaCluster(3) as cluster:
        known = Settings(kafka_bootstrap_servers=cluster.bootstrap_servers, kafka_replication=3)
        await create_topics(known)
        with _instead(stack, TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS=cluster.bootstrap_servers):
            await stack.line.terminate("watch")
            await stack.line.start("watch")
        await cluster.kill(2)
        yield
        await cluster.restart(2)
        await until(lambda: _is_over(stack, "KafkaUnwell"), 60)
        await stack.line.terminate("watch")
    await stack.line.start("watch")


# --- what is sent ---------------------------------------------------------------------------------


@_raising("CollectorRefusing")
@asynccontextmanager
async def a_sender_without_names(world: World) -> AsyncIterator[None]:
    async with again_and_again(lambda: world.stack.post([{"type": "track", "event": "X"}] * 5)):
        yield


@_raising("DeadLetters")
@asynccontextmanager
async def another_producer_writes_what_nobody_reads(world: World) -> AsyncIterator[None]:
    producing = again_and_again(lambda: produce(world.stack, RAW.name, [b"not json"]))
    async with producing, world.stack.visited(4):
        yield


@_raising("SinkRefusing")
@asynccontextmanager
async def a_row_that_no_table_takes(world: World) -> AsyncIterator[None]:
    await produce(world.stack, SESSIONS.name, [b'{"session_id": "s", "started_at": "never"}'])
    yield


@_raising("OverflowWaits")
@asynccontextmanager
async def a_flood_of_seven_hours_ago_comes_back_slowly(world: World) -> AsyncIterator[None]:
    then = datetime.now(UTC) - 7 * _HOUR
    await produce(world.stack, OVERFLOW.name, _touchpoints(200, then), then)
    yield


# --- who does not move ----------------------------------------------------------------------------


@_raising("WatchBehind", besides=("TargetDown",))
@asynccontextmanager
async def a_tracker_seventy_minutes_behind(world: World) -> AsyncIterator[None]:
    line = world.stack.line
    await line.terminate("track")
    then = datetime.now(UTC) - timedelta(minutes=70)
    await produce(world.stack, RAW.name, _touchpoints(50, then), then)
    yield
    await line.start("track")


@_raising(
    "TrackerStalled",
    "TrackerSilent",
    "TrackerLagging",
    "PartitionsStalled",
    besides=("TargetDown",),
)
@asynccontextmanager
async def a_tracker_that_hangs(world: World) -> AsyncIterator[None]:
    async with _hanging(world.stack, "track", a_second=100):
        yield


@_raising("SinkStalled", "SinkLagging", "PartitionsStalled", besides=("TargetDown",))
@asynccontextmanager
async def a_sink_that_hangs(world: World) -> AsyncIterator[None]:
    async with _hanging(world.stack, "sink", a_second=100):
        yield


@asynccontextmanager
async def _hanging(stack: Stack, role: str, a_second: int) -> AsyncIterator[None]:
    """Let a role hang until it ends itself; whoever supervises the line starts it again."""
    await stack.line.terminate(role)
    with _instead(stack, TOUCHSTREAM_STALL_AFTER="PT45S"):
        await stack.line.start(role, stuck="deadlocked")
    async with stack.visited(a_second):
        yield


# --- who is told ----------------------------------------------------------------------------------


@_raising("WebhookFailing", "WebhookBuried")
@asynccontextmanager
async def an_endpoint_that_is_down(world: World) -> AsyncIterator[None]:
    async with world.stack.visited(2, "crm"):
        with _down(world.others, "/crm"):
            yield


@_raising("AlertsUndelivered")
@asynccontextmanager
async def nobody_on_call_is_reached(world: World) -> AsyncIterator[None]:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    broken_at = now - timedelta(minutes=50)

    def checkout(visit: Visit) -> bool:
        return visit.at < broken_at

    with _down(world.others, "/oncall"):
        client = world.stack.client
        Visits(site="broken", rate=8.0, checkout=checkout).fill(client, now - 12 * _HOUR, now)
        begin_at(client, "broken", now - _HOUR)
        yield


# --- what another page stands in for --------------------------------------------------------------


@_raising("ClickHouseDiskFull", "ClickHouseTooManyParts", stands_in=True)
@asynccontextmanager
async def clickhouse_has_no_room_and_too_many_parts(world: World) -> AsyncIterator[None]:
    was = dict(CLICKHOUSE.values)
    CLICKHOUSE.values |= {
        "ClickHouseAsyncMetrics_DiskAvailable_default": 10.0,
        "ClickHouseAsyncMetrics_MaxPartCountForPartition": 400.0,
    }
    yield
    CLICKHOUSE.values |= was


@_raising("KafkaDiskFull", besides=("TargetDown",), stands_in=True)
@asynccontextmanager
async def a_broker_has_no_room(world: World) -> AsyncIterator[None]:
    stack, broker = world.stack, 'touchstream_watch_kafka_disk_free_ratio{broker="1"}'
    await stack.line.terminate("watch")
    page = Page({broker: 0.1})
    async with standing_in(stack.ports["watch"], page):
        yield
        page.values[broker] = 0.5
        await until(lambda: _is_over(stack, "KafkaDiskFull"), 60)
    await stack.line.start("watch")


# --- how ------------------------------------------------------------------------------------------


async def produce(
    stack: Stack, topic: str, values: Sequence[bytes], at: datetime | None = None
) -> None:
    """Append to the first partition of a topic, past the collector."""
    when = round((at.timestamp() if at else time.time()) * 1000)
    async with clients.producer(stack.line.settings, topic) as producer:
        await producer.send_all({(topic, 0): [(b"shop:ada", value, when) for value in values]})


def _touchpoints(number: int, at: datetime) -> list[bytes]:
    when = round(at.timestamp() * 1000)
    return [touchpoint(f"{when}-{one}", when) for one in range(number)]


async def _is_over(stack: Stack, alert: str) -> bool:
    return alert not in await stack.firing()


@contextmanager
def _instead(stack: Stack, **settings: str) -> Iterator[None]:
    """Give whoever is started in the block other settings."""
    was = dict(stack.line.environment)
    stack.line.environment |= settings
    yield
    stack.line.environment.update(was)


@contextmanager
def _down(receiver: Receiver, path: str) -> Iterator[None]:
    receiver.answers[path] = [503]
    try:
        yield
    finally:
        receiver.answers[path] = [200]
