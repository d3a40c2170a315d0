"""The embedded stack with a page that watches it."""

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr
from rich.progress import Progress

from pipeline.demo.simulate import simulate
from pipeline.settings import Settings
from tests.support.live import KEY, events, token_for
from tests.support.ports import free_ports
from tests.support.roles import running

_PORTS = (
    *("collector_port", "tracker_metrics_port", "sink_metrics_port", "watch_metrics_port"),
    *("drain_metrics_port", "live_port"),
)


@dataclass
class Watching:
    """An open page: what its stream has told so far."""

    settings: Settings
    session: aiohttp.ClientSession
    told: dict[str, Any] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> None:
        """Read the stream until cancelled; open it again when it ends."""
        url = f"http://127.0.0.1:{self.settings.live_port}/api/stream?site=shop"
        headers = {"Authorization": f"Bearer {token_for()}"}
        while True:
            try:
                async with self.session.get(url, headers=headers) as stream:
                    async for name, said in events(stream):
                        self.told[name] = said
                        self._news.set()
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)

    async def say(self, touchpoint_id: str) -> None:
        """Send a page view of somebody new."""
        key = base64.b64encode(b"wk_test:").decode()
        body = {
            "messageId": touchpoint_id,
            "anonymousId": uuid.uuid4().hex,
            "name": "Start",
            "context": {"page": {"path": "/"}},
        }
        url = f"http://127.0.0.1:{self.settings.collector_port}/v1/page"
        headers = {"Authorization": f"Basic {key}"}
        async with self.session.post(url, json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()

    async def until_arrived(self, touchpoint_id: str, *, is_judged: bool = False) -> None:
        """Wait until the list of the newest touchpoints has one; with the visit it is part of."""
        while not any(
            row["touchpoint_id"] == touchpoint_id and (row["session_id"] or not is_judged)
            for row in self.told.get("arrived", {}).get("rows") or ()
        ):
            self._news.clear()
            await self._news.wait()


@asynccontextmanager
async def live_stack(folder: Path, *, people: int) -> AsyncIterator[Watching]:
    """Run `touchstream up`, with what `people` did in six hours, and open its live page."""
    kafka, clickhouse, *ports = free_ports(2 + len(_PORTS))
    ported: dict[str, Any] = dict(zip(_PORTS, ports, strict=True))
    settings = Settings(
        write_keys={"wk_test": "shop"},
        kafka_bootstrap_servers=f"127.0.0.1:{kafka}",
        clickhouse_url=f"http://127.0.0.1:{clickhouse}",
        live_keys=[SecretStr(KEY)],
        embedded_path=folder,
        **ported,
    )
    async with (
        running("up", settings, stderr=asyncio.subprocess.DEVNULL),
        aiohttp.ClientSession() as session,
    ):
        await _ready(session, f"http://127.0.0.1:{settings.collector_port}/healthz/ready")
        await _ready(session, f"http://127.0.0.1:{settings.live_port}/healthz/ready")
        page = Watching(settings, session)
        watching = asyncio.create_task(page.watch())
        try:
            if people:
                await _simulated(settings, people)
            await page.say("first")
            async with asyncio.timeout(180):
                await page.until_arrived("first", is_judged=True)
            yield page
        finally:
            watching.cancel()


@asynccontextmanager
async def others(page: Watching, a_second: float) -> AsyncIterator[None]:
    """Let other people do so many things a second meanwhile; 0: nobody is there."""
    following = asyncio.create_task(_simulated(page.settings, 0, a_second)) if a_second else None
    try:
        yield
    finally:
        if following:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def _simulated(settings: Settings, people: int, follow: float | None = None) -> None:
    await simulate(
        f"http://127.0.0.1:{settings.collector_port}",
        "wk_test",
        people=people,
        seed=1,
        hours=1,
        follow_rate=follow,
        progress=Progress(disable=True),
    )


async def _ready(session: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)
