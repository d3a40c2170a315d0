"""`touchstream up` goes on: with Apache Kafka whatever ended it, without it after a stop."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from pipeline.operations.comparison import Difference
from pipeline.settings import Settings
from tests.integration.test_stack import settings_for, until_said, up
from tests.support.kafka import LIBS
from tests.support.line import differences

NOW = datetime.now(UTC)


async def say(settings: Settings, name: str, minutes: float, **more: object) -> None:
    """Send what `ada` does so many minutes ago."""
    url = f"http://127.0.0.1:{settings.collector_port}/v1/track"
    event = {
        "event": name,
        "anonymousId": "ada",
        "messageId": f"{name} {minutes}",
        "timestamp": (NOW - timedelta(minutes=minutes)).isoformat(),
        **more,
    }
    auth = {"authorization": aiohttp.encode_basic_auth("wk_test", "")}
    async with aiohttp.ClientSession() as session, session.post(url, json=event, headers=auth) as a:
        assert a.status == 200, await a.text()


async def sessions(client: Client, touchpoints: int) -> list[tuple[object, ...]]:
    """Give the sessions once they hold so many touchpoints."""
    sql = "SELECT touchpoints, person_id FROM sessions FINAL"
    async with asyncio.timeout(60):
        while True:
            found = (await asyncio.to_thread(client.query, sql)).result_rows
            if sum(row[0] for row in found) == touchpoints:
                return [tuple(row) for row in found]
            await asyncio.sleep(0.5)


async def differences_at_last(settings: Settings, client: Client) -> list[Difference]:
    """Give what the tables lack or have too much, once the sink wrote what it has read."""
    for _ in range(60):
        if not (found := await differences(settings, client)):
            break
        await asyncio.sleep(0.5)
    return found


ENDS = [signal.SIGKILL, signal.SIGINT] if os.environ.get("LONG") == "1" else [signal.SIGKILL]
"""An orderly end, Ctrl-C, is part of `make faults`."""


@pytest.mark.parametrize("end", ENDS)
async def test_a_person_on_the_way_is_the_same_person_after_a_restart(
    kafka_jars: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: signal.Signals
) -> None:
    monkeypatch.setenv("KAFKA_HOME", str(LIBS.parent))
    await a_visit_goes_on_after(end, settings_for(tmp_path), "ready")


async def test_what_a_log_in_memory_has_forgotten_is_computed_anew(tmp_path: Path) -> None:
    await a_visit_goes_on_after(signal.SIGTERM, settings_for(tmp_path), "shop is computed anew")


async def a_visit_goes_on_after(end: signal.Signals, settings: Settings, said: str) -> None:
    """Begin a visit, end `touchstream up`, start it again until it `said` so, and go on."""
    async with up(settings) as process:
        await until_said(process, "ready")
        await say(settings, "Product Viewed", 20, userId="7")
        await say(settings, "Product Added", 19)
        with clickhouse_connect.get_client(dsn=settings.clickhouse_url) as client:
            await sessions(client, 2)
        process.send_signal(end)
        await asyncio.wait_for(process.wait(), 90)
    async with up(settings) as process:
        await until_said(process, said)
        await say(settings, "Checkout Started", 10)
        with clickhouse_connect.get_client(dsn=settings.clickhouse_url) as client:
            (session,) = await sessions(client, 3)
            assert session[0] == 3
            assert await differences_at_last(settings, client) == []
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 90) == 0
