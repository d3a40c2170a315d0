"""The whole line as users run it: one process per role, to be started, killed and waited for."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from clickhouse_connect.driver.client import Client

from pipeline.kafka import clients
from pipeline.kafka.records import partition_for
from pipeline.kafka.topics import create_topics
from pipeline.operations.comparison import Difference, compare
from pipeline.operations.oracle import ends_of, expected_tables, read_log
from pipeline.settings import Settings
from pipeline.tracker.rules import rules_of
from schemas.topics import RAW, TABLES
from sinks.migrate import migrate, read_migrations
from tests.support.database import client_of
from tests.support.engine import EngineServer

_PATIENCE_SECONDS = 120
_ANSWER_SECONDS = 20


class Line:
    """Topics, tables and the processes between them."""

    def __init__(self, settings: Settings, environment: dict[str, str], folder: Path) -> None:
        self.settings = settings
        self.environment = environment
        self.folder = folder
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._roles: dict[str, str] = {}
        self.is_supervised = False

    async def start(self, role: str, name: str = "", stuck: str = "") -> None:
        """Start `touchstream ROLE`; several of a role have names of their own.

        One that is `stuck` lives and does not move (`tests.support.stuck`).
        """
        name = name or role
        self._roles[name] = role
        command = ("tests.support.stuck", role, stuck) if stuck else ("pipeline.cli", "-v", role)
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *command),
                env=self.environment_of(role),
                stdout=log,
                stderr=log,
            )

    def environment_of(self, role: str) -> dict[str, str]:
        """Give the environment of a role: the same for all."""
        del role
        return self.environment

    def pid(self, name: str) -> int:
        """Give the number of its process."""
        return self._processes[name].pid

    async def kill(self, name: str) -> None:
        """Kill -9."""
        await self._end(name, signal.SIGKILL)

    async def terminate(self, name: str) -> None:
        """Ask it to stop, and wait until it has."""
        await self._end(name, signal.SIGTERM)

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """SIGSTOP, and SIGCONT after the block."""
        self._processes[name].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._processes[name].send_signal(signal.SIGCONT)

    async def ended(self, name: str) -> int:
        """Wait until it has ended by itself; give its exit code."""
        return await asyncio.wait_for(self._processes.pop(name).wait(), _PATIENCE_SECONDS)

    async def supervise(self) -> None:
        """Start again what has ended by itself, as `up`, compose and Kubernetes do."""
        self.is_supervised = True
        while True:
            await asyncio.sleep(0.5)
            for name, process in list(self._processes.items()):
                if process.returncode is not None:
                    await self.start(self._roles[name], name)

    async def stop(self) -> None:
        """Kill what still runs."""
        for name in list(self._processes):
            await self.kill(name)

    async def send(self, keyed: Sequence[tuple[bytes | None, int, bytes, int]]) -> None:
        """Append (key, partition, value, timestamp) to `touchpoints.raw`, in order."""
        batches: dict[tuple[str, int], list[tuple[bytes | None, bytes | None, int]]] = {}
        for key, partition, value, at in keyed:
            batches.setdefault((RAW.name, partition), []).append((key, value, at))
        async with clients.producer(self.settings, RAW.name) as producer:
            await producer.send_all(batches)

    def home(self, key: bytes) -> int:
        """Give the partition of a key."""
        return partition_for(key, self.settings.kafka_partitions)

    async def settle(self, patience: float = _PATIENCE_SECONDS) -> None:
        """Wait until the tracker and the sink have committed all there is."""
        async with asyncio.timeout(patience):
            while await self._is_behind():
                self._hold_alive()
                await asyncio.sleep(0.5)

    async def differences(self, client: Client) -> list[Difference]:
        """Compare the tables with the oracle's."""
        return await differences(self.settings, client)

    def log(self, name: str) -> str:
        """Give what a process has said."""
        return (self.folder / f"{name}.log").read_text()

    async def _end(self, name: str, signal_: signal.Signals) -> None:
        process = self._processes.pop(name)
        if process.returncode is None:
            process.send_signal(signal_)
        await asyncio.wait_for(process.wait(), 60)

    def _hold_alive(self) -> None:
        for name, process in self._processes.items():
            assert self.is_supervised or process.returncode is None, (
                f"{name} died:\n{self.log(name)[-3000:]}"
            )

    async def _is_behind(self) -> bool:
        """Tell whether something waits; so it seems to who asks while a broker comes back."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._lag() > 0
        except TimeoutError:
            return True

    async def _lag(self) -> int:
        settings = self.settings
        return await _lag_of(settings, settings.tracker_group, [RAW.name]) or await _lag_of(
            settings, settings.sink_group, TABLES
        )


async def differences(settings: Settings, client: Client) -> list[Difference]:
    """Compare the tables with the oracle's."""
    log = await read_log(settings)
    expected = await asyncio.to_thread(expected_tables, log, rules_of(settings))
    assert expected["touchpoints"], "the oracle saw no touchpoints"
    return await asyncio.to_thread(compare, client, expected, ends_of(log))


async def _lag_of(settings: Settings, group: str, topics: Iterable[str]) -> int:
    partitions = [
        TopicPartition(settings.topic(topic), number)
        for topic in topics
        for number in range(settings.kafka_partitions)
    ]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=group,
        enable_auto_commit=False,
    )
    try:
        await consumer.start()
        consumer.assign(partitions)
        lag = 0
        for partition in partitions:
            committed = await consumer.committed(partition) or 0
            consumer.seek(partition, committed)
            while (highwater := consumer.highwater(partition)) is None:
                await consumer.getmany(partition, timeout_ms=100, max_records=1)
            lag += highwater - committed
        return lag
    finally:
        await consumer.stop()


@asynccontextmanager
async def running_line(
    bootstrap_servers: str,
    engine: EngineServer,
    folder: Path,
    database: str,
    *,
    idempotence: bool = True,
    replication: int = 1,
    tick: str = "PT1H",
    prefix: str = "",
    partitions: int = 4,
) -> AsyncIterator[tuple[Line, Client]]:
    """Make topics and a database with tables; give the line, and a client for the tables.

    Time passes only by the ticks that a test sends, unless `tick` is short.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if "TOUCHSTREAM" not in name},
        "TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "TOUCHSTREAM_KAFKA_IDEMPOTENCE": str(idempotence),
        "TOUCHSTREAM_KAFKA_PREFIX": prefix,
        "TOUCHSTREAM_KAFKA_PARTITIONS": str(partitions),
        "TOUCHSTREAM_CLICKHOUSE_URL": engine.url,
        "TOUCHSTREAM_CLICKHOUSE_DATABASE": database,
        "TOUCHSTREAM_TRACKER_TICK": tick,
        "TOUCHSTREAM_TRACKER_METRICS_PORT": "0",
        "TOUCHSTREAM_SINK_METRICS_PORT": "0",
        "TOUCHSTREAM_SINK_BATCH_WAIT": "PT0.2S",
        "TOUCHSTREAM_CONFIG": os.devnull,
    }
    settings = Settings(
        kafka_bootstrap_servers=bootstrap_servers,
        kafka_idempotence=idempotence,
        kafka_replication=replication,
        kafka_prefix=prefix,
        kafka_partitions=partitions,
        clickhouse_url=engine.url,
        clickhouse_database=database,
    )
    with client_of(engine, "default") as admin:
        admin.command(f"CREATE DATABASE IF NOT EXISTS {database}")
    await create_topics(settings)
    with client_of(engine, database) as client:
        migrate(client, read_migrations())
        line = Line(settings, environment, folder)
        try:
            yield line, client
        finally:
            await line.stop()
