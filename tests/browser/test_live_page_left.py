"""What the live page does while nobody looks at it, and when its link ends meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta

from playwright.async_api import Browser, Page

from tests.support.database import track_fully
from tests.support.engine import EngineServer
from tests.support.live import serving, simulated, token_for
from tests.support.stories import library

_WAIT_MS = 60_000


async def _show(page: Page, *, is_hidden: bool) -> None:
    """Let the page believe that its tab went to the background, or came back."""
    told = str(is_hidden).lower()
    await page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{ value: {told}, configurable: true }});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )


async def _streams_of(page: Page, state: int) -> None:
    """Wait until the newest stream of the page is in `state`: 0 opening, 1 open, 2 closed."""
    await _until(page, f"streams.at(-1)?.readyState === {state}")


async def _until(page: Page, told: str) -> None:
    """Wait until the page says so; its policy forbids what playwright waits with."""
    async with asyncio.timeout(60):
        while not await page.evaluate(told):  # noqa: ASYNC110 - the page tells nobody
            await asyncio.sleep(0.05)


_KEEP_STREAMS = """
window.streams = [];
window.EventSource = class extends EventSource {
  constructor(...given) { super(...given); streams.push(this); }
};
"""


async def test_a_hidden_tab_lets_its_stream_go_after_a_minute_and_asks_again_when_seen(
    chromium: Browser, engine: EngineServer
) -> None:
    with library(engine) as client:
        now = datetime.now(UTC)
        track_fully(client, simulated(3, now - timedelta(minutes=9), now))
        async with serving(client, journey_models=["lifecycle"]) as live:
            context = await chromium.new_context(locale="en-GB")
            page = await context.new_page()
            await page.clock.install()
            await page.add_init_script(_KEEP_STREAMS)
            await page.goto(f"{live.url}/?token={token_for()}")
            await _streams_of(page, 1)
            await _show(page, is_hidden=True)
            await page.clock.fast_forward(30_000)
            await _streams_of(page, 1)  # a glance at another tab costs nothing
            await _show(page, is_hidden=False)
            await page.clock.fast_forward(40_000)
            assert await page.evaluate("streams.length") == 1
            await _show(page, is_hidden=True)
            await page.clock.fast_forward(61_000)
            await _streams_of(page, 2)
            await page.clock.fast_forward(8 * 3_600_000)  # the laptop sleeps over night
            assert await page.evaluate("streams.length") == 1
            await _show(page, is_hidden=False)
            await _until(page, "streams.length === 2")
            await _streams_of(page, 1)
            await context.close()


async def test_a_link_that_ends_while_the_page_is_open_says_what_to_do(
    chromium: Browser, engine: EngineServer
) -> None:
    with library(engine) as client:
        now, ahead = datetime.now(UTC), [timedelta()]
        track_fully(client, simulated(3, now - timedelta(minutes=9), now))
        async with serving(
            client, lambda: datetime.now(UTC) + ahead[0], journey_models=["lifecycle"]
        ) as live:
            for path in ("/", "/?view=people&of=phase&what=awareness"):
                ahead[0] = timedelta()
                context = await chromium.new_context(locale="en-GB")
                page = await context.new_page()
                await page.add_init_script(_KEEP_STREAMS)
                await page.goto(f"{live.url}/?token={token_for()}")
                await page.goto(live.url + path)
                await _streams_of(page, 1)
                ahead[0] = timedelta(hours=2)
                await page.wait_for_selector("text=This page needs a link", timeout=_WAIT_MS)
                await page.wait_for_selector("section", state="detached")
                answer = await page.request.get(f"{live.url}/api/funnel.csv")
                assert answer.status == 401
                assert "touchstream live --link" in await answer.text()
                await context.close()
