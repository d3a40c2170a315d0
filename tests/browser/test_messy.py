"""What a page says wrong, and what the collector does not take: nothing else is lost by it."""

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route

from pipeline.collector.beacon.script import FILE
from tests.support.browser import visitor

SHOP = "https://shop.localhost/"
PAGE = (
    "<!doctype html><title>Shop</title><script>window.touchstream = {queued};{more}</script>"
    '<script src="/beacon.js" data-key="k" data-watch="errors" {attributes}></script>'
)


class Site:
    """A page with the beacon, and a collector that refuses a batch in which a `poison` is."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taken: list[dict[str, Any]] = []
        self.refused = 0
        self.errors: list[str] = []
        self.said: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.said.append(message.text))

    async def open(
        self, queued: str = "[]", attributes: str = "", path: str = "", more: str = ""
    ) -> None:
        text = PAGE.replace("{queued}", queued).replace("{attributes}", attributes)
        self.text = text.replace("{more}", more)
        await self.page.route("**/*", self.answer)
        await self.page.goto(SHOP + path)

    async def answer(self, route: Route) -> None:
        if route.request.method == "POST":
            batch = json.loads(route.request.post_data_buffer or b"")["batch"]
            if any(call.get("event") == "poison" for call in batch):
                self.refused += 1
                await route.fulfill(status=400, body='{"error":"invalid_field"}')
                return
            self.taken += batch
            await route.fulfill(status=200, body='{"success":true}')
        elif route.request.url.endswith("beacon.js"):
            await route.fulfill(body=FILE.read_text(), content_type="text/javascript")
        else:
            await route.fulfill(body=self.text, content_type="text/html; charset=utf-8")

    async def events(self, number: int) -> list[str]:
        """Wait for so many events; give their names, page views left out."""
        for _ in range(60):
            if len(self._events()) >= number:
                break
            await self.page.wait_for_timeout(100)
        return self._events()

    def _events(self) -> list[str]:
        return [call["event"] for call in self.taken if call["type"] == "track"]


WRONG = (
    'null, 7, "track", {}, [], ["nope", 1], ["consent", "yes"], ["consent", null], ["consent"],'
    ' ["track", "big", { n: 1n }], ["identify", (() => { const a = {}; a.a = a; return a })()],'
    ' ["link", "http://["], ["push", null]'
)


async def test_calls_that_are_wrong_neither_throw_nor_lose_the_others(chromium: Browser) -> None:
    async with visitor(chromium) as page:
        site = Site(page)
        await site.open(f'[["track", "first"], {WRONG}, ["track", "last"]]')
        assert ["first", "last"] == await site.events(2)
        assert [] == site.errors
        await page.evaluate(f"[{WRONG}].forEach((call) => touchstream.push(call))")
        await page.evaluate('touchstream.consent("yes"); touchstream.track("later")')
        assert ["first", "last", "later"] == await site.events(3)
        assert ([], []) == (site.errors, site.said)


@pytest.mark.parametrize("queued", ["{}", "7", "'x'", "null"])
async def test_something_else_in_the_place_of_the_queue_does_no_harm(
    chromium: Browser, queued: str
) -> None:
    async with visitor(chromium) as page:
        site = Site(page)
        await site.open(queued)
        await page.evaluate('touchstream.track("later")')
        assert ["later"] == await site.events(1)
        assert [] == site.errors


async def test_one_call_that_is_refused_takes_no_other_with_it(chromium: Browser) -> None:
    async with visitor(chromium) as page:
        site = Site(page)
        names = [f"n-{number}" for number in range(9)]
        calls = [["track", name] for name in (*names[:4], "poison", *names[4:])]
        await site.open(json.dumps(calls))
        assert sorted(names) == sorted(await site.events(9))
        assert site.refused > 1


async def test_garbage_in_the_storage_does_no_harm(chromium: Browser) -> None:
    async with visitor(chromium) as page:
        site = Site(page)
        garbage = {"queue": '[null, 7, {"a": 1}]', "id": '{"a": 1}', "consent": '"abc"'}
        more = "".join(f"localStorage.setItem('ts_{k}', '{v}');" for k, v in garbage.items())
        await site.open('[["track", "first"]]', more=more)
        assert ["first"] == await site.events(1)
        assert [] == site.errors
        assert {str} == {type(call["anonymousId"]) for call in site.taken}


async def test_an_emoji_at_the_end_of_a_text_stays_whole(chromium: Browser) -> None:
    async with visitor(chromium) as page:
        site = Site(page)
        word = "a" * 199 + "\U0001f600" + "b"
        await site.open(path=f"?q={word}")
        await page.evaluate("word => setTimeout(() => { throw new Error(word) })", word)
        assert {"Products Searched", "Script Error"} == set(await site.events(2))
        told = {call["event"]: call["properties"] for call in site.taken if call["type"] == "track"}
        assert word[:200] == told["Products Searched"]["query"]
        assert told["Script Error"]["message"].isprintable()


@pytest.mark.parametrize("word", ["yes", "Granted", "true false"])
async def test_a_consent_that_is_no_word_of_ours_is_not_consent_and_is_told(
    chromium: Browser, word: str
) -> None:
    async with visitor(chromium) as page:
        site = Site(page)
        await site.open('[["track", "held"]]', f'data-consent="{word}" data-debug')
        await page.wait_for_timeout(1500)
        assert [] == site.taken
        assert any("granted, denied or unknown" in said for said in site.said)
        await page.evaluate("touchstream.consent({analytics: 'denied', marketing: 'maybe'})")
        await page.evaluate('touchstream.consent("granted"); touchstream.track("after")')
        assert ["after"] == await site.events(1)
        assert [] == site.errors


async def test_with_debug_each_call_and_each_answer_stands_in_the_console(
    chromium: Browser,
) -> None:
    async with visitor(chromium) as page:
        site = Site(page)
        await site.open('[["track", "seen"], ["nope"], null]', "data-debug")
        assert ["seen"] == await site.events(1)
        await page.wait_for_timeout(200)
        said = "\n".join(site.said)
        assert "touchstream:" in said
        assert all(word in said for word in ('"nope"', "this went wrong", '200 {"success":true}'))


def kept(*events: str, at: str = "new Date()") -> str:
    """Write into storage what an earlier page left: a call for each event."""
    calls = ", ".join(
        f'{{type: "track", event: {event}, messageId: "kept-{number}-" + {event}, anonymousId: "a",'
        f" timestamp: {at}}}"
        for number, event in enumerate(events)
    )
    return f'localStorage.setItem("ts_queue", JSON.stringify([{calls}]));'


OTHER_TAB = kept('"other"').replace("localStorage.setItem(", "put.call(localStorage, ")
FULL = (
    "window.put = Storage.prototype.setItem;"
    ' Storage.prototype.setItem = () => { throw new DOMException("", "QuotaExceededError"); };'
)
FORBIDDEN = (
    'Object.defineProperty(window, "localStorage",'
    ' { get() { throw new DOMException("", "SecurityError"); } });'
)


@pytest.mark.parametrize("left", [[], ["before"]])
async def test_storage_that_is_full_loses_neither_what_was_left_nor_what_comes(
    chromium: Browser, left: list[str]
) -> None:
    async with visitor(chromium) as page:
        site = Site(page)
        more = (kept(*map(json.dumps, left)) if left else "") + FULL
        await site.open('[["track", "now"]]', more=more)
        assert sorted([*left, "now"]) == sorted(await site.events(1 + len(left)))
        back = 'dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))'
        await page.evaluate(f'{OTHER_TAB} touchstream.track("back"); {back}')
        assert {"back", "other"} <= set(await site.events(3 + len(left)))
        assert [] == site.errors


async def test_storage_that_is_forbidden_loses_nothing(chromium: Browser) -> None:
    async with visitor(chromium) as page:
        site = Site(page)
        await site.open('[["track", "now"]]', more=FORBIDDEN)
        assert ["now"] == await site.events(1)
        assert [] == site.errors


@pytest.mark.parametrize(
    "garbage",
    [
        *('"text"', "{not json", "7", "null", "[[[]]]", '{"calls":[{"messageId":"m"}]}', "[null]"),
        '[7,"x",{"messageId":{}},{"messageId":"m","timestamp":"never"},{"messageId":["n"]}]',
        '[{"messageId":"m","timestamp":"2999-01-01","type":"track","event":"poison"}]',
    ],
)
async def test_garbage_in_storage_is_nobodys_call(chromium: Browser, garbage: str) -> None:
    async with visitor(chromium) as page:
        site = Site(page)
        more = f'localStorage.setItem("ts_queue", {json.dumps(garbage)});'
        await site.open('[["track", "now"]]', more=more)
        assert ["now"] == await site.events(1)
        assert [] == site.errors


async def test_a_call_that_no_request_could_hold_does_not_hold_up_the_others(
    chromium: Browser,
) -> None:
    async with visitor(chromium) as page:
        site = Site(page)
        await site.open('[["track", "now"]]', more=kept('"x".repeat(70000)', '"before"'))
        assert ["before", "now"] == await site.events(2)


async def test_of_ten_thousand_calls_of_earlier_pages_the_newest_arrive(chromium: Browser) -> None:
    """Two hundred wait at most: the view of this page and its call are among them."""
    many = (
        "const many = Array.from({ length: 10000 }, (_, n) => ({ type: 'track', messageId: 'm' + n,"
        " event: 'e\\ud83d' + n, anonymousId: 'a', timestamp: new Date(Date.now() + 36e5) }));"
        "localStorage.setItem('ts_queue', JSON.stringify(many));"
    )
    async with visitor(chromium) as page:
        site = Site(page)
        await site.open('[["track", "now"]]', more=many)
        events = await site.events(199)
        assert ("e\ud83d9999", "now") == (events[-2], events[-1])
        assert 200 == len(site.taken)
        assert [] == site.errors
