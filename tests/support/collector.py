"""The collector as a process of its own, as `touchstream collect` runs it."""

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.support.ports import free_ports
from tests.support.roles import end

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 20

WRITE_KEY = "wk_test"


@dataclass
class CollectorProcess:
    """A running collector; its one write key stands for `site`."""

    site: str
    port: int
    process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def until_ready(self) -> None:
        """Wait until it is connected to Kafka."""
        await until_status(f"{self.url}/healthz/ready", 200)

    @contextmanager
    def held(self) -> Iterator[None]:
        """SIGSTOP, and SIGCONT after the block: connections stay open and silent."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    async def stop(self) -> int:
        """SIGTERM, and the exit code that follows."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@asynccontextmanager
async def collector(bootstrap_servers: str, **settings: str) -> AsyncIterator[CollectorProcess]:
    """Run a collector on a free port, from its first sign of life to the end of the block."""
    [port] = free_ports(1)
    site = f"site-{uuid.uuid4().hex[:8]}"
    told = {
        "write_keys": json.dumps({WRITE_KEY: site}),
        "kafka_bootstrap_servers": bootstrap_servers,
        "collector_port": str(port),
    }
    running = CollectorProcess(site, port, await start(told | settings))
    try:
        await until_status(f"{running.url}/healthz/live", 200)
        yield running
    finally:
        await end(running.process)


async def start(settings: dict[str, str], stderr: int | None = None) -> asyncio.subprocess.Process:
    """Start `touchstream collect` and wait for nothing."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.cli", "collect"),
        cwd=_ROOT,
        env=os.environ | {f"TOUCHSTREAM_{name.upper()}": value for name, value in settings.items()},
        stderr=stderr,
    )


async def until_status(url: str, status: int, patience: float = _START_SECONDS) -> None:
    """Ask again and again until `url` answers with `status`."""
    async with asyncio.timeout(patience), aiohttp.ClientSession() as session:
        while await _status(session, url) != status:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def _status(session: aiohttp.ClientSession, url: str) -> int | None:
    try:
        async with session.get(url) as answer:
            return answer.status
    except aiohttp.ClientError:
        return None
