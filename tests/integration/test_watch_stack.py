"""The whole line with Debian's Prometheus and Alertmanager: quiet when all is well, loud when not.

Short here; the long form (LONG=1, `make watch-stack`) is quiet for ten minutes and breaks the
checkout of the simulation.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from pipeline.roles.watch.alerts import alert_of
from pipeline.roles.watch.delivery.messages import for_alertmanager
from pipeline.roles.watch.judge import Opened, Share
from pipeline.roles.watch.site import News, Question
from pipeline.settings import Settings
from schemas.watch import Question as Asked
from tests.support.engine import EngineServer
from tests.support.monitoring import monitoring
from tests.support.ports import free_ports
from tests.support.visits import Visit, Visits
from tests.support.watched import Stack, begin_at, running_stack, until

LONG = os.environ.get("LONG") == "1"
QUIET_SECONDS = 600 if LONG else 20
HOUR = timedelta(hours=1)


@pytest.fixture
async def stack(engine: EngineServer, tmp_path: Path) -> AsyncIterator[Stack]:
    async with running_stack(engine, tmp_path) as stack:
        for role in ("collect", "track", "drain", "sink"):
            await stack.line.start(role)
        yield stack


@pytest.mark.timeout(QUIET_SECONDS + 300)
async def test_a_healthy_line_is_quiet(stack: Stack) -> None:
    """Not one alert fires or is about to."""
    await stack.line.start("watch")
    await until(stack.is_up, 90)
    await asyncio.sleep(10)  # what was asked before all were up
    end = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < end:
        assert [a["labels"] for a in await stack.seen.pending()] == []
        assert await stack.seen.alerts() == []
        await asyncio.sleep(2)


async def test_a_broken_checkout_reaches_alertmanager_with_its_slice_and_once(
    stack: Stack,
) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    broken_at = now - timedelta(minutes=50)

    def checkout(visit: Visit) -> bool:
        return visit.at < broken_at or visit.browser != "Safari"

    Visits(rate=8.0, checkout=checkout).fill(stack.client, now - 12 * HOUR, now)
    begin_at(stack.client, "shop", now - HOUR)
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


HOSTILE = 'a "b"\n{c} <d>&é\x00\u202e\\ %zz'
"""Whoever sends touchpoints chooses channels, pages and campaigns."""


async def test_alertmanager_takes_an_alert_whatever_it_is_about(tmp_path: Path) -> None:
    """It refuses a whole round for one alert that it cannot read."""
    asked = Question("silence", HOSTILE)
    opened = Opened(
        at=1,
        since=1,
        told=1,
        until=1,
        explained=(Share("page", HOSTILE, 1.0),),
        observed=0.0,
        expected=9.0,
        certainty=1.0,
    )
    link = Settings().watch_link + "&step={step}"
    news = News(asked, Asked(kind="silence"), opened, (HOSTILE,))
    alerts = [alert_of("shop", news, link=link), replace(alert_of(HOSTILE, news), link="")]
    now = datetime.now(UTC)
    [port] = free_ports(1)
    async with monitoring(tmp_path, {}, port) as seen, aiohttp.ClientSession() as web:
        body = for_alertmanager(alerts, now, timedelta(minutes=1))
        async with web.post(f"{seen.alertmanager}/api/v2/alerts", json=body) as answer:
            assert answer.status == 200, await answer.text()
        assert {a["labels"]["step"] for a in await seen.alerts()} == {HOSTILE}


@pytest.mark.skipif(not LONG, reason="minutes of real time: make watch-stack")
@pytest.mark.timeout(900)
async def test_a_silent_source_is_told_of_but_no_closed_shop_and_no_other_mix(
    stack: Stack,
) -> None:
    """The shop closes four hours ago, as every day; more come than usual to the other, by store."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    changed = now - 2 * HOUR
    usual = {"website": 0.75, "store": 0.25}
    shops = [
        Visits(site="silent", mix=lambda at: usual if at < changed else {"website": 1.0}),
        Visits(site="mixed", mix=lambda at: usual if at < changed else SHIFTED),
        Visits(site="closed", is_open=lambda at: (now - at) % (24 * HOUR) > 4 * HOUR),
    ]
    for shop in shops:
        for day in range(8, 0, -1):
            shop.rate = 2.0
            start = changed - day * 24 * HOUR
            await asyncio.to_thread(shop.fill, stack.client, start, start + 24 * HOUR)
        shop.rate = 5.0 if shop.site == "mixed" else 2.0
        await asyncio.to_thread(shop.fill, stack.client, changed, now)
        begin_at(stack.client, shop.site, now - 5 * HOUR)
    await stack.line.start("watch")

    async def are_judged() -> bool:
        found = stack.client.query("SELECT min(minute) FROM watch_states FINAL").result_rows
        return int(found[0][0]) * 60 >= now.timestamp() - 60

    await until(are_judged, 600)
    told = {(a["labels"]["alertname"], a["labels"]["site"]) for a in await stack.seen.alerts()}
    assert ("SourceSilent", "silent") in told
    assert {each for each in told if each[1] != "silent"} == set()


SHIFTED = {"website": 0.4, "store": 0.6}


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
