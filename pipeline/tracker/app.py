"""The Faust worker: one agent, in order, that only moves data. Shell.

Faust provides membership, rebalancing and fetching. `pipeline.tracker.steps` decides what a
touchpoint means, `pipeline.tracker.outbox` what is durable and when. Deliberately not used
(docs/decisions.md): tables, `exactly_once`, `take()`, `concurrency > 1`, `noack`, Faust's own
producer and web server.
"""

import asyncio
import ctypes
import gc
import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import faust
from faust.types import TP

from pipeline import metrics
from pipeline.journey.rules import Rules
from pipeline.kafka import clients
from pipeline.kafka.lease import Lease
from pipeline.kafka.producer import KafkaProducer, NotAcknowledged
from pipeline.kafka.rights import check_rights
from pipeline.kafka.watchdog import Watchdog, show
from pipeline.settings import Settings
from pipeline.tracing.begin import begin
from pipeline.tracker.changelog import Store
from pipeline.tracker.credentials import credentials
from pipeline.tracker.faust_chunks import (
    ChunkSchema,
    ChunkTransport,
    Coalesce,
    TrackerApp,
)
from pipeline.tracker.outbox import Outbox
from pipeline.tracker.output import Output
from pipeline.tracker.partition import Partition
from pipeline.tracker.rules import rules_of
from pipeline.tracker.steps import (
    CHECKPOINT_STEPS,
    MOST_REPEATED,
    STEPS,
    checkpoint,
    process,
)
from schemas import topics
from schemas.codec import Tick, encode
from schemas.refusals import Refusals
from schemas.times import milliseconds

if TYPE_CHECKING:
    from pipeline.tracker.trails import Trails

log = logging.getLogger(__name__)
# On a busy machine Faust's timers are late: the watchdog says when that is too late.
logging.getLogger("mode.timers").setLevel(logging.ERROR)

_EX_SOFTWARE = 70
_STEP_SECONDS = {
    name: metrics.TRACKER_STEP_SECONDS.labels(name) for name, _ in (*STEPS, *CHECKPOINT_STEPS)
}
_WRITTEN = (topics.RAW.name, topics.STATE.name, *topics.TABLES)
_AS_EVERY_ROLE: dict[str, Any] = {
    "quiet": True,
    "redirect_stdouts": False,
    "override_logging": False,
}
"""Faust's worker leaves the log and the output as they are."""
_SLICE = 64
"""Records that go through the steps together. Their objects fit into a processor's cache, and
nobody else waits longer than some milliseconds; 500 together cost a third more."""
_CHECKPOINT_SECONDS = 3.0
"""A checkpoint comes after this many seconds, when much waits, and when the stream pauses. A crash
repeats the log since the last one. A checkpoint folds what waits, and writes each session and each
visitor's state once, however often they were touched. The one of a pause leaves out whose fold
would be dear."""
_MOST_SHARE, _MOST_SECONDS = 5, 15.0
"""If checkpoints take long, there are fewer: one takes at most a fifth of the time between two. But
there is one after so many seconds."""
_PAUSE_SECONDS = 0.05
_SESSION_SECONDS, _HEARTBEAT_SECONDS = 10.0, 2.0
"""Who has not been heard of for so long is no member any more, and how often a member is heard."""
_TRIM_FROM, _GROW_BY, _MAP_FROM = -1, -2, -3
"""`M_TRIM_THRESHOLD`, `M_TOP_PAD` and `M_MMAP_THRESHOLD` of glibc's `mallopt`."""


