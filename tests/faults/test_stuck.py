"""Whoever lives and does not move says so, fails its liveness probe, and ends."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import time

import pytest
import pytest_asyncio

from pipeline.kafka.producer import KafkaProducer
from pipeline.kafka.topics import create_topics
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from schemas.topics import OVERFLOW, RAW, TRANSITIONS
from sinks.migrate import migrate, read_migrations
from tests.support.database import client_of
from tests.support.engine import EngineServer
from tests.support.kafka import KafkaCluster
from tests.support.ports import free_ports
from tests.support.tracker import touchpoint

pytestmark = pytest.mark.fault

ALL = [
    *(("track", way) for way in ("deadlocked", "blocked", "expelled")),
    *((role, "deadlocked") for role in ("sink", "drain", "webhook")),
]
_EX_SOFTWARE = 70


@pytest_asyncio.fixture(loop_scope="session", params=["embedded", "kafka"])
async def settings(request: pytest.FixtureRequest, engine: EngineServer) -> AsyncIterator[Settings]:
    is_embedded = request.param == "embedded"
    if not is_embedded:
        request.getfixturevalue("kafka_jars")
    broker = EmbeddedBroker(free_ports(1)[0]) if is_embedded else KafkaCluster()
    database = f"stuck_{request.param}"
    async with broker:
        known = Settings(
            kafka_bootstrap_servers=broker.bootstrap_servers,
            kafka_idempotence=not is_embedded,
            clickhouse_url=engine.url,
            clickhouse_database=database,
        )
        await create_topics(known)
        with client_of(engine, "default") as admin:
            admin.command(f"CREATE DATABASE {database}")
        with client_of(engine, database) as client:
            migrate(client, read_migrations())
        yield known


def environment(settings: Settings, port: int, name: str) -> Mapping[str, str]:
    groups = {f"TOUCHSTREAM_{role}_GROUP": name for role in ("TRACKER", "SINK", "DRAIN", "WEBHOOK")}
    ports = {
        f"TOUCHSTREAM_{role}_METRICS_PORT": str(port)
        for role in ("TRACKER", "SINK", "DRAIN", "WEBHOOK")
    }
    return {
        **{name: value for name, value in os.environ.items() if "TOUCHSTREAM" not in name},
        "TOUCHSTREAM_CONFIG": os.devnull,
        "TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TOUCHSTREAM_KAFKA_IDEMPOTENCE": str(settings.kafka_idempotence),
        "TOUCHSTREAM_CLICKHOUSE_URL": settings.clickhouse_url,
        "TOUCHSTREAM_CLICKHOUSE_DATABASE": settings.clickhouse_database,
        "TOUCHSTREAM_STALL_AFTER": "PT6S",
        "TOUCHSTREAM_SINK_BATCH_WAIT": "PT0.2S",
        "TOUCHSTREAM_WEBHOOK_ENDPOINTS": '{"crm": {"url": "http://127.0.0.1:9/", "secret": '
        '"0123456789abcdef0123456789abcdef"}}',
        **groups,
        **ports,
    }


async def feed(settings: Settings) -> None:
    """Give everybody something to read, again and again."""
    producer = KafkaProducer(settings)
    await producer.start([RAW.name, OVERFLOW.name, TRANSITIONS.name])
    try:
        for number in count():
            for topic in (RAW, OVERFLOW, TRANSITIONS):
                value = touchpoint(f"t{number}", int(time() * 1000))
                await producer.send(topic.name, 0, [(b"shop:ada", value, int(time() * 1000))])
            await asyncio.sleep(0.5)
    finally:
        await producer.stop()


async def last_words(settings: Settings, role: str, way: str, folder: Path) -> tuple[int, str]:
    [port] = free_ports(1)
    name = f"{role}-{way}"
    log = folder / f"{name}.log"
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.stuck", role, way),
            env=environment(settings, port, name),
            stdout=file,
            stderr=file,
        )
    try:
        return await asyncio.wait_for(process.wait(), 60), log.read_text()
    finally:
        if process.returncode is None:
            process.kill()


async def test_whoever_does_not_move_says_so_and_ends(settings: Settings, tmp_path: Path) -> None:
    feeding = asyncio.create_task(feed(settings))
    said = await asyncio.gather(
        *(last_words(settings, role, way, tmp_path) for role, way in ALL), return_exceptions=True
    )
    feeding.cancel()
    with suppress(asyncio.CancelledError):
        await feeding
    for (role, way), words in zip(ALL, said, strict=True):
        assert not isinstance(words, BaseException), (role, way, words)
        assert words[0] == _EX_SOFTWARE, (role, way, words)
        assert "has not moved for 0:00:06" in words[1], (role, way, words[1])
