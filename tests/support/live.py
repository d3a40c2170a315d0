"""The live page over data of simulated shoppers, as a server in this process."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from clickhouse_connect.driver.client import Client
from pydantic import SecretStr

from pipeline.collector.arrival import Arrival
from pipeline.collector.intake import Intake, Limits
from pipeline.demo.simulation.calls import journeys
from pipeline.demo.simulation.shopper import Call
from pipeline.live.panels import PANELS
from pipeline.live.server import Live
from pipeline.settings import Settings
from pipeline.signed.passes import Pass, issue
from schemas.touchpoint import Touchpoint
from tests.support.ports import free_ports

KEY = "live-key-" + "k" * 32
SITE = "shop"


def token_for(*sites: str, life: timedelta = timedelta(hours=1)) -> str:
    """Give the token of a pass for `sites`, none: all."""
    expires = int((datetime.now(UTC) + life).timestamp())
    return issue(Pass(sites, expires), [KEY])


def simulated(people: int, start: datetime, end: datetime, site: str = SITE) -> list[Touchpoint]:
    """Give the touchpoints of simulated shoppers, as the collector would read them.

    They do the same at any time of day: another start would give other people, and one day none
    who buys.
    """
    later = start - _A_NOON
    calls = journeys(1, people, _A_NOON, end - later)
    return [read(call | {"timestamp": call["timestamp"] + later}, site) for call in calls]


_A_NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)
_INTAKE = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=3650)))


def read(call: Call, site: str = SITE) -> Touchpoint:
    """Give the touchpoint of a simulated call that arrived at once."""
    return _INTAKE.touchpoint(msgspec.json.encode(call), _arrival(site, call["timestamp"]))


def _arrival(site: str, at: datetime) -> Arrival:
    return Arrival(site=site, received_at=at + timedelta(milliseconds=20))


@dataclass
class Serving:
    """A running server, and a client that has a pass for everything."""

    live: Live
    port: int
    session: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def get(self, path: str, token: str = "", **query: str) -> tuple[int, Any]:
        """Give the status and the JSON of an answer; an empty token is the pass for everything."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.get(self.url + path, params=query, headers=headers) as answer:
            return answer.status, await answer.json()

    async def rows(self, panel: str, **query: str) -> list[dict[str, Any]]:
        """Give the rows of a panel."""
        status, said = await self.get(f"/api/{panel}", **query)
        assert status == 200, said
        found: list[dict[str, Any]] = said["rows"]
        return found


@asynccontextmanager
async def serving(
    client: Client,
    clock: Callable[[], datetime] | None = None,
    **settings: Any,
) -> AsyncIterator[Serving]:
    """Serve the live page of the tables that `client` sees."""
    [port] = free_ports(1)
    told: dict[str, Any] = {"live_keys": [SecretStr(KEY)], "live_port": port}
    known = Settings(**told | settings)
    live = Live(client, known, clock) if clock else Live(client, known)
    runner = web.AppRunner(live.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=2048).start()
    headers = {"Authorization": f"Bearer {token_for()}"}
    connector = aiohttp.TCPConnector(limit=0)
    try:
        async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
            yield Serving(live, port, session)
    finally:
        await runner.cleanup()


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    """Give the server-sent events of a stream: what each is called, and what it says."""
    name = ""
    async for line in response.content:
        if line.startswith(b"event: "):
            name = line[7:].strip().decode()
        elif line.startswith(b"data: "):
            yield name, msgspec.json.decode(line[6:])


async def once(live: Serving) -> float:
    """Say how long this machine, as busy as it is, takes for one round of the fast questions."""
    began = monotonic()
    for panel in PANELS.values():
        if panel.lane != "slow":
            await live.rows(panel.name)
    return monotonic() - began


def columns(rows: Iterable[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Give some columns of rows."""
    return [tuple(row[name] for name in names) for row in rows]
