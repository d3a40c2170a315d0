"""All roles on one machine, each a process: the supervisor behind `touchstream up`. Shell.

If Java and Apache Kafka are installed, Kafka keeps log, tracker state and offsets: however the
stack ends, the next start continues where it was. Otherwise the embedded broker runs, which loses
everything when it stops. So the roles end in the order in which a touchpoint passes them, each when
it has read all that the one before it wrote. The next start finds a new log, and computes each site
anew from its touchpoints: open sessions and carts continue.
"""

import asyncio
import sys
from collections.abc import Coroutine, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from textwrap import indent

from aiokafka.errors import KafkaError

from pipeline.clickhouse import bring_up_to_date, connect
from pipeline.kafka.lag import ends, until_committed
from pipeline.kafka.own_log import is_of_another_log
from pipeline.kafka.topics import create_topics
from pipeline.local.children import Child, StackFailed, Tell
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.local.folder import alone_in
from pipeline.local.kafka.broker import LocalKafka
from pipeline.local.kafka.parts import find
from pipeline.local.ports import (
    Address,
    address_in,
    answers,
    is_taken,
)
from pipeline.settings import Settings, environment_of
from pipeline.settings.kafka import OPEN
from pipeline.terminal import until_told
from schemas.topics import OVERFLOW, RAW, TABLES
from sinks.another_log import forget_log

_CATCH_UP_SECONDS = 30.0
_STOP_SECONDS = 20.0
_EMBEDDED_BROKER = {"kafka_idempotence": False, "kafka_replication": 1}