class Tracker:
    """State, outbox and rules of one worker, and what it does with a chunk."""

    def __init__(self, settings: Settings, rules: Rules, trails: "Trails | None" = None) -> None:
        self.settings = settings
        self.trails = trails
        self.rules = rules
        self.producer = KafkaProducer(settings)
        self.store = Store(settings)
        self.app = _faust_app(settings)
        self.lease = Lease(_SESSION_SECONDS - _HEARTBEAT_SECONDS, time.monotonic)
        self.outbox = Outbox(self.producer, self._done, self.lease)
        self.app.drain = self.drain
        self._refusals = Refusals(settings.dead_letters_run, settings.dead_letters_share)
        self._turn = asyncio.Lock()
        self._heard_at = self._due_at = 0.0
        self._owned: frozenset[TP] = frozenset()
        self.watchdog = Watchdog(
            settings,
            group=settings.tracker_group,
            topics=[topics.RAW.name],
            owned=lambda: self._owned,
            stalled=metrics.STALLED["tracker"],
            remembers=True,
            lag=_show_lag,
        )
        self.store.excuse = self.outbox.excuse = self.watchdog.excuse
        self.wire()

    async def handle(self, number: int, records: list[Any]) -> None:
        """Take a chunk of records of partition `number` through the steps; hand over the output."""
        partition = await self.store.open(number)
        partitions = self.producer.partitions(topics.RAW.name)
        while records:
            async with self._turn:
                slice_ = partition.stretch(records[:_SLICE])
                records = records[len(slice_) :]
                output = self._process(partition, slice_, partitions)
                await self.outbox.put(number, output)
                if partition.is_due:
                    await self._checkpoint(partition)
            _count(number, output, partition.visitors)
            refused = output.fates["dead_letter"]
            self._refusals.count(output.fates.total() - refused, refused)
            await asyncio.sleep(0)  # sending and acknowledging need their turns meanwhile
        self._heard_at = time.monotonic()

    def _process(self, partition: Partition, slice_: Sequence[Any], partitions: int) -> Output:
        work = partial(process, partition, slice_, self.rules, partitions, _timed)
        return self.trails.process(partition.number, slice_, work) if self.trails else work()

    async def checkpoint(self) -> None:
        """Send the changed states; once they are durable, their offsets may be committed."""
        began = time.monotonic()
        await self._checkpoint_all()
        now = time.monotonic()
        rest = min(_MOST_SECONDS, _MOST_SHARE * (now - began))
        self._due_at = now + max(_CHECKPOINT_SECONDS, rest)

    async def checkpoint_some(self) -> None:
        """Do the same but for visitors whose fold would be dear; they wait for the next one."""
        await self._checkpoint_all(MOST_REPEATED)

    async def _checkpoint_all(self, most: int | None = None) -> None:
        for partition in self.store.owned():
            async with self._turn:  # never between a chunk's steps and its place in the queue
                if partition.is_ahead or (most is None and partition.waiting):
                    await self._checkpoint(partition, most)

    async def _checkpoint(self, partition: Partition, most: int | None = None) -> None:
        partitions = self.producer.partitions(topics.RAW.name)
        parts = checkpoint(partition, self.rules, partitions, _timed, most)
        for part in self.trails.fold(partition.number, parts) if self.trails else parts:
            await self.outbox.put(partition.number, part)
            await asyncio.sleep(0)

    async def drain(self) -> None:
        """Make everything durable that was read."""
        await self.checkpoint()
        await self.outbox.drain()

    async def start(self) -> None:
        """Connect the producer and start sending."""
        await self.producer.start(_WRITTEN)
        self._sending = asyncio.create_task(_or_die(self.outbox.run))

    async def stop(self) -> None:
        """Send what is left, then disconnect."""
        await self.drain()
        self._sending.cancel()
        await self.producer.stop()

    async def give_up(self) -> None:
        """Release the partitions; `ChunkConsumer.wait_empty` has made them durable."""
        await self.drain()
        await self.store.park()
        self.app.consumer.done.clear()
        self._owned = frozenset()
        for gauge in (metrics.TRACKER_COMMITTED, metrics.TRACKER_VISITORS):
            gauge.clear()  # the lag is the watchdog's: it stays as long as nobody takes it over

    async def tick(self) -> None:
        """Write the time into every partition that remembers a visitor."""
        now = datetime.now(UTC)
        value = encode(Tick(tick=now))
        row = (None, value, milliseconds(now))
        for partition in self.store.owned():
            if partition.states:
                try:
                    await self.producer.send(topics.RAW.name, partition.number, [row])
                except NotAcknowledged as error:
                    log.warning(
                        "no tick for partition %d: %s",
                        partition.number,
                        error,
                        extra={"event": "tick_missing"},
                    )

    def _done(self, number: int, offset: int) -> None:
        self.store.note_durable(number, offset - 1)
        self.app.consumer.done[TP(self.settings.topic(topics.RAW.name), number)] = offset
        metrics.TRACKER_COMMITTED.labels(number).set(offset)

    async def track(self, chunks: Any) -> None:
        """The agent: take chunk after chunk, in order."""
        async for event in chunks.events():
            await _or_die(self.handle, event.message.partition, event.value)

    async def revoked(self, *_: Any, **__: Any) -> None:
        """Partitions are revoked."""
        await _or_die(self.give_up)

    async def assigned(self, *told: Any, **_: Any) -> None:
        """Partitions are assigned to this worker; Faust passes the app and their set."""
        _app, partitions = told
        self._owned = frozenset(partitions)
        self.store.forget(tp.partition for tp in partitions)

    async def keep_time(self) -> None:
        """Write the time into the log regularly."""
        while not self.app.should_stop:
            await self.app.sleep(self.settings.tracker_tick.total_seconds())
            await self.tick()

    async def keep_lease(self) -> None:
        """Show, again and again, that this process has not stood still."""
        while not self.app.should_stop:
            await asyncio.sleep(_PAUSE_SECONDS)
            await _or_die(self._renew)

    async def _renew(self) -> None:
        self.lease.renew()

    async def keep_states(self) -> None:
        """Make a checkpoint when it is due, or when the stream pauses."""
        while not self.app.should_stop:
            await asyncio.sleep(_PAUSE_SECONDS)
            now = time.monotonic()
            if now > self._due_at:
                await _or_die(self.checkpoint)
            elif now - self._heard_at > _PAUSE_SECONDS:
                await _or_die(self.checkpoint_some)

    def wire(self) -> None:
        """Register everything with Faust."""
        app = self.app
        name = self.settings.topic(topics.RAW.name)
        raw = app.topic(name, schema=ChunkSchema(), internal=False)
        app.agent(raw, concurrency=1)(self.track)
        app.on_partitions_revoked.connect(self.revoked, weak=False)
        app.on_partitions_assigned.connect(self.assigned, weak=False)
        app.task(self.keep_time)
        app.task(self.keep_lease)
        app.task(self.keep_states)


