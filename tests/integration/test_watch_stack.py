"""The whole line with Debian's Prometheus and Alertmanager: quiet when all is well, loud when not.

Short here; the long form (LONG=1, `make watch-stack`) is quiet for ten minutes and breaks the
checkout of the simulation.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from clickhouse_connect.driver.client import Client
from prometheus_client.parser import text_string_to_metric_families

from pipeline.local.embedded.broker import EmbeddedBroker
from tests.support.engine import EngineServer
from tests.support.line import Line, running_line
from tests.support.monitoring import Monitoring, monitoring
from tests.support.ports import free_ports
from tests.support.visits import Visit, Visits

LONG = os.environ.get("LONG") == "1"
QUIET_SECONDS = 600 if LONG else 30
HOUR = timedelta(hours=1)
ROLES = ("collector", "tracker", "sink", "watch")


@dataclass
class Stack:
    """The line, its tables, and what watches it."""

    line: Line
    client: Client
    seen: Monitoring
    collector: str

    async def drop_offs(self) -> list[dict[str, Any]]:
        return [a for a in await self.seen.alerts() if a["labels"]["alertname"] == "DropOff"]

    def versions(self) -> list[tuple[str, int]]:
        found = self.client.query("SELECT alert_id, version FROM alerts").result_rows
        return [(str(alert_id), int(version)) for alert_id, version in found]


@pytest.fixture
async def stack(engine: EngineServer, tmp_path: Path) -> AsyncIterator[Stack]:
    async with running_stack(engine, tmp_path) as stack:
        yield stack


@asynccontextmanager
async def running_stack(engine: EngineServer, folder: Path) -> AsyncIterator[Stack]:
    broker, collector, tracker, sink, watch, alertmanager = free_ports(6)
    ports = dict(zip(ROLES, (collector, tracker, sink, watch), strict=True))
    async with (
        EmbeddedBroker(broker),
        running_line(
            f"127.0.0.1:{broker}",
            engine,
            folder,
            f"stack_{time.time_ns()}",
            idempotence=False,
            tick="PT0.5S",
        ) as (line, client),
        monitoring(folder, ports, alertmanager) as seen,
    ):
        line.environment |= {
            "TOUCHSTREAM_COLLECTOR_PORT": str(collector),
            "TOUCHSTREAM_WRITE_KEYS": '{"wk_stack_1": "shop"}',
            "TOUCHSTREAM_COLLECTOR_NETWORK_EVENTS": "0",
            "TOUCHSTREAM_COLLECTOR_NETWORK_BYTES": "0",
            "TOUCHSTREAM_TRACKER_METRICS_PORT": str(tracker),
            "TOUCHSTREAM_SINK_METRICS_PORT": str(sink),
            "TOUCHSTREAM_WATCH_METRICS_PORT": str(watch),
            "TOUCHSTREAM_WATCH_INTERVAL": "PT2S",
            "TOUCHSTREAM_WATCH_GRACE": "PT5S",
            "TOUCHSTREAM_WATCH_ALERTMANAGER_URL": seen.alertmanager,
        }
        for role in ("collect", "track", "sink"):
            await line.start(role)
        yield Stack(line, client, seen, f"http://127.0.0.1:{collector}")


async def until(is_so: Callable[[], Awaitable[bool]], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not await is_so():  # noqa: ASYNC110  another process, nobody can notify us
            await asyncio.sleep(1)


async def all_up(stack: Stack) -> bool:
    return set((await stack.seen.targets()).values()) == {"up"}


@pytest.mark.timeout(QUIET_SECONDS + 300)
async def test_a_healthy_line_is_quiet(stack: Stack) -> None:
    """Not one alert fires or is about to. Then a role ends, and that one does."""
    await stack.line.start("watch")
    await until(lambda: all_up(stack), 90)
    await asyncio.sleep(10)  # what was asked before all were up
    end = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < end:
        assert [a["labels"] for a in await stack.seen.pending()] == []
        assert await stack.seen.alerts() == []
        await asyncio.sleep(2)
    await stack.line.kill("sink")

    async def is_seen() -> bool:
        return {"TargetDown"} == {a["labels"]["alertname"] for a in await stack.seen.pending()}

    await until(is_seen, 60)


async def test_a_broken_checkout_reaches_alertmanager_with_its_slice_and_once(
    stack: Stack,
) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    broken_at = now - timedelta(minutes=50)

    def checkout(visit: Visit) -> bool:
        return visit.at < broken_at or visit.browser != "Safari"

    Visits(rate=8.0, checkout=checkout).fill(stack.client, now - 12 * HOUR, now)
    begin_at(stack.client, now - HOUR)
    await stack.line.start("watch")

    async def fires() -> bool:
        return bool(await stack.drop_offs())

    await until(fires, 120)
    [alert] = await stack.drop_offs()
    assert alert["labels"]["step"] == "Checkout Started"
    assert alert["annotations"]["slice"] in {"browser=Safari", "device=mobile"}
    before = stack.versions()
    await stack.line.terminate("watch")
    await stack.line.start("watch")
    await asyncio.sleep(15)
    [again] = await stack.drop_offs()
    assert alert["fingerprint"] == again["fingerprint"]
    after = stack.versions()
    assert len(set(after)) == len(after)
    assert {alert_id for alert_id, _ in before} == {alert_id for alert_id, _ in after}


def begin_at(client: Client, at: datetime) -> None:
    """Have the watch believe that it has judged everything before."""
    minute = int(at.timestamp()) // 60
    client.insert(
        "watch_states",
        [("shop", minute, "[]", minute)],
        column_names=["site", "minute", "state", "version"],
    )


@pytest.mark.skipif(not LONG, reason="minutes of real time: make watch-stack")
@pytest.mark.timeout(2400)
async def test_a_simulated_breakdown_fires_and_is_over(stack: Stack) -> None:
    await simulated(stack, "--people", "6000", "--hours", "20")
    await until(lambda: all_there(stack), 900)
    await stack.line.start("watch")
    broken = await shoppers(stack, "--break", "checkout")
    try:

        async def fires() -> bool:
            return bool(await stack.drop_offs())

        await until(fires, 900)
    finally:
        broken.kill()
        await broken.wait()
    [alert] = await stack.drop_offs()
    assert alert["labels"]["step"] == "Checkout Started"
    assert alert["annotations"]["slice"] == "everywhere"
    healthy = await shoppers(stack)
    try:

        async def is_over() -> bool:
            return not await stack.drop_offs()

        await until(is_over, 1200)
    finally:
        healthy.kill()
        await healthy.wait()
    states = stack.client.query("SELECT DISTINCT state FROM alerts FINAL WHERE kind = 'conversion'")
    assert states.result_rows == [("resolved",)]


async def all_there(stack: Stack) -> bool:
    """Tell whether what the collector took is in the table. With a tick twice a second, the tracker
    always has something to read."""
    async with aiohttp.ClientSession() as web, web.get(f"{stack.collector}/metrics") as answer:
        told = text_string_to_metric_families(await answer.text())
    taken = sum(
        sample.value
        for family in told
        for sample in family.samples
        if sample.name == "touchstream_collector_accepted_total"
    )
    [(arrived,)] = stack.client.query("SELECT count() FROM touchpoints FINAL").result_rows
    return bool(0 < taken == arrived)


async def shoppers(stack: Stack, *options: str) -> asyncio.subprocess.Process:
    """Start shoppers who come for ever."""
    follow = ("--people", "10", "--hours", "0.01", "--follow", "40")
    return await _simulate(stack, *follow, *options)


async def simulated(stack: Stack, *options: str) -> None:
    process = await _simulate(stack, *options)
    assert await process.wait() == 0


async def _simulate(stack: Stack, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.cli", "simulate", "--url", stack.collector, *options),
        env=stack.line.environment,
        stdout=asyncio.subprocess.DEVNULL,
    )
