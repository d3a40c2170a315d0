"""Headless Chromium as Debian installs it, driven by Playwright."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Playwright, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# The usual one says HeadlessChrome: a bot.
_USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36"
)
_PATIENCE_MS = 15_000


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser; tests open visitors of their own in it."""
    async with async_playwright() as playwright:
        browser = await launched(playwright)
        yield browser
        await browser.close()


async def launched(playwright: Playwright) -> Browser:
    """Start a browser; skip if there is none."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("no Chromium; on Debian: apt-get install chromium")
    # Not per context: what outlives a page would be sent with the usual one.
    named = [f"--user-agent={_USER_AGENT}"]
    return await playwright.chromium.launch(
        executable_path=path,
        chromium_sandbox=False,
        args=named,
        ignore_default_args=["--disable-back-forward-cache"],  # people's browsers have it
    )


@asynccontextmanager
async def visitor(chromium: Browser, *, script: str = "") -> AsyncIterator[Page]:
    """Open a tab of somebody who was never here; `script` runs before those of each page.

    In the end the tabs are closed, and no more: what a tab sends when it is closed goes on as long
    as the browser does, but closing the context cancels it, as closing a private window would.
    """
    context = await chromium.new_context(locale="de-DE")
    context.set_default_timeout(_PATIENCE_MS)
    if script:
        await context.add_init_script(script)
    try:
        yield await context.new_page()
    finally:
        for tab in context.pages:
            await tab.close()
