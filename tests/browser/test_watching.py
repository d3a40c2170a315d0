"""What the beacon notices by itself."""

from playwright.async_api import Browser

from tests.browser.stage import Stage, names_of, said_by
from tests.support.browser import visitor
from tests.support.shop import open_shop


async def test_searches_downloads_and_links_that_lead_away_are_noticed(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(shop.url)
        await page.fill("[name=q]", "oak chair")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**q=oak+chair")
        await page.wait_for_function("Boolean(touchstream.track)")
        await page.click("#catalogue")
        await page.click("#review")
        expected = [
            *("Page Viewed", "Product List Viewed"),
            *("Page Viewed", "Products Searched", "Product List Viewed"),
            *("File Downloaded", "Link Clicked"),
        ]
        found = await stage.touchpoints(shop, expected)
    assert expected == names_of(found)
    assert [{"query": "oak chair"}] == said_by(found, "Products Searched")
    file = {"href": f"{shop.url}/catalogue.pdf", "extension": "pdf"}
    assert [file] == said_by(found, "File Downloaded")
    assert [{"href": "https://reviews.invalid/chair-shop"}] == said_by(found, "Link Clicked")


async def test_errors_and_slow_answers_are_noticed(chromium: Browser, stage: Stage) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(f"{shop.url}/app.html")
        await page.wait_for_function("Boolean(touchstream.track)")
        await page.click("#fail")
        await page.click("#fail")
        await page.click("#slow")
        await page.wait_for_timeout(200)
        await page.goto(f"{shop.url}/cart.html")
        expected = ["Page Viewed", "Script Error", "Page Viewed", "Cart Viewed"]
        found = await stage.touchpoints(shop, expected)
    assert expected == names_of(found)
    [error] = said_by(found, "Script Error")
    [slow] = said_by(found, "Page Slow")
    assert ("Uncaught Error: no such chair", f"{shop.url}/app.html") == (
        error["message"],
        error["source"],
    )
    assert slow["inp_ms"] >= 700


async def test_attention_counts_only_while_the_page_is_seen_and_used(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.clock.install()
        await page.goto(f"{shop.url}/app.html")
        await page.wait_for_function("Boolean(touchstream.track)")
        await page.clock.fast_forward(5_000)
        await page.mouse.move(10, 10)
        await page.clock.fast_forward(120_000)  # away: 15 seconds of it count
        await page.mouse.move(20, 20)
        await page.clock.fast_forward(10_000)
        await page.mouse.move(30, 30)
        await page.click("#forward")
        await page.clock.run_for(2_000)
        found = await stage.touchpoints(shop, ["Page Viewed", "Page Viewed"])
    [engaged] = said_by(found, "Page Engaged")
    assert 30 <= engaged["engaged_seconds"] <= 33
    assert 100 == engaged["scroll_percent"]
