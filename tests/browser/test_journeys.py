"""From the first page to the order, over more than one channel: one visit, one journey."""

from collections.abc import Sequence
from datetime import timedelta

from playwright.async_api import Browser

from tests.browser.stage import (
    LEFT_KEY,
    LEFT_SITE,
    PURCHASE,
    Row,
    Stage,
    begin_checkout,
    names_of,
    order,
    put_into_the_cart,
    said_by,
)
from tests.support.browser import visitor
from tests.support.shop import open_shop

FUNNEL = ["Product Viewed", "Product Added", "Checkout Started", "Order Completed"]
NEWSLETTER = "/?utm_source=newsletter&utm_medium=email&utm_campaign=spring&ts_link=sub-7f3a"


async def test_a_reader_of_the_newsletter_buys_in_one_visit_and_passes_all_phases(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(shop.url + NEWSLETTER)
        assert "ts_link" not in page.url
        await put_into_the_cart(page)
        await begin_checkout(page)
        await order(page)
        await page.goto(shop.url)
        await page.fill("[name=address]", "ada@example.org")
        await page.click("text=Subscribe")
        await page.wait_for_url("**/thanks.html")
    expected = [
        *("Identified", "Page Viewed", "Product List Viewed"),
        *PURCHASE,
        *("Page Viewed", "Product List Viewed", "Form Started", "Form Submitted"),
        *("Page Viewed", "Newsletter Subscribed"),
    ]
    found = await stage.touchpoints(shop, expected)
    [session] = await stage.facts("person_sessions", found, "started_at")
    phases = await stage.phases(found)
    assert expected == names_of(found)
    assert [{"traits": {"subscriber_id": "sub-7f3a"}}] == said_by(found, "Identified")
    assert (1, 1) == (len({r["visitor_id"] for r in found}), len({r["person_id"] for r in found}))
    assert (len(found), FUNNEL, 1, 149) == tuple(
        session[name] for name in ("touchpoints", "steps", "orders_told", "revenue_told")
    )
    assert ("newsletter", "email", "spring") == tuple(
        session[f"utm_{name}"] for name in ("source", "medium", "campaign")
    )
    assert ["awareness", "consideration", "purchase", "loyalty"] == phases
    for typed in ("ada@example.org", "Lovelace", "Ockham"):
        assert typed not in str(found)


async def test_from_the_website_to_the_shop_it_is_the_same_visit_of_the_same_visitor(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(f"{shop.website}/story.html")
        await page.click("#shop")
        await page.wait_for_url(f"{shop.url}/")
        await put_into_the_cart(page)
        await begin_checkout(page)
        await order(page)
    expected = ["Page Viewed", "Page Viewed", "Product List Viewed", *PURCHASE]
    found = await stage.touchpoints(shop, expected)
    [session] = await stage.facts("person_sessions", found, "started_at")
    phases = await stage.phases(found)
    assert expected == names_of(found)
    assert {"www.localhost", "shop.localhost"} == {row["host"] for row in found}
    assert {"website", "shop"} == {row["channel"] for row in found}
    assert (len(found), "/story.html") == (session["touchpoints"], session["entry_path"])
    assert ["awareness", "consideration", "purchase"] == phases


async def test_a_tab_closed_in_mid_checkout_leaves_its_last_field_and_an_abandoned_checkout(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url, key=LEFT_KEY) as shop, visitor(chromium) as page:
        await page.goto(shop.url)
        await put_into_the_cart(page)
        await begin_checkout(page)
        await page.focus("[name=street]")
        await page.close()
        expected = ["Page Viewed", "Product List Viewed", *PURCHASE[:8], "Form Left"]
        found = await stage.touchpoints(shop, expected)
    await stage.let_pass(LEFT_SITE, timedelta(minutes=31))
    await stage.line.settle()
    abandoned = await stage.facts("person_abandonments", found, "abandoned_at")
    [left] = [each for each in abandoned if each["kind"] == "checkout"]
    assert expected == names_of(found)
    assert [{"form": "checkout", "field": "street"}] == said_by(found, "Form Left")
    assert ("checkout", "Checkout Started", "/checkout.html", 149, found[0]["session_id"]) == tuple(
        left[name] for name in ("kind", "step", "last_path", "value", "session_id")
    )


async def test_a_link_that_is_passed_on_names_nobody_after_two_minutes(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(shop.url)
        late, fresh = [
            await page.evaluate(
                "age => 'ts_id=somebody-else-0000.' + (Date.now() - age).toString(36)", age
            )
            for age in (121_000, 60_000)
        ]
        await page.goto(f"{shop.url}/cart.html?{late}")
        await page.goto(f"{shop.url}/cart.html?{fresh}")
    expected = [
        *("Page Viewed", "Product List Viewed", "Page Viewed", "Cart Viewed"),
        *("Aliased", "Page Viewed", "Cart Viewed"),
    ]
    found = await stage.touchpoints(shop, expected)
    assert expected == names_of(found)
    found = [row for row in found if row["name"] in expected]  # without a page that was slow
    before, after = found[0]["visitor_id"], found[-1]["visitor_id"]
    assert "somebody-else-0000" == after
    assert [before] * 4 + [after] * 3 == [row["visitor_id"] for row in found]
    assert [before] == [row["previous_id"] for row in found if row["name"] == "Aliased"]


async def test_a_page_that_changes_without_loading_is_viewed_each_time_and_once(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(f"{shop.url}/app.html")
        await page.click("#forward")
        await page.click("#forward")
        await page.go_back()
        await page.wait_for_function("document.title === 'Chair 1'")
    expected = ["Page Viewed"] * 4
    found = await stage.touchpoints(shop, expected)
    assert expected == names_of(found)
    assert [
        ("/app.html", "App", ""),
        ("/chairs/1", "Chair 1", f"{shop.url}/app.html"),
        ("/chairs/2", "Chair 2", f"{shop.url}/chairs/1"),
        ("/chairs/1", "Chair 1", f"{shop.url}/chairs/2"),
    ] == viewed(found)


def viewed(rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    """Give path, title and referrer of each page that was viewed."""
    return [
        (row["path"], row["title"], row["referrer"]) for row in rows if row["name"] == "Page Viewed"
    ]


PASSED = """() => {
    const go = (path, title) => { history.pushState({}, "", path); document.title = title; };
    go("/redirected", "Passed through");
    go("/chairs/7", "Chair 7");
    return Promise.resolve().then(() => go("/chairs/8?q=oak", "Chair 8"));
}"""


async def test_who_leaves_a_page_at_once_has_seen_it_and_a_redirection_is_not_seen(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(f"{shop.url}/app.html")
        await page.evaluate(PASSED)
        await page.goto(f"{shop.url}/cart.html")
    expected = [*["Page Viewed"] * 3, "Products Searched", "Page Viewed", "Cart Viewed"]
    found = await stage.touchpoints(shop, expected)
    assert expected == names_of(found)
    assert [
        ("/app.html", "App", ""),
        ("/chairs/7", "Chair 7", f"{shop.url}/app.html"),
        ("/chairs/8", "Chair 8", f"{shop.url}/chairs/7"),
    ] == viewed(found)[:3]


async def test_a_page_that_comes_back_out_of_the_browsers_memory_is_viewed_again(
    chromium: Browser, stage: Stage
) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(f"{shop.url}/cart.html")
        await page.goto(f"{shop.url}/product.html")
        await page.evaluate("history.back()")
        await page.wait_for_url("**/cart.html", wait_until="commit")
        # Its script does not run again: the cart is told once.
        expected = ["Page Viewed", "Cart Viewed", "Page Viewed", "Product Viewed", "Page Viewed"]
        found = await stage.touchpoints(shop, expected)
    assert expected == names_of(found)


async def test_the_module_of_a_bundle_sends_the_same(chromium: Browser, stage: Stage) -> None:
    async with open_shop(stage.url) as shop, visitor(chromium) as page:
        await page.goto(f"{shop.url}/module.html")
        await page.wait_for_function("localStorage.ts_id")
    expected = ["Page Viewed", "Product Viewed"]
    assert expected == names_of(await stage.touchpoints(shop, expected))
