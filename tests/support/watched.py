"""The whole line with Debian's Prometheus and Alertmanager, which watch it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from clickhouse_connect.driver.client import Client

from pipeline.local.embedded.broker import EmbeddedBroker
from tests.support.engine import EngineServer
from tests.support.line import Line, running_line
from tests.support.monitoring import FILES, Monitoring, monitoring
from tests.support.ports import free_ports
from tests.support.stand_in import CLICKHOUSE, standing_in

WRITE_KEYS = {"shop": "wk_stack_1", "crm": "wk_stack_2"}
_JOBS = ("collector", "tracker", "drain", "sink", "watch", "clickhouse")
_RULES = yaml.safe_load((FILES / "touchstream.rules.yml").read_text())
ALERTS = frozenset(rule["alert"] for group in _RULES["groups"] for rule in group["rules"])
"""The operations alerts: those of the shop have other names."""


@dataclass
class Stack:
    """The line, its tables, and what watches it."""

    line: Line
    client: Client
    seen: Monitoring
    broker: EmbeddedBroker
    engine: EngineServer
    ports: dict[str, int]

    @property
    def collector(self) -> str:
        return f"http://127.0.0.1:{self.ports['collector']}"

    async def is_up(self) -> bool:
        """Tell whether Prometheus reaches every role."""
        return set((await self.seen.targets()).values()) == {"up"}

    async def drop_offs(self) -> list[dict[str, Any]]:
        return [a for a in await self.seen.alerts() if a["labels"]["alertname"] == "DropOff"]

    async def firing(self) -> set[str]:
        """Name the operations alerts that Alertmanager has."""
        return {a["labels"]["alertname"] for a in await self.seen.alerts()} & ALERTS

    async def pending(self) -> set[str]:
        """Name the operations alerts that are about to fire, or do."""
        return {a["labels"]["alertname"] for a in await self.seen.pending()}

    def versions(self) -> list[tuple[str, int]]:
        found = self.client.query("SELECT alert_id, version FROM alerts").result_rows
        return [(str(alert_id), int(version)) for alert_id, version in found]

    async def post(self, calls: list[dict[str, Any]], site: str = "shop") -> int:
        """Send a batch of Segment's calls to the collector; give the status."""
        key = {"authorization": aiohttp.encode_basic_auth(WRITE_KEYS[site], "")}
        async with (
            aiohttp.ClientSession() as web,
            web.post(f"{self.collector}/v1/batch", json={"batch": calls}, headers=key) as answer,
        ):
            return answer.status

    def visited(self, a_second: int, site: str = "shop") -> AbstractAsyncContextManager[None]:
        """Let so many people look at something, every second, for the length of the block."""

        async def some() -> None:
            now = datetime.now(UTC).isoformat()
            people = (f"{time.time_ns()}-{one}" for one in range(max(1, a_second // 2)))
            with suppress(aiohttp.ClientError):
                await self.post([viewed(who, now) for who in people], site)

        return again_and_again(some)


@asynccontextmanager
async def again_and_again(work: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Do it twice a second for the length of the block; what it raises ends the block."""

    over = asyncio.Event()

    async def repeat() -> None:
        while not over.is_set():
            await work()
            await asyncio.sleep(0.5)

    async with asyncio.TaskGroup() as group:
        group.create_task(repeat())
        yield
        over.set()  # not cancelled: a client that is about to start would not be closed


def viewed(who: str, when: str) -> dict[str, Any]:
    """Give the call that says that somebody looked at a product."""
    return {
        "type": "track",
        "event": "Product Viewed",
        "anonymousId": who,
        "messageId": who,
        "timestamp": when,
    }


@asynccontextmanager
async def running_stack(
    engine: EngineServer,
    folder: Path,
    *,
    more: Sequence[str] = (),
    factor: int = 1,
) -> AsyncIterator[Stack]:
    """Run the broker and what watches, with the times of the rules divided by `factor`.

    The roles are to be started: those of `_JOBS` and `more`.
    """
    names = [*_JOBS, *more]
    broker_port, alertmanager, *free = free_ports(2 + len(names))
    ports = dict(zip(names, free, strict=True))
    async with (
        EmbeddedBroker(broker_port) as broker,
        running_line(
            broker.bootstrap_servers,
            engine,
            folder,
            f"stack_{time.time_ns()}",
            idempotence=False,
            tick="PT0.5S",
        ) as (line, client),
        monitoring(folder, ports, alertmanager, factor) as seen,
        standing_in(ports["clickhouse"], CLICKHOUSE),
    ):
        line.environment |= {
            f"TOUCHSTREAM_{name.upper()}_METRICS_PORT": str(port)
            for name, port in ports.items()
            if name not in ("collector", "clickhouse")
        }
        line.environment |= {
            "TOUCHSTREAM_COLLECTOR_PORT": str(ports["collector"]),
            "TOUCHSTREAM_WRITE_KEYS": json.dumps({key: site for site, key in WRITE_KEYS.items()}),
            "TOUCHSTREAM_COLLECTOR_NETWORK_EVENTS": "0",
            "TOUCHSTREAM_COLLECTOR_NETWORK_BYTES": "0",
            "TOUCHSTREAM_WATCH_INTERVAL": "PT2S",
            "TOUCHSTREAM_WATCH_GRACE": "PT5S",
            "TOUCHSTREAM_WATCH_ALERTMANAGER_URL": seen.alertmanager,
        }
        yield Stack(line, client, seen, broker, engine, ports)


async def until(is_so: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Ask every half a second, for so many seconds at most."""
    async with asyncio.timeout(seconds):
        while not await is_so():  # noqa: ASYNC110  another process, nobody can notify us
            await asyncio.sleep(0.5)


def begin_at(client: Client, site: str, at: datetime) -> None:
    """Have the watch believe that it has judged everything of a site before."""
    minute = int(at.timestamp()) // 60
    client.insert(
        "watch_states",
        [(site, minute, "[]", minute)],
        column_names=["site", "minute", "state", "version"],
    )
