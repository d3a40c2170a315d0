"""Other companies' SDKs, unmodified, against the collector: what they send arrives, once.

What each of them does stands in `sdks/`: a page for a browser's SDK, a script for a server's.
"""

import asyncio
import json
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser

from pipeline.tracker.commerce import read_commerce
from schemas.codec import encode
from schemas.topics import DEAD_LETTERS, RAW
from tests.integration.test_collector_http import make_topics
from tests.support.browser import chromium, visitor
from tests.support.collector import CollectorProcess, collector
from tests.support.kafka import KafkaCluster
from tests.support.ports import free_ports
from tests.support.sdks import SDKS, npm_folder, python_of_pypi, run
from tests.support.topics import read

__all__ = ["chromium"]

PATIENCE_SECONDS = 20
NUMBERED = [f"Event {number}" for number in range(1, 25)]
MANY = [f"Event {number}" for number in range(1, 41)]
SNOWPLOW = [
    "Page Viewed",
    "Colour Chosen",
    "Product Viewed",
    "Product Added",
    "Checkout Started",
    "Checkout Step Completed",
    "Order Completed",
    "advice_given",
]
SHOP = [
    "Page Viewed",
    "Product Viewed",
    "Product Added",
    "Identified",
    "Grouped",
    "Aliased",
    "Order Completed",
]

BROWSERS = {
    "segment_browser": SHOP,
    "segment_batching": ["Page Viewed", *NUMBERED],
    "rudderstack_browser": SHOP,
    "rudderstack_beacon": ["Page Viewed", *NUMBERED],
    "snowplow_post": SNOWPLOW,
    "snowplow_get": SNOWPLOW,
    "snowplow_own": SNOWPLOW,
    "posthog_browser": [
        "Page Viewed",
        "Product Viewed",
        "Identified",
        *NUMBERED,
        "Order Completed",
    ],
    "plausible": ["Page Viewed", "Product Added", "Order Completed"],
    "plausible_old": ["Page Viewed", "Product Added"],
}
ON_LEAVING = {"posthog_browser": ["$pageleave"], "plausible": ["engagement"]}
NODES = {
    "segment_node": [*MANY, "Identified"],
    "posthog_node": [*MANY, "Aliased"],
    "umami_node": ["Page Viewed", "Product Added", "Identified"],
    "matomo_node": ["Page Viewed", "Colour Chosen", "Products Searched", "Order Completed"],
}
PYTHONS = {
    "segment_python": [*MANY, "Identified"],
    "rudderstack_python": [*MANY, "Identified"],
    "posthog_python": [*MANY, "Aliased"],
    "snowplow_python": 2 * ["Page Viewed", "Colour Chosen", "Product Added"],
}
KEYS = {
    "plausible": ["plausible.example"],
    "plausible_old": ["plausible-old.example"],
    "snowplow_python": ["wk_snowplow_python_get", "wk_snowplow_python_post"],
}


@dataclass
class Line:
    """A collector that knows every SDK's key, and the broker behind it."""

    collector: CollectorProcess
    bootstrap_servers: str

    async def arrived(self, topic: str) -> dict[str, list[Any]]:
        """Give what stands in a topic, by site."""
        found = defaultdict(list)
        for _, value in await read(self.bootstrap_servers, topic):
            row = json.loads(value)
            found[row["site"]].append(row)
        return found

    async def rows(self, site: str, expected: int) -> list[Any]:
        """Give what arrived for a site, once that much is there and no more comes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len((await self.arrived(RAW.name))[site]) < expected:  # noqa: ASYNC110 - a broker
                await asyncio.sleep(0.2)
        await asyncio.sleep(0.5)
        return (await self.arrived(RAW.name))[site]

    async def hold(self, site: str, expected: list[str]) -> list[Any]:
        """Hold what arrived against the names that were sent; give it."""
        rows = await self.rows(site, len(expected))
        assert sorted(expected) == sorted(row["name"] for row in rows)
        assert len(rows) == len({row["touchpoint_id"] for row in rows})
        commerce = [read_commerce(row["name"], encode(row["properties"])) for row in rows]
        ordered = {"o-1": 239.8} if "Order Completed" in expected else {}
        assert ordered == {each.order_id: each.value for each in commerce if each.order_id}
        assert [] == (await self.arrived(DEAD_LETTERS.name))[site]
        return rows


def sites() -> dict[str, str]:
    """Give each SDK a site of its own."""
    names = [*BROWSERS, *NODES, *PYTHONS]
    return {key: name for name in names for key in KEYS.get(name, [f"wk_{name}"])}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def line(kafka: KafkaCluster) -> AsyncIterator[Line]:
    await make_topics(kafka.bootstrap_servers)
    keys = json.dumps(sites())
    async with collector(kafka.bootstrap_servers, write_keys=keys) as process:
        await process.until_ready()
        yield Line(process, kafka.bootstrap_servers)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def npm() -> Path:
    return await npm_folder()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def python() -> Path:
    return await python_of_pypi()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(npm: Path) -> AsyncIterator[str]:
    """Serve the pages, and the SDKs under `/npm`; give the address."""

    async def page(request: web.Request) -> web.FileResponse:
        sdk = request.match_info["sdk"]
        own = SDKS / f"{sdk}.html"
        return web.FileResponse(own if own.exists() else SDKS / f"{sdk.partition('_')[0]}.html")

    async def package(request: web.Request) -> web.FileResponse:
        file = npm / "node_modules" / request.match_info["path"]
        return web.FileResponse(file if file.suffix else file.with_suffix(".js"))

    app = web.Application()
    app.add_routes([web.get("/npm/{path:.+}", package), web.get("/{sdk}/products/chair", page)])
    runner = web.AppRunner(app)
    await runner.setup()
    [port] = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://localhost:{port}"
    await runner.cleanup()


@pytest.mark.parametrize("sdk", BROWSERS)
async def test_what_the_browser_sdk_sends_arrives_once(
    sdk: str, line: Line, shop: str, chromium: Browser
) -> None:
    url = line.collector.url
    told = f"window.COLLECTOR = {url!r}; window.HOST = COLLECTOR.slice(7);"
    async with visitor(chromium, script=told) as page:
        await page.goto(f"{shop}/{sdk}/products/chair?utm_source=newsletter")
        await line.hold(sdk, BROWSERS[sdk])
        await page.close()
        rows = await line.hold(sdk, BROWSERS[sdk] + ON_LEAVING.get(sdk, []))
    assert 1 == len({row["anonymous_id"] for row in rows})
    assert {f"/{sdk}/products/chair"} == {urlsplit(row["url"]).path for row in rows}


@pytest.mark.parametrize("sdk", NODES)
async def test_what_the_node_sdk_sends_arrives_once(sdk: str, line: Line, npm: Path) -> None:
    script = shutil.copy(SDKS / f"{sdk}.mjs", npm)
    await run("node", Path(script), line.collector.url)
    await line.hold(sdk, NODES[sdk])


@pytest.mark.parametrize("sdk", PYTHONS)
async def test_what_the_python_sdk_sends_arrives_once(sdk: str, line: Line, python: Path) -> None:
    await run(str(python), SDKS / f"{sdk}.py", line.collector.url)
    await line.hold(sdk, PYTHONS[sdk])
