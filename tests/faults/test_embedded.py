"""The broker in memory keeps the line equal to the oracle, too."""

import asyncio
from pathlib import Path

import pytest

from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.operations.verify import differences
from tests.support.engine import EngineServer
from tests.support.line import Line, running_line
from tests.support.ports import free_ports
from tests.support.traffic import Traffic

pytestmark = pytest.mark.fault


async def test_killing_the_tracker_changes_no_value(engine: EngineServer, tmp_path: Path) -> None:
    async with (
        EmbeddedBroker(free_ports(1)[0]) as broker,
        running_line(broker.bootstrap_servers, engine, tmp_path, "embedded", idempotence=False) as (
            line,
            client,
        ),
    ):
        await line.start("track")
        await line.start("sink")
        sending = asyncio.create_task(send_slowly(line, seconds=8))
        await asyncio.sleep(6)
        await line.kill("track")
        await line.start("track")
        await sending
        await line.settle()
        assert await line.differences(client) == []
        assert differences(client, gap=line.settings.session_gap) == []


async def send_slowly(line: Line, seconds: float) -> None:
    records = Traffic(line.home).records()
    for start in range(0, len(records), 1_000):
        await line.send(records[start : start + 1_000])
        await asyncio.sleep(seconds * 1_000 / len(records))
