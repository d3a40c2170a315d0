"""The sample shop: its pages on free ports of this machine, with the collector's beacon in them.

Its hosts are `shop.localhost` and `www.localhost`: two sites to a browser, and both are trusted as
if they had a certificate. `/collect` passes on to the collector, as a shop's own server would do,
and can fail.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import aiohttp
from aiohttp import web

from pipeline.collector.beacon.script import FILE
from tests.support.collector import WRITE_KEY

_PAGES = Path(__file__).parents[1] / "browser" / "shop"
_APP = "app.html"


@dataclass
class Shop:
    """A running shop. `failures` says by number which request to `/collect` fails, and how."""

    collector: str
    port: int = 0
    attributes: dict[str, str] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    requests: int = 0
    failed: int = 0

    @property
    def url(self) -> str:
        return f"http://shop.localhost:{self.port}"

    @property
    def website(self) -> str:
        return f"http://www.localhost:{self.port}"

    async def page(self, request: web.Request) -> web.Response:
        """Serve a page; an unknown path is one of the single-page app."""
        path = _PAGES / (request.path.strip("/") or "index.html")
        if path.suffix == ".css":
            return web.Response(text=path.read_text(), content_type="text/css")
        text = (path if path.is_file() else _PAGES / _APP).read_text()
        for name, value in self._words().items():
            text = text.replace(f"{{{{{name}}}}}", value)
        return web.Response(text=text, content_type="text/html")

    async def module(self, request: web.Request) -> web.Response:
        """Serve the beacon's modules, as a bundler would have them."""
        path = FILE.parent / request.match_info["name"]
        return web.Response(text=path.read_text(), content_type="text/javascript")

    async def collect(self, request: web.Request) -> web.Response:
        """Pass a batch on. It may get lost on the way there, or its answer on the way back."""
        self.requests += 1
        failure = self.failures.get(self.requests)
        self.failed += failure is not None
        body = await request.read()
        agent = {"user-agent": request.headers["user-agent"]}
        if failure != "request":
            async with (
                aiohttp.ClientSession(headers=agent) as session,
                session.post(f"{self.collector}/v1/batch", data=body) as answer,
            ):
                status = answer.status
        if failure == "unavailable":
            return web.Response(status=503)
        if failure:
            assert request.transport
            request.transport.abort()
            raise asyncio.CancelledError
        return web.Response(status=status)

    def _words(self) -> dict[str, str]:
        told = {"key": WRITE_KEY, "domains": "shop.localhost www.localhost", **self.attributes}
        data = " ".join(f'data-{name}="{escape(value)}"' for name, value in told.items())
        return {
            "beacon": f'<script async src="{self.collector}/beacon.js" {data}></script>',
            "key": WRITE_KEY,
            "endpoint": f"{self.collector}/v1/batch",
            "shop": self.url,
        }


@asynccontextmanager
async def open_shop(collector: str, **attributes: str) -> AsyncIterator[Shop]:
    """Serve the shop; `attributes` are data attributes of the script tag."""
    shop = Shop(collector, attributes=attributes)
    app = web.Application()
    app.router.add_post("/collect", shop.collect)
    app.router.add_get("/beacon/{name}", shop.module)
    app.router.add_route("*", "/{path:.*}", shop.page)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop.port = runner.addresses[0][1]
    try:
        yield shop
    finally:
        await runner.cleanup()
