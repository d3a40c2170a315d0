"""The debug view: what was sent in the last minutes, what became of it, and why."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest_asyncio
from playwright.async_api import Browser, Route
from pydantic import SecretStr

from pipeline.signed.passes import Pass, issue
from tests.browser.stage import Stage
from tests.support.collector import WRITE_KEY
from tests.support.live import Serving, serving, token_for

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CRAWLER = {"context": {"userAgent": BOT}, "anonymousId": "crawler"}
NOW = datetime.now(UTC)


def viewed(name: str, **more: Any) -> dict[str, Any]:
    call = {"type": "track", "event": name, "anonymousId": "dev", "messageId": f"debug-{name}"}
    return call | more


SENT = [
    (WRITE_KEY, [viewed("Good")]),
    (WRITE_KEY, [viewed("Good")]),
    (WRITE_KEY, [viewed("Crawled", **CRAWLER)]),
    (WRITE_KEY, [viewed("Old", timestamp=(NOW - timedelta(days=2)).isoformat())]),
    (WRITE_KEY, [viewed("Of two", messageId="debug-of-two")]),
    (WRITE_KEY, [viewed("Of another", messageId="debug-of-two", **CRAWLER)]),
    (WRITE_KEY, [viewed("Mixed"), {"type": "track", "anonymousId": "dev"}]),
    (WRITE_KEY, [viewed("Outdated", timestamp="2001-01-01T00:00:00Z")]),
    ("wk_wrong", [viewed("Lost")]),
]
WHY = ("The write key is unknown", "The time is too far in the past or the future")
BECAME = {
    "Good": "counted",
    "Crawled": "bot",
    "Old": "late",
    "Mixed": "counted",
    "Of two": "counted",
    "Of another": "bot",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def live(stage: Stage) -> AsyncIterator[Serving]:
    """The live page, after all of it was sent."""
    async with aiohttp.ClientSession() as session:
        for key, batch in SENT:
            body, auth = {"batch": batch, "sentAt": NOW.isoformat()}, aiohttp.encode_basic_auth(key)
            headers = {"Authorization": auth}
            async with session.post(f"{stage.url}/v1/batch", json=body, headers=headers):
                pass
    async with serving(stage.client, public_url=stage.url) as page:
        yield page


async def judged(live: Serving) -> list[dict[str, Any]]:
    """Wait until the tables have judged what was taken; give the requests, the oldest first."""
    until = time.monotonic() + 30
    while True:
        status, said = await live.get("/api/requests", site="shop")
        assert status == 200, said
        batches = [each for each in said["requests"] if each["path"] == "/v1/batch"]
        mine = batches[: len(SENT)]  # the newest come first; other tests have sent before
        seen = [touchpoint for each in mine for touchpoint in each["touchpoints"]]
        if all(touchpoint["became"] for touchpoint in seen) or time.monotonic() > until:
            return mine[::-1]
        await asyncio.sleep(0.2)


async def test_what_became_of_all_that_was_sent_is_told_with_the_reason(live: Serving) -> None:
    told = [
        (each["outcome"], each["error"] or [refused["error"] for refused in each["refused"]])
        for each in await judged(live)
    ]
    assert told == [
        *[("taken", [])] * 6,
        ("partly", ["missing_field"]),
        ("refused", ["time_out_of_range"]),
        ("turned_away", "unknown_write_key"),
    ]


async def test_each_touchpoint_says_how_it_stands_in_the_tables(live: Serving) -> None:
    seen = [touchpoint for each in await judged(live) for touchpoint in each["touchpoints"]]
    assert {each["name"]: each["became"] for each in seen} == BECAME
    notes = [(each["name"], each["notes"]) for each in seen]
    assert notes == [
        *[("Good", []), ("Good", ["repeated"]), ("Crawled", ["bot"]), ("Old", ["late"])],
        *[("Of two", []), ("Of another", ["bot"]), ("Mixed", [])],
    ]


async def test_a_pass_of_one_site_shows_nothing_of_nobody_and_of_no_other(live: Serving) -> None:
    _, mine = await live.get("/api/requests", token_for("shop"))
    assert "unknown_write_key" not in {each["error"] for each in mine["requests"]}
    assert mine["requests"]
    _, theirs = await live.get("/api/requests", token_for("other"))
    assert (theirs["site"], theirs["requests"]) == ("other", [])
    status, _ = await live.get("/api/requests", token_for("other"), site="shop")
    assert status == 403


async def test_a_collector_that_has_other_keys_or_is_not_there_is_named(stage: Stage) -> None:
    others = [SecretStr("o" * 40)]
    token = issue(Pass((), int(time.time()) + 60), ["o" * 40])
    for url, keys in ((stage.url, others), ("http://127.0.0.1:9", others)):
        async with serving(stage.client, public_url=url, live_keys=keys) as live:
            status, said = await live.get("/api/requests", token, site="shop")
        assert (status, said["error"]) == (503, "no_collector")
        assert url in said["detail"]


async def test_the_page_shows_it_request_by_request(chromium: Browser, live: Serving) -> None:
    await judged(live)
    page = await chromium.new_page(locale="en-GB")
    await page.goto(f"{live.url}/?token={token_for()}&site=shop")
    await page.click("[data-tab=requests]")
    rows = page.locator(".rq tbody tr")
    await rows.first.wait_for()
    shown = " ".join(await rows.all_inner_texts())
    for text in (*WHY, "1 taken, A field is missing", "Old"):
        assert text in shown, shown
    await page.click(".rq button:has-text('Mixed')")
    opened = await page.inner_text(".rq .open")
    assert "a track call names its `event`" in opened
    assert "counted" in opened
    await page.close()


async def test_an_answer_slower_than_the_pace_of_asking_is_shown(
    chromium: Browser, live: Serving
) -> None:
    async def slowly(route: Route) -> None:
        await asyncio.sleep(4)
        await route.continue_()

    await judged(live)
    page = await chromium.new_page(locale="en-GB")
    await page.route("**/api/requests*", slowly)
    await page.goto(f"{live.url}/?token={token_for()}&site=shop")
    await page.click("[data-tab=requests]")
    await page.locator(".rq tbody tr").first.wait_for()
    await page.unroute_all(behavior="ignoreErrors")
    await page.close()
