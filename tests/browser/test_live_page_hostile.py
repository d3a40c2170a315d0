"""The live page before what anybody may send: nothing runs, nothing overflows, no cell computes."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import pytest_asyncio
from clickhouse_connect.driver.client import Client
from playwright.async_api import Browser, Page

from tests.browser.stage import Stage
from tests.browser.test_live_page import opened
from tests.support.collector import WRITE_KEY
from tests.support.engine import EngineServer
from tests.support.live import Serving, serving, token_for
from tests.support.stories import library, write

SCRIPT = "<script>document.title='hacked'</script>"
IMAGE = "<img src=x onerror=document.title='hacked'>"
BACKWARDS = "\u202egpj.exe\u2066 \u0627\u0644\u0639\u0631\u0628\u064a\u0629"
LONG = "W" * 2_000
ESCAPES = "\x1b[2J\x1b[31mred"
FORMULA = "=HYPERLINK(1)"
HOSTILE = (SCRIPT, IMAGE, BACKWARDS, LONG, ESCAPES, FORMULA, "+1", "-1+1", "@SUM(A1)", "\ttab")
MANY = 10_000


def _fill(client: Client, now: datetime) -> None:
    at = {"occurred_at": now - timedelta(minutes=1), "received_at": now - timedelta(minutes=1)}
    seen = [
        {"touchpoint_id": f"t{place}", "visitor_id": "v", "name": text, "channel": "shop"}
        | {"path": text, "properties": json.dumps({"name": text}), "source": text, "campaign": text}
        | {"session_id": "s", "device": text, "currency": text, "revenue": 1}
        | at
        for place, text in enumerate(HOSTILE)
    ]
    write(client, "touchpoints", *seen)
    visit = {"session_id": "s", "visitor_id": "v", "person_id": "p", "channel": "shop"}
    times = {"started_at": at["occurred_at"], "ended_at": at["occurred_at"]}
    entry = {"entry_path": IMAGE, "source": LONG, "campaign": SCRIPT, "first_touchpoint_id": "t0"}
    write(client, "sessions", visit | times | entry | {"touchpoints": len(HOSTILE)})
    letters = [
        {"dead_letter_id": f"d{place}", "at": now - timedelta(seconds=30), "stage": "collect"}
        | {"reason": "invalid_field", "detail": text, "payload": text, "encoding": "utf-8"}
        for place, text in zip(range(MANY), HOSTILE * MANY, strict=False)
    ]
    write(client, "dead_letters", *letters)


async def _send(stage: Stage) -> None:
    batch: list[Any] = [
        {"type": "track", "event": text[:128], "anonymousId": text[:128], "messageId": text[:100]}
        | {"properties": {"path": text}, "context": {"page": {"url": f"https://x/{text}"}}}
        for text in HOSTILE
    ]
    batch += [{"type": text, "anonymousId": "a", "event": text} for text in HOSTILE]
    headers = {"Origin": f"https://{'o' * 180}.example"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for key in (WRITE_KEY, SCRIPT, LONG):
            auth = {"Authorization": aiohttp.encode_basic_auth(key)}
            url = f"{stage.url}/v1/batch"
            async with session.post(url, json={"batch": batch}, headers=auth):
                pass
        async with session.get(f"{stage.url}/{quote(SCRIPT + LONG)}"):
            pass


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def live(stage: Stage, engine: EngineServer) -> AsyncIterator[Serving]:
    await _send(stage)
    with library(engine) as client:
        _fill(client, datetime.now(UTC))
        async with serving(client, public_url=stage.url, journey_models=["lifecycle"]) as page:
            yield page


async def _is_harmless(page: Page, width: int) -> None:
    assert await page.title() == "Touchstream: shop"
    assert await page.locator("#main script, #main img").count() == 0
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


@pytest.mark.parametrize(("width", "locale"), [(1440, "de-DE"), (320, "en-GB")])
async def test_nothing_runs_and_nothing_overflows(
    width: int, locale: str, chromium: Browser, live: Serving
) -> None:
    look: Any = {"viewport": {"width": width, "height": 900}, "locale": locale}
    async with opened(chromium, live, **look) as page:
        for tab in ("all", "late", "refused", "requests"):
            await page.click(f"[data-tab={tab}]")
            if tab != "late":
                await page.locator("#feed tbody tr button").nth(0).wait_for()
                for row in range(await page.locator("#feed tbody tr button").count()):
                    await page.locator("#feed tbody tr button").nth(row).click()
                    await _is_harmless(page, width)
                    await page.locator("#feed tbody tr button[aria-expanded=true]").click()
        await page.click("[data-tab=refused]")
        await page.locator("#feed tbody tr button").nth(0).click()
        alike = "10.000 dieser Art" if locale == "de-DE" else "10,000 of this kind"
        assert alike in await page.inner_text("#feed .open")
    async with opened(chromium, live, "/?view=person&person=p", **look) as page:
        await page.wait_for_selector("section:has(#h-all) tbody tr")
        await _is_harmless(page, width)


async def test_no_cell_of_a_file_is_a_formula(live: Serving) -> None:
    panels = ("arrived", "refused", "requests", "traffic", "person", "people", "weak")
    for panel in panels:
        asked = {"person": "p", "of": "page", "what": IMAGE}
        async with live.session.get(f"{live.url}/api/{panel}.csv", params=asked) as answer:
            assert answer.status == 200, panel
            table = list(csv.reader(io.StringIO(await answer.text(), newline="")))
        cells = [cell for row in table[1:] for cell in row if not _is_number(cell)]
        assert [cell for cell in cells if cell[:1] in {*"=+-@\t\r\n"} and cell] == [], panel


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()


@pytest.mark.parametrize("site", ["nope", SCRIPT, LONG, "../etc", "%00", "a\u202eb"])
async def test_an_unknown_site_is_told_in_words(
    site: str, chromium: Browser, live: Serving
) -> None:
    context = await chromium.new_context(locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{live.url}/?token={token_for()}")
    await page.goto(f"{live.url}/?site={quote(site)}")
    words = "Nothing has arrived from nope yet" if site == "nope" else "This address says nothing"
    await page.wait_for_selector(f"text={words}")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "hacked" not in await page.title()
    await context.close()