class Stack:
    """Broker, engine and roles of `settings`; broker and engine only if they are embedded."""

    def __init__(
        self,
        settings: Settings,
        tell: Tell,
        *,
        is_broker_embedded: bool = True,
        kafka: LocalKafka | None = None,
        is_engine_embedded: bool = True,
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._broker_at = address_in(settings.kafka_bootstrap_servers)
        self._engine_at = address_in(settings.clickhouse_url)
        self._broker = (
            EmbeddedBroker(self._broker_at.port, self._broker_at.host)
            if is_broker_embedded
            else None
        )
        self._kafka = kafka
        self._is_engine_embedded = is_engine_embedded
        self._logs = settings.embedded_path / "logs"
        self._children: dict[str, Child] = {}
        self._to_rebuild: list[str] = []

    async def start(self) -> None:
        """Start everything; return when every part answers.

        Raises:
            StackFailed, EmbeddedError, TopicsFailed, MigrationRefused,
            ClickHouseUnavailable: the text says what to do.
        """
        self._refuse_taken_ports()
        self._logs.mkdir(parents=True, exist_ok=True)
        if self._broker:
            await self._broker.start()
        if self._kafka:
            await self._kafka.start()
        await create_topics(self._settings)
        host, port = self._settings.collector_host, self._settings.collector_port
        await _together(
            self._start(
                "collect",
                f"http://{host}:{port}/healthz/ready",
                alive=f"http://{host}:{port}/healthz/live",
            ),
            self._start_metered("track", self._settings.tracker_metrics_port),
            self._start_what_shares_need(),
            self._start_what_needs_clickhouse(),
        )

    async def rebuild(self) -> None:
        """Compute the sites of a log that is gone anew, while touchpoints arrive."""
        for site in self._to_rebuild:
            self._tell(f"the log is a new one: {site} is computed anew from its touchpoints")
            child = self._children["rebuild"] = self._child("rebuild", ("rebuild", "--site", site))
            if await child.run_once():
                self._tell(
                    f"{site} is not computed anew; {self._logs / 'rebuild.log'} says why. Run "
                    f"`touchstream rebuild --site {site}`"
                )

    async def until_broken(self) -> None:
        """Wait for a failure beyond repair; raise StackFailed when the embedded broker ends."""
        if self._broker is None:
            await asyncio.Event().wait()
        else:
            await self._broker.wait()
            raise StackFailed(
                "the embedded broker ended, and touchpoints that were not yet in ClickHouse are "
                "lost; start again, or use Apache Kafka: touchstream up --kafka HOST:PORT"
            )

    async def stop(self) -> None:
        """Stop the parts one after the other; nothing that was accepted is lost."""
        await self._stop("rebuild")
        await self._stop("collect")
        if "drain" in self._children:
            await self._catch_up(self._settings.drain_group, [OVERFLOW.name])
            await self._stop("drain")
        await self._catch_up(self._settings.tracker_group, [RAW.name])
        await self._stop("track")
        await self._catch_up(self._settings.sink_group, TABLES)
        await self._stop("sink")
        await self._stop("live")
        await self._stop("watch")
        await self._stop("engine")
        if self._kafka:
            await self._kafka.stop()

    async def kill(self) -> None:
        """Kill what still runs."""
        await asyncio.gather(*(child.kill() for child in self._children.values()))
        if self._broker:
            await self._broker.stop()
        if self._kafka:
            await self._kafka.kill()

    async def _start_what_shares_need(self) -> None:
        if self._settings.has_shares:
            await self._start_metered("drain", self._settings.drain_metrics_port)

    async def _start_what_needs_clickhouse(self) -> None:
        settings = self._settings
        if self._is_engine_embedded:
            host, port = self._engine_at
            command = ("engine", "--host", host, "--port", str(port))
            await self._start("engine", f"{settings.clickhouse_url}/ping", command)
        await asyncio.to_thread(_migrate, settings)
        if self._is_engine_embedded and (self._broker or self._kafka):
            self._to_rebuild = await _forget_another_log(settings)
        await _together(
            self._start_metered("sink", settings.sink_metrics_port),
            self._start_metered("watch", settings.watch_metrics_port),
            self._start("live", f"http://{settings.live_host}:{settings.live_port}/healthz/ready"),
        )

    async def _start_metered(self, role: str, port: int) -> None:
        url = f"http://127.0.0.1:{port}/healthz/live" if port else ""
        await self._start(role, url, alive=url)

    async def _start(
        self, role: str, url: str, command: tuple[str, ...] = (), alive: str = ""
    ) -> None:
        child = self._children[role] = self._child(role, command or (role,))
        await child.start(partial(answers, url), partial(answers, alive) if alive else None)

    def _child(self, name: str, command: tuple[str, ...]) -> Child:
        return Child(
            name,
            _touchstream(*command),
            environment_of(self._settings),
            self._logs / f"{name}.log",
            self._tell,
        )

    async def _stop(self, role: str) -> None:
        if role in self._children:
            await self._children[role].stop(_STOP_SECONDS)

    async def _catch_up(self, group: str, topics: Iterable[str]) -> None:
        if self._broker is None:
            return  # it keeps what is not read yet
        try:
            async with asyncio.timeout(_CATCH_UP_SECONDS):
                await until_committed(self._settings, group, await ends(self._settings, topics))
        except (TimeoutError, KafkaError):
            self._tell(f"{group} has not read everything; the rest is lost with the broker")

    def _refuse_taken_ports(self) -> None:
        for setting, at in self._addresses().items():
            if is_taken(at):
                raise StackFailed(
                    f"nothing can listen on {at.host}:{at.port}: stop what uses the port, or "
                    f"choose another one with TOUCHSTREAM_{setting}, or others for everything "
                    "with TOUCHSTREAM_PORT_BASE"
                )

    def _addresses(self) -> dict[str, Address]:
        settings = self._settings
        addresses = {
            "COLLECTOR_PORT": Address(settings.collector_host, settings.collector_port),
            "LIVE_PORT": Address(settings.live_host, settings.live_port),
        }
        drain = ("DRAIN",) if settings.has_shares else ()
        for role in ("TRACKER", "SINK", "WATCH", *drain):
            setting = f"{role}_METRICS_PORT"
            addresses[setting] = Address("127.0.0.1", getattr(settings, setting.lower()))
        if self._broker:
            addresses["KAFKA_BOOTSTRAP_SERVERS"] = self._broker_at
        if self._is_engine_embedded:
            addresses["CLICKHOUSE_URL"] = self._engine_at
        return addresses


async def up(
    settings: Settings, *, kafka: str | None, clickhouse: str | None, look_at: str
) -> None:
    """Run everything until SIGINT or SIGTERM.

    `kafka` and `clickhouse` are addresses of servers that already run; None: start our own.
    `look_at` is the address of the live page, which is printed when the page can be opened.

    Raises:
        What `Stack.start` and `Stack.until_broken` raise; the texts say what to do.
    """
    with alone_in(settings.embedded_path):
        await _up(settings, kafka, clickhouse, look_at)


async def _up(settings: Settings, kafka: str | None, clickhouse: str | None, look_at: str) -> None:
    changes: dict[str, object] = {"embedded_path": settings.embedded_path.resolve()}
    if "public_url" not in settings.model_fields_set:
        changes["public_url"] = f"http://{settings.collector_host}:{settings.collector_port}"
    if "watch_link" not in settings.model_fields_set:
        changes["watch_link"] = f"{settings.live_address}/?site={{site}}"
    own = None if kafka else _own_kafka(settings)
    is_in_memory = kafka is None and own is None
    if kafka:
        changes["kafka_bootstrap_servers"] = kafka
    changes |= _EMBEDDED_BROKER if is_in_memory else {}
    changes |= {"kafka_replication": 1} if own else {}
    changes |= {} if kafka else OPEN
    changes |= {"clickhouse_url": clickhouse.rstrip("/")} if clickhouse else {}
    known = settings.model_copy(update=changes)
    stack = Stack(
        known,
        _tell,
        is_broker_embedded=is_in_memory,
        kafka=own,
        is_engine_embedded=clickhouse is None,
    )
    try:
        await until_told(_stay_up(stack, known, look_at))
    finally:
        await stack.kill()


def _own_kafka(settings: Settings) -> LocalKafka | None:
    home = settings.embedded_path.resolve()
    parts = find(home)
    if parts is None:
        _tell(
            "the broker keeps its log in memory: if it is killed, touchpoints that are not in "
            "ClickHouse yet are lost, and each start computes everything anew; "
            "`touchstream kafka install` installs Apache Kafka, which keeps them"
        )
        return None
    _tell(f"Apache Kafka keeps its log in {home / 'kafka'}")
    return LocalKafka(parts, address_in(settings.kafka_bootstrap_servers), home / "kafka", _tell)


async def _stay_up(stack: Stack, settings: Settings, look_at: str) -> None:
    await stack.start()
    _tell(f"ready: send to http://{settings.collector_host}:{settings.collector_port}")
    for key, may in settings.write_keys.items():
        _tell(f"write key {key}: put this into the <head> of the pages of {may.site}")
        _tell(indent(settings.script_tag(key), "  "))
    _tell(f"look at: {look_at}")
    try:
        await _together(stack.until_broken(), stack.rebuild())
    except asyncio.CancelledError:
        _tell("stopping: what was accepted is brought to ClickHouse first")
        await stack.stop()
        raise


async def _together(*works: Coroutine[None, None, None]) -> None:
    """Run all at the same time; when one fails, stop the others and raise its error."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _touchstream(*arguments: str) -> tuple[str, ...]:
    """Return the command of a role; it ignores a folder `pipeline` in the user's directory."""
    is_here = Path(__file__).parents[2] == Path.cwd()
    return (sys.executable, *(() if is_here else ("-P",)), "-m", "pipeline.cli", *arguments)


def _migrate(settings: Settings) -> None:
    with closing(connect(settings)) as client:
        bring_up_to_date(client, settings)


async def _forget_another_log(settings: Settings) -> list[str]:
    with closing(connect(settings)) as client:
        if await is_of_another_log(settings, client):
            return await asyncio.to_thread(forget_log, client)
    return []


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