async def _or_die(work: Callable[..., Any], *args: Any) -> None:
    """Run `work`; if it fails, end the process before Faust can acknowledge anything."""
    try:
        await work(*args)
    except Exception:
        log.critical(
            "the tracker stops; it will continue from its changelog",
            exc_info=True,
            extra={"event": "tracker_stopped"},
        )
        logging.shutdown()
        os._exit(_EX_SOFTWARE)


def _show_lag(place: TP, records: int | None) -> None:
    show(metrics.TRACKER_LAG, records, place.partition)


def _timed(name: str, step: Callable[[], None]) -> None:
    began = time.thread_time()
    step()
    _STEP_SECONDS[name].inc(time.thread_time() - began)


def _count(number: int, output: Output, visitors: int) -> None:
    for fate, count in output.fates.items():
        metrics.TRACKER_TOUCHPOINTS.labels(fate).inc(count)
    for reason, count in output.reasons.items():
        metrics.TRACKER_DEAD_LETTERS.labels(reason).inc(count)
    metrics.TRACKER_VISITORS.labels(number).set(visitors)


def _faust_app(settings: Settings) -> TrackerApp:
    brokers = ";".join(
        f"kafka://{server.strip()}" for server in settings.kafka_bootstrap_servers.split(",")
    )
    app = TrackerApp(
        settings.tracker_group,
        broker=brokers,
        broker_credentials=credentials(settings),
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        stream_wait_empty=True,
        # In chunks. When the buffer is full for all partitions, Faust sleeps for a whole second,
        # whatever is removed meanwhile; so the two fifths at which it resumes must last longer than
        # that.
        stream_buffer_maxsize=256,
        stream_recovery_delay=0.0,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=4000,
        broker_commit_interval=1.0,
        broker_session_timeout=_SESSION_SECONDS,
        broker_heartbeat_interval=_HEARTBEAT_SECONDS,
        broker_rebalance_timeout=30.0,
        broker_request_timeout=30.0,
        ConsumerScheduler=Coalesce,
    )
    app.transport = ChunkTransport(app.conf.broker_consumer, app)
    app.rack = settings.kafka_rack
    app.fetch_wait_ms = settings.kafka_fetch_wait_ms
    return app


def run(settings: Settings) -> None:
    """Run the tracker until it is told to stop.

    Raises:
        BadModel: a journey model is invalid.
        NotAcknowledged, Forbidden: no broker answers, a topic is missing, or a right.
        OSError: the port of the metrics is taken.
    """
    import mode.loop  # noqa: PLC0415 - must choose the loop before faust makes one

    mode.loop.use("uvloop")
    # Before Faust, which would report a missing broker with a traceback.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(_find_topics(settings))
    tracker = Tracker(settings, rules_of(settings), _trails(settings))

    class Worker(faust.Worker):
        async def on_first_start(self) -> None:
            await tracker.start()
            await super().on_first_start()

        async def on_shutdown(self) -> None:
            await super().on_shutdown()
            await tracker.stop()

    dog = tracker.watchdog
    port = settings.tracker_metrics_port
    metrics.serve(settings.metrics_host, port, metrics.TRACKER, lambda: dog.complaint)
    dog.start()
    worker = Worker(
        tracker.app,
        loglevel=logging.getLogger().getEffectiveLevel(),
        **_AS_EVERY_ROLE,
    )
    worker.spinner = None
    # Chunks create millions of short-lived objects and the state is bytes: collect less often.
    gc.set_threshold(100_000, 50, 50)
    _keep_freed_memory()
    worker.execute_from_commandline()


def _trails(settings: Settings) -> "Trails | None":
    traces = begin("track", is_on=settings.tracing)
    if traces is None:
        return None
    from pipeline.tracker.trails import Trails  # noqa: PLC0415 - OpenTelemetry may be missing

    return Trails(traces)


async def _find_topics(settings: Settings) -> None:
    async with clients.producer(settings, *_WRITTEN):
        await check_rights(settings, "track")


def _keep_freed_memory() -> None:
    """Make glibc keep freed memory for the next batches.

    It would return the megabytes to the kernel and get them back page by page, cleared: a tenth of
    all processor time. Other C libraries do not have this call.
    """
    with suppress(AttributeError):
        set_option = ctypes.CDLL(None).mallopt
        for option, size in ((_TRIM_FROM, 128), (_GROW_BY, 16), (_MAP_FROM, 32)):
            set_option(option, size * 1024 * 1024)
