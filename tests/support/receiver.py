"""Somebody else's system: an HTTP server that notes what is posted, and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from tests.support.ports import free_ports


class Posted(NamedTuple):
    """A request that came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class Receiver:
    """Answers the statuses of `answers` by path, the last of them for ever; else 200."""

    port: int
    answers: dict[str, list[int]] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    open: int = 0
    most_open: int = 0

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def ids(self, path: str = "/hook") -> list[str]:
        return [each.said["id"] for each in self.posted if each.path == path]

    async def until(self, count: int, path: str = "/hook", patience: float = 30) -> None:
        """Wait until `count` requests have come to `path`."""
        await self._until(lambda: len(self.ids(path)) >= count, patience)

    async def until_all(self, ids: set[str], path: str = "/hook", patience: float = 30) -> None:
        """Wait until each of `ids` has come to `path`."""
        await self._until(lambda: ids <= set(self.ids(path)), patience)

    async def _until(self, is_true: Callable[[], bool], patience: float) -> None:
        async with asyncio.timeout(patience):
            while not is_true():  # noqa: ASYNC110 - requests come one by one
                await asyncio.sleep(0.02)

    async def take(self, request: web.Request) -> web.Response:
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        self.posted.append(Posted(request.path, dict(request.headers), await request.read()))
        await asyncio.sleep(self.slow.get(request.path, 0))
        self.open -= 1
        told = self.answers.get(request.path, [200])
        status = told.pop(0) if len(told) > 1 else told[0]
        elsewhere = {"location": self.url("/elsewhere")} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=elsewhere)


@asynccontextmanager
async def receiver(port: int = 0) -> AsyncIterator[Receiver]:
    """Run a receiver on `port`, or on a free one."""
    running = Receiver(port or free_ports(1)[0])
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", running.take)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", running.port).start()
    try:
        yield running
    finally:
        await runner.cleanup()
