"""Nothing is sent or stored that the visitor did not allow."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.browser.stage import Stage, names_of, put_into_the_cart, said_by
from tests.support.browser import visitor
from tests.support.shop import open_shop

_GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })"
_DNT = "Object.defineProperty(Navigator.prototype, 'doNotTrack', { get: () => '1' })"

_A_WHILE_MS = 1500
"""More than what is sent waits for company."""


def requests_of(page: Page) -> list[str]:
    """Give the list that all POSTs of `page` will be in."""
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    return sent


async def stored(page: Page) -> Any:
    return await page.evaluate("({ ...localStorage })")


async def test_refused_consent_sends_nothing_and_stores_nothing_but_the_choice(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url, consent="unknown") as shop, visitor(chromium) as page:
        sent = requests_of(page)
        await page.goto(shop.url)
        await page.evaluate("touchstream.push(['consent', { analytics: false, marketing: false }])")
        await put_into_the_cart(page)
        await page.wait_for_timeout(_A_WHILE_MS)
        kept = await stored(page)
    assert [] == sent
    assert {"ts_consent": '{"analytics":"denied","marketing":"denied"}'} == kept


async def test_consent_that_is_taken_back_removes_what_was_stored(
    chromium: Browser, stage: Stage
) -> None:
    nowhere = "http://127.0.0.1:9/"
    async with open_shop(stage.url, endpoint=nowhere) as shop, visitor(chromium) as page:
        await page.goto(shop.url)
        await page.wait_for_function("localStorage.ts_id && localStorage.ts_queue")
        await page.evaluate("touchstream.consent({ analytics: false })")
        kept = await stored(page)
    assert {"ts_consent": '{"analytics":"denied","marketing":"granted"}'} == kept


async def test_what_happened_before_consent_is_sent_when_it_is_given_and_says_what_was_allowed(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url, consent="unknown") as shop, visitor(chromium) as page:
        sent = requests_of(page)
        await page.goto(f"{shop.url}/?gclid=1&ts_link=sub-1")
        await page.wait_for_timeout(_A_WHILE_MS)
        assert ([], {}) == (sent, await stored(page))
        await page.evaluate("touchstream.consent({ analytics: true, marketing: false })")
        expected = ["Page Viewed", "Product List Viewed"]
        found = await stage.touchpoints(shop, expected)
    assert expected == names_of(found)
    assert {"categoryPreferences": {"analytics": True, "marketing": False}} == (
        found[0]["properties"]["context"]["consent"]
    )
    assert f"{shop.url}/" == found[0]["url"]


@pytest.mark.parametrize("signal", [_GPC, _DNT], ids=["GPC", "DNT"])
async def test_a_browser_that_asks_not_to_be_tracked_is_not(
    chromium: Browser, stage: Stage, signal: str
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium, script=signal) as page:
        sent = requests_of(page)
        await page.goto(shop.url)
        await put_into_the_cart(page)
        await page.wait_for_timeout(_A_WHILE_MS)
        assert ([], {}) == (sent, await stored(page))


@pytest.mark.parametrize(
    ("attributes", "choice", "expected"),
    [
        ({}, {"analytics": True}, ["Product Viewed"]),
        ({"signals": "ignore"}, {}, ["Page Viewed", "Product Viewed"]),
    ],
    ids=["the visitor chose otherwise", "the page says so"],
)
async def test_the_signal_is_not_the_last_word(
    chromium: Browser,
    stage: Stage,
    attributes: dict[str, str],
    choice: dict[str, bool],
    expected: list[str],
) -> None:
    async with open_shop(stage.url, **attributes) as shop, visitor(chromium, script=_GPC) as page:
        await page.goto(f"{shop.url}/app.html")
        await page.wait_for_function("Boolean(touchstream.track)")
        await page.evaluate("choice => touchstream.consent(choice)", choice)
        await page.evaluate("touchstream.track('Product Viewed')")
        found = await stage.touchpoints(shop, expected)
    assert expected == names_of(found)


async def test_without_cookies_nothing_is_stored_and_the_visit_is_one_all_the_same(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url, cookieless="") as shop, visitor(chromium) as page:
        await page.goto(shop.url)
        await page.wait_for_timeout(_A_WHILE_MS)
        await page.goto(f"{shop.url}/cart.html?ts_link=sub-1")
        expected = ["Page Viewed", "Product List Viewed", "Page Viewed", "Cart Viewed"]
        found = await stage.touchpoints(shop, expected)
        kept = await stored(page)
    assert expected == names_of(found)
    assert {} == kept
    assert 1 == len({(row["visitor_id"], row["session_id"]) for row in found})
    assert found[0]["visitor_id"].startswith("day-")
    assert [] == said_by(found, "Identified")
