"""Whatever is killed, joins or leaves: in the end the tables equal the oracle's, value for value.

The short form runs in `make test`; `make faults` sends ten times as much and repeats.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.operations.verify import differences
from tests.support.engine import EngineServer
from tests.support.kafka import KafkaCluster
from tests.support.line import Line, running_line
from tests.support.ports import free_ports
from tests.support.traffic import Traffic

pytestmark = pytest.mark.fault

LONG = os.environ.get("LONG") == "1"
SCALE = 10 if LONG else 1
SEEDS = range(1, 6) if LONG else range(1, 2)


@pytest_asyncio.fixture(loop_scope="session")
async def bootstrap_servers(kafka_jars: None) -> AsyncIterator[str]:
    async with KafkaCluster() as cluster:
        yield cluster.bootstrap_servers


def _traffic(line: Line, seed: int) -> Traffic:
    visitors = 2_000 * SCALE
    return Traffic(line.home, visitors=visitors, touchpoints=20_000 * SCALE, seed=seed)


async def _send_slowly(line: Line, traffic: Traffic, seconds: float) -> None:
    records = traffic.records()
    slices = 20
    for number in range(slices):
        await line.send(
            records[number * len(records) // slices : (number + 1) * len(records) // slices]
        )
        await asyncio.sleep(seconds / slices)


async def _hold_equal(line: Line, client: object) -> None:
    await line.settle()
    assert await line.differences(client) == []  # type: ignore[arg-type]
    assert differences(client, gap=line.settings.session_gap) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", SEEDS)
async def test_killing_tracker_and_sink_changes_no_value(
    bootstrap_servers: str, engine: EngineServer, tmp_path: Path, seed: int
) -> None:
    database = f"killed_{seed}"
    async with running_line(bootstrap_servers, engine, tmp_path, database) as (line, client):
        traffic = _traffic(line, seed)
        await line.start("track")
        await line.start("sink")
        sending = asyncio.create_task(_send_slowly(line, traffic, 12))
        for _ in range(3):
            await asyncio.sleep(4)
            await line.kill("track")
            await line.kill("sink")
            await line.start("track")
            await line.start("sink")
        await sending
        await _hold_equal(line, client)


@pytest.mark.parametrize("seed", SEEDS)
async def test_workers_that_join_and_leave_change_no_value(
    bootstrap_servers: str, engine: EngineServer, tmp_path: Path, seed: int
) -> None:
    database = f"rebalanced_{seed}"
    async with running_line(bootstrap_servers, engine, tmp_path, database) as (line, client):
        traffic = _traffic(line, seed)
        await line.start("sink")
        await line.start("track", "first")
        sending = asyncio.create_task(_send_slowly(line, traffic, 25))
        await asyncio.sleep(6)
        await line.start("track", "second")
        await asyncio.sleep(8)
        await line.terminate("first")
        await asyncio.sleep(4)
        await line.start("track", "third")
        await asyncio.sleep(6)
        await line.kill("second")
        await sending
        await _hold_equal(line, client)


async def test_the_embedded_broker_keeps_the_line_equal_too(
    engine: EngineServer, tmp_path: Path
) -> None:
    async with (
        EmbeddedBroker(free_ports(1)[0]) as broker,
        running_line(broker.bootstrap_servers, engine, tmp_path, "embedded", idempotence=False) as (
            line,
            client,
        ),
    ):
        await line.start("track")
        await line.start("sink")
        sending = asyncio.create_task(_send_slowly(line, Traffic(line.home), 8))
        await asyncio.sleep(6)
        await line.kill("track")
        await line.start("track")
        await sending
        await _hold_equal(line, client)
