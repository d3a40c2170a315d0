"""The live page as people have it in front of them: read, keyed, listened to, on any screen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from clickhouse_connect.driver.client import Client
from playwright.async_api import Browser, Page

from tests.support.database import track_fully
from tests.support.engine import EngineServer
from tests.support.live import Serving, once, serving, simulated, token_for
from tests.support.sdks import npm_folder
from tests.support.stories import library, write

AXE = Path(__file__).parent / "axe"
HOSTILE = "<img src=x onerror=document.title='hacked'><script>document.title='hacked'</script>"
PANELS_WAIT_MS = 90_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(engine: EngineServer) -> AsyncIterator[tuple[Serving, Client]]:
    with library(engine) as client:
        now = datetime.now(UTC)
        track_fully(client, simulated(80, now - timedelta(minutes=50), now))
        write(client, "alerts", _alert(now))
        zones = {"shop": "Europe/Berlin"}
        async with serving(client, journey_models=["lifecycle"], site_time_zones=zones) as live:
            yield live, client


def _alert(now: datetime) -> dict[str, Any]:
    since = now - timedelta(minutes=20)
    steps = {"step": "Checkout Started", "next_step": "Order Completed", "state": "firing"}
    sizes = {"observed": 3, "expected": 9, "change": -0.6, "certainty": 0.999, "people": 6}
    times = {"opened_at": since, "since": since, "updated_at": now}
    money = {"money": 640, "currency": "EUR", "version": 1}
    return {"alert_id": "a", "kind": "conversion", **steps, **sizes, **times, **money}


@asynccontextmanager
async def opened(
    chromium: Browser, live: Serving, path: str = "/", **more: Any
) -> AsyncIterator[Page]:
    """Open the page by a link; errors in the console, and requests to others, fail the test."""
    context = await chromium.new_context(reduced_motion="reduce", **{"locale": "en-GB"} | more)
    page = await context.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda one: None if one.url.startswith(live.url) else wrong.append(one.url))
    try:
        await page.goto(f"{live.url}/?token={token_for()}")
        if path != "/":
            await page.goto(live.url + path)
        yield page
        assert wrong == []
    finally:
        await context.close()


async def complete(page: Page) -> None:
    """Wait until every part has its figures; those at the bottom come when somebody goes there."""
    await page.wait_for_selector("#main h1", state="attached", timeout=PANELS_WAIT_MS)
    await page.evaluate("scrollTo(0, document.body.scrollHeight)")
    await page.wait_for_selector(".loading", state="detached", timeout=PANELS_WAIT_MS)
    await page.evaluate("scrollTo(0, 0)")


async def found_by_axe(page: Page) -> list[str]:
    """Give what axe has against the page."""
    folder = await npm_folder(AXE)
    axe = (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()
    session = await page.context.new_cdp_session(page)  # the page's policy lets no script in
    await session.send("Runtime.evaluate", {"expression": axe})
    run = "axe.run().then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html)))"
    asked = {"expression": run, "awaitPromise": True, "returnByValue": True}
    said = await session.send("Runtime.evaluate", asked)
    violations: list[str] = said["result"]["value"]
    return violations


SIZES = [
    (1440, "light", "de-DE"),
    (768, "dark", "en-GB"),
    (320, "light", "en-GB"),
    (320, "dark", "de-DE"),
]


@pytest.mark.parametrize(("width", "scheme", "locale"), SIZES)
async def test_axe_finds_nothing_and_nothing_is_cut_off(
    width: int, scheme: str, locale: str, chromium: Browser, shop: tuple[Serving, Client]
) -> None:
    live, _ = shop
    size = {"width": width, "height": 900}
    _, found = await live.get("/api/people", of="orders")
    person = f"/?view=person&person={found['people'][0]['person_id']}"
    for path in ("/", "/?view=people&of=phase&what=purchase", person)[: 1 if width < 700 else 3]:
        look = {"viewport": size, "color_scheme": scheme, "locale": locale}
        async with opened(chromium, live, path, **look) as page:
            await complete(page)
            assert await found_by_axe(page) == [], path
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, path


async def test_it_says_what_the_api_says_in_the_language_of_the_reader(
    chromium: Browser, shop: tuple[Serving, Client]
) -> None:
    live, _ = shop
    async with opened(chromium, live, locale="de-DE") as page:
        await complete(page)
        shown = await page.locator(".fr .big").all_inner_texts()
        steps = await live.rows("funnel")
        assert [int(text.replace(".", "")) for text in shown] == [s["people"] for s in steps]
        assert "Wo verlieren wir sie?" in await page.inner_text("#h-f")
        assert "Kasse zu Bestellung ist um 60 % gefallen" in await page.inner_text("#alert h2")
        assert "640 €" in await page.inner_text("#alert")
        assert "Europe/Berlin" in await page.inner_text(".tz")
        await page.click("[aria-label^=Sprache]")
        assert "Where do we lose them?" in await page.inner_text("#h-f")


async def test_keys_lead_everywhere(chromium: Browser, shop: tuple[Serving, Client]) -> None:
    live, _ = shop
    async with opened(chromium, live) as page:
        await complete(page)
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("/")
        assert await page.evaluate("document.activeElement.getAttribute('aria-label')") == "Site"
        cells = await page.eval_on_selector_all(
            ".cell[data-place]", "all => all.map(one => one.dataset.place)"
        )
        first, second = next(pair for pair in pairwise(cells) if pair[0][0] == pair[1][0])
        await page.focus(f".cell[data-place='{first}']")
        await page.keyboard.press("ArrowRight")
        assert await page.evaluate("document.activeElement.dataset.place") == second
        await page.focus("#tab-source")
        await page.keyboard.press("ArrowRight")
        assert await page.get_attribute("#tab-page", "aria-selected") == "true"
        assert "traffic=page" in page.url
        await page.focus("body")
        await page.keyboard.press("p")
        assert await page.inner_text("button[aria-pressed=true]") == "Go on"


async def test_a_number_leads_to_the_people_behind_it_and_each_to_a_way_of_its_own(
    chromium: Browser, shop: tuple[Serving, Client]
) -> None:
    live, _ = shop
    async with opened(chromium, live) as page:
        await complete(page)
        bare = (
            "all => all.filter(each => /\\d/.test(each.textContent) && !each.closest('a')"
            " && !each.querySelector('a')).map(each => each.outerHTML)"
        )
        numbers = ".big, .pct, .cell b, .n100, .ab td b, .kp .v"
        assert await page.eval_on_selector_all(numbers, bare) == []
        people = await page.inner_text(".fr .big >> nth=3")
        await page.click(".fr .big >> nth=3")
        await page.wait_for_selector(".pe tbody tr")
        assert await page.locator(".pe tbody tr").count() == int(people)
        await page.click(".pe tbody a >> nth=0")
        await page.wait_for_selector(".tlw svg")
        async with page.expect_download() as coming:
            await page.click("section:has(#h-all) .csv")
        text = (await (await coming.value).path()).read_text()
        shown = await page.locator("section:has(#h-all) tbody tr").count()
        assert len(text.splitlines()) == shown + 1


async def test_every_table_is_a_file_too(chromium: Browser, shop: tuple[Serving, Client]) -> None:
    live, _ = shop
    _, found = await live.get("/api/people", of="orders")
    person = f"/?view=person&person={found['people'][0]['person_id']}"
    for path, least in (("/", 10), ("/?view=people&of=orders", 1), (person, 2)):
        async with opened(chromium, live, path) as page:
            await complete(page)
            files = await page.eval_on_selector_all("a.csv", "all => all.map(each => each.href)")
            assert len(files) >= least
            for file in files:
                answer = await page.request.get(file)
                assert answer.headers["content-type"].startswith("text/csv"), file


async def test_a_filter_stands_in_the_address_and_back_takes_it_away(
    chromium: Browser, shop: tuple[Serving, Client]
) -> None:
    live, _ = shop
    async with opened(chromium, live) as page:
        await complete(page)
        await page.select_option("select[aria-label=Channel]", "shop")
        await page.select_option("select[aria-label=Span]", "24h")
        assert page.url.endswith("?channel=shop&span=24h")
        await page.go_back()
        assert page.url.endswith("?channel=shop")
        assert await page.input_value("select[aria-label=Span]") == "1h"


async def test_an_own_span_is_chosen_by_the_clocks_of_the_site(
    chromium: Browser, shop: tuple[Serving, Client]
) -> None:
    live, _ = shop
    async with opened(chromium, live, timezone_id="America/New_York") as page:
        await complete(page)
        await page.select_option("select[aria-label=Span]", "own")
        assert "Europe/Berlin" in await page.inner_text("dialog")
        await page.fill("[name=from]", "2026-07-01T12:00")
        await page.fill("[name=to]", "2026-07-01T11:00")
        await page.wait_for_timeout(1_500)  # the page is drawn every second
        await page.click("dialog .p")
        assert await page.is_visible("dialog")  # it ends before it begins
        await page.fill("[name=to]", "2026-12-01T12:00")
        await page.click("dialog .p")
        assert "from=2026-07-01T10%3A00%3A00.000Z" in page.url
        assert "to=2026-12-01T11%3A00%3A00.000Z" in page.url


async def test_the_orders_say_of_how_many_people_they_are(
    chromium: Browser, engine: EngineServer
) -> None:
    with library(engine) as client:
        at = datetime.now(UTC) - timedelta(minutes=5)
        told = {"name": "Order Completed", "channel": "shop", "visitor_id": "v", "properties": "{}"}
        order: dict[str, Any] = {"order_event": "completed", "currency": "EUR", "revenue": 20}
        times = {"occurred_at": at, "received_at": at}
        for number in ("one", "two"):
            row = told | order | times | {"touchpoint_id": number, "order_id": number}
            await asyncio.to_thread(write, client, "touchpoints", row)
        async with serving(client, journey_models=["lifecycle"]) as live:
            for locale, words in (("en-GB", "1 person, 2 orders"), ("de-DE", "1 Person, 2 Best")):
                async with opened(chromium, live, locale=locale) as page:
                    await page.wait_for_selector(f"#main :text('{words}')", timeout=PANELS_WAIT_MS)


async def test_a_touchpoint_is_on_the_page_soon_and_its_script_runs_nowhere(
    chromium: Browser, shop: tuple[Serving, Client]
) -> None:
    live, client = shop
    async with opened(chromium, live) as page:
        await complete(page)
        await page.wait_for_timeout(1000)
        at = datetime.now(UTC)
        seen = {"type": "track", "name": f"Odd {HOSTILE}", "channel": "shop", "visitor_id": "odd"}
        times = {"touchpoint_id": "odd", "occurred_at": at, "received_at": at}
        said = '{"name": "<script>document.title=1</script>", "x": "\\u001b[2J"}'
        row = seen | times | {"properties": said, "path": HOSTILE}
        await asyncio.to_thread(write, client, "touchpoints", row)
        await page.wait_for_selector("text=Odd <img", timeout=PANELS_WAIT_MS)
        took = datetime.now(UTC) - at
        assert took < timedelta(seconds=2 + 2 * await once(live)), took
        await page.click("text=Odd <img")
        assert HOSTILE in await page.inner_text("#feed")
        assert "<script>document.title=1</script>" in await page.inner_text(".open")
        assert await page.title() == "Touchstream: shop"
        assert await page.locator("#main script, #main img").count() == 0


async def test_nothing_yet_teaches_and_turns_into_the_page(
    chromium: Browser, engine: EngineServer
) -> None:
    with library(engine) as client:
        keys = {"wk_new": "fresh"}
        async with serving(client, write_keys=keys) as live, opened(chromium, live) as page:
            await page.wait_for_selector("text=Nothing has arrived from fresh yet")
            assert 'data-key="wk_new"' in await page.inner_text("pre")
            assert await found_by_axe(page) == []
            at = datetime.now(UTC)
            row = {"site": "fresh", "type": "page", "name": "Page Viewed", "channel": "website"}
            row |= {"visitor_id": "v", "touchpoint_id": "t", "properties": "{}", "path": "/"}
            times = {"occurred_at": at, "received_at": at}
            await asyncio.to_thread(write, client, "touchpoints", row | times)
            await page.wait_for_selector("#h-f", timeout=PANELS_WAIT_MS)


async def test_who_may_not_look_is_told_what_to_do(
    chromium: Browser, shop: tuple[Serving, Client]
) -> None:
    live, _ = shop
    context = await chromium.new_context(locale="en-GB")
    page = await context.new_page()
    for token in ("wrong", token_for(life=timedelta(seconds=-1))):
        await page.goto(f"{live.url}/?token={token}")
        await page.wait_for_selector("text=This page needs a link")
        assert token not in page.url
    assert await found_by_axe(page) == []
    await page.goto(f"{live.url}/?token={token_for('outlet')}&site=shop")
    await page.wait_for_selector("text=This link shows outlet only")
    assert await found_by_axe(page) == []
    await context.close()
