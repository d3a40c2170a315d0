"""Whatever the network does: every touchpoint is there, and once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page

from tests.browser.stage import (
    PURCHASE,
    Stage,
    begin_checkout,
    names_of,
    order,
    put_into_the_cart,
    said_by,
)
from tests.support.browser import visitor
from tests.support.shop import open_shop

# Lost on the way there, taken but the answer lost on the way back, taken but told it was not.
_WAYS_TO_FAIL = ("request", "answer", "unavailable")

_BUSY_SECONDS = 1
"""A request of a page that is gone would be cancelled sooner, if it were cancelled."""


async def test_with_every_fifth_request_failing_each_touchpoint_of_a_purchase_is_there_once(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url, endpoint="/collect") as shop, visitor(chromium) as page:
        shop.failures = {
            5 * number + 1: _WAYS_TO_FAIL[number % len(_WAYS_TO_FAIL)] for number in range(20)
        }
        await page.goto(shop.url)
        await put_into_the_cart(page)
        await begin_checkout(page)
        await order(page)
        await page.goto(f"{shop.url}/app.html")
        views = 1
        while shop.failed < len(_WAYS_TO_FAIL):
            await page.click("#forward")
            await page.wait_for_timeout(300)
            views += 1
        expected = ["Page Viewed", "Product List Viewed", *PURCHASE, *["Page Viewed"] * views]
        await stage.touchpoints(shop, expected)
    found = await stage.settled(shop)
    assert expected == names_of(found)
    assert len(found) == len({row["touchpoint_id"] for row in found})
    assert [] == await stage.line.differences(stage.client)


async def test_two_tabs_that_are_offline_lose_nothing_of_each_other(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(f"{shop.url}/app.html")
        other = await page.context.new_page()
        await other.goto(f"{shop.url}/app.html")
        await stage.touchpoints(shop, ["Page Viewed"] * 2)
        await page.context.set_offline(True)
        for tab in (page, other, page, other):
            await tab.click("#forward")
        await page.context.set_offline(False)
        await stage.touchpoints(shop, ["Page Viewed"] * 6)
    found = await stage.settled(shop)
    assert ["Page Viewed"] * 6 == names_of(found)
    assert 1 == len({row["visitor_id"] for row in found})


async def test_much_at_once_is_sent_in_requests_that_outlive_a_page(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        sizes: list[int] = []
        page.on("request", lambda request: sizes.append(len(request.post_data_buffer or b"")))
        await page.goto(f"{shop.url}/app.html")
        long = "{ text: 'ä'.repeat(2000) }"
        await page.evaluate(
            f"for (let n = 0; n < 50; n++) touchstream.track('Review Read', {long})"
        )
        expected = ["Page Viewed", *["Review Read"] * 50]
        found = await stage.touchpoints(shop, expected)
    assert expected == names_of(found)
    assert 50_000 < max(sizes) < 64 * 1024


async def test_what_happened_offline_is_sent_as_soon_as_the_browser_is_online(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(f"{shop.url}/app.html")
        await stage.touchpoints(shop, ["Page Viewed"])
        await page.context.set_offline(True)
        for _ in range(3):
            await page.click("#forward")
        await page.wait_for_timeout(1500)
        assert ["Page Viewed"] == names_of(await stage.settled(shop))
        await page.context.set_offline(False)
        found = await stage.touchpoints(shop, ["Page Viewed"] * 4)
    assert ["/app.html", "/chairs/1", "/chairs/2", "/chairs/3"] == [
        row["path"] for row in found if row["name"] == "Page Viewed"
    ]


async def test_what_a_page_took_to_its_grave_offline_is_sent_by_the_next_page(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(f"{shop.url}/app.html")
        await page.wait_for_function("localStorage.ts_id")
        await page.context.set_offline(True)
        await page.click("#forward")
        await page.close()
        later = await page.context.new_page()
        await page.context.set_offline(False)
        await later.goto(f"{shop.url}/cart.html")
        expected = ["Page Viewed", "Page Viewed", "Page Viewed", "Cart Viewed"]
        found = await stage.touchpoints(shop, expected)
    assert expected == names_of(found)
    assert 1 == len({row["visitor_id"] for row in found})


@pytest.mark.parametrize(
    "leave", [Page.close, lambda page: page.goto("about:blank")], ids=["closed", "left"]
)
async def test_a_page_that_goes_away_while_the_collector_is_busy_loses_nothing(
    chromium: Browser, stage: Stage, leave: Callable[[Page], Awaitable[object]]
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(f"{shop.url}/app.html")
        await stage.touchpoints(shop, ["Page Viewed"])
        with stage.collector.held():
            for _ in range(3):
                await page.click("#forward")
            await leave(page)
            await asyncio.sleep(_BUSY_SECONDS)
        found = await stage.touchpoints(shop, ["Page Viewed"] * 4)
    assert ["/app.html", "/chairs/1", "/chairs/2", "/chairs/3"] == [
        row["path"] for row in found if row["name"] == "Page Viewed"
    ]


async def test_a_touchpoint_says_what_was_told_then_and_what_is_no_json_harms_nobody(
    chromium: Browser, stage: Stage
) -> None:
    told = """() => {
        const cart = { items: 1 };
        cart.self = cart;
        touchstream.track("Cart Shared", cart);
        delete cart.self;
        touchstream.track("Cart Viewed", cart);
        cart.items = 2;
    }"""
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(f"{shop.url}/app.html")
        await page.evaluate(told)
        expected = ["Page Viewed", "Cart Viewed"]
        found = await stage.touchpoints(shop, expected)
    assert expected == names_of(found)
    assert [{"items": 1}] == said_by(found, "Cart Viewed")


async def test_without_an_answer_two_hundred_wait_and_the_oldest_go(
    chromium: Browser, stage: Stage
) -> None:
    async with (
        open_shop(stage.url, endpoint="http://127.0.0.1:9/") as shop,
        visitor(chromium) as page,
    ):
        await page.goto(f"{shop.url}/app.html")
        await page.wait_for_function("localStorage.ts_queue")
        await page.evaluate("for (let n = 0; n < 250; n++) touchstream.track('Chair ' + n)")
        waiting = await page.evaluate("JSON.parse(localStorage.ts_queue).map(call => call.event)")
    assert [f"Chair {number}" for number in range(50, 250)] == waiting
