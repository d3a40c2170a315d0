"""Many windows of one browser on the live page: it has six connections for all of them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from clickhouse_connect.driver.client import Client
from playwright.async_api import Browser, Page

from tests.support.database import track_fully
from tests.support.engine import EngineServer
from tests.support.live import Serving, serving, simulated, token_for
from tests.support.stories import NOON, library, seen, visit

WINDOWS = 9
WAIT_MS = 30_000
FIRST_STEP = ".fr .big"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(engine: EngineServer) -> AsyncIterator[tuple[Serving, Client]]:
    with library(engine) as client:
        now = datetime.now(UTC)
        track_fully(client, simulated(20, now - timedelta(minutes=50), now))
        async with serving(client, journey_models=["lifecycle"]) as live:
            yield live, client


async def changed(page: Page, before: str) -> None:
    await page.wait_for_function(
        "([where, before]) => document.querySelector(where).innerText !== before",
        arg=[FIRST_STEP, before],
        timeout=WAIT_MS,
    )


async def test_each_of_many_windows_opens_and_is_kept_up_to_date(
    chromium: Browser, shop: tuple[Serving, Client]
) -> None:
    live, client = shop
    context = await chromium.new_context()
    try:
        pages = []
        for _ in range(WINDOWS):
            pages.append(await context.new_page())
            await pages[-1].goto(f"{live.url}/?token={token_for()}", timeout=WAIT_MS)
            await pages[-1].wait_for_selector(FIRST_STEP, timeout=WAIT_MS)
        before = await pages[0].inner_text(FIRST_STEP)
        minutes = (datetime.now(UTC) - NOON) / timedelta(minutes=1)
        visit(client, "somebody", seen(minutes, "Page Viewed"), seen(minutes, "Product Viewed"))
        for page in pages:
            await changed(page, before)
    finally:
        await context.close()
