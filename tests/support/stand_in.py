"""A page of metrics that stands in for a server that tests do not have: ClickHouse, as a process.

The embedded engine has none of `system.asynchronous_metrics`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass
class Page:
    """Metrics and their values, as Prometheus reads them."""

    values: dict[str, float]

    async def show(self, _: web.Request) -> web.Response:
        return web.Response(text="".join(f"{n} {v}\n" for n, v in self.values.items()))


CLICKHOUSE = Page(
    {
        "ClickHouseAsyncMetrics_DiskAvailable_default": 80.0,
        "ClickHouseAsyncMetrics_DiskTotal_default": 100.0,
        "ClickHouseAsyncMetrics_MaxPartCountForPartition": 12.0,
    }
)
"""A ClickHouse that is well, under the names that its endpoint for Prometheus has."""


@asynccontextmanager
async def standing_in(port: int, page: Page) -> AsyncIterator[None]:
    """Serve a page."""
    app = web.Application()
    app.router.add_get("/metrics", page.show)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()
