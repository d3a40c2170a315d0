"""The whole line behind a collector, and a browser before it: for all tests of this folder."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from pipeline.local.embedded.broker import EmbeddedBroker
from tests.browser.stage import LEFT_KEY, LEFT_SITE, Stage
from tests.support.browser import chromium
from tests.support.collector import WRITE_KEY, collector
from tests.support.engine import EngineServer
from tests.support.line import running_line
from tests.support.live import KEY as LIVE_KEY
from tests.support.ports import free_ports

__all__ = ["chromium", "stage"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(
    chromium: object, engine: EngineServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """Collector, tracker and sink, up to the tables."""
    folder = tmp_path_factory.mktemp("line")
    async with (
        EmbeddedBroker(free_ports(1)[0]) as broker,
        running_line(broker.bootstrap_servers, engine, folder, "beacon", idempotence=False) as (
            line,
            client,
        ),
        collector(
            broker.bootstrap_servers,
            kafka_idempotence="false",
            write_keys=json.dumps({WRITE_KEY: "shop", LEFT_KEY: LEFT_SITE}),
            collector_cookieless="true",
            live_keys=json.dumps([LIVE_KEY]),
        ) as running,
    ):
        await line.start("track")
        await line.start("sink")
        await running.until_ready()
        yield Stage(running, line, client)
