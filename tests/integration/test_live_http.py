"""The live page's server: who gets in, what it costs the engine, streams, and hostile requests."""

import asyncio
import re
import resource
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import aiohttp
import jsonschema_rs
import pytest
import pytest_asyncio
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import OperationalError
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from pipeline.live.hub import PULSE_SECONDS
from pipeline.live.openapi import document
from pipeline.live.panels import PANELS
from pipeline.reports.ask import statement
from pipeline.reports.live.usual import usual_windows
from schemas.questions import questions
from tests.support.database import migrated_database, track_fully
from tests.support.engine import EngineServer
from tests.support.live import SITE, Serving, events, once, serving, simulated, token_for
from tests.support.stories import library, write

DOCUMENT = document(list(PANELS.values()), "1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(engine: EngineServer) -> AsyncIterator[tuple[Serving, Client]]:
    with library(engine) as client:
        now = datetime.now(UTC)
        track_fully(client, simulated(60, now - timedelta(hours=2), now))
        track_fully(client, simulated(5, now - timedelta(hours=2), now, site="outlet"))
        async with serving(client, journey_models=["lifecycle"]) as live:
            yield live, client


# --- who gets in ---------------------------------------------------------------------------------

PATHS = ["/api/site", "/api/stream", "/api/people", "/api/person", "/api/funnel", "/api/map.csv"]


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_pass_or_with_a_wrong_one_nothing_is_told(
    path: str, shop: tuple[Serving, Client]
) -> None:
    live, _ = shop
    ended = token_for(life=timedelta(seconds=-1))
    for token in ("wrong", token_for()[:-2], ended, "a.b", "Ä" * 10):
        status, said = await live.get(path, token)
        assert (status, said["error"]) == (401, "no_pass")
    async with aiohttp.ClientSession() as nobody, nobody.get(live.url + path) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("path", PATHS)
async def test_a_pass_of_another_site_opens_nothing_of_this_one(
    path: str, shop: tuple[Serving, Client]
) -> None:
    live, _ = shop
    status, said = await live.get(path, token_for("outlet"), site=SITE)
    assert (status, said) == (403, {"error": "other_site", "detail": "outlet"})


async def test_a_pass_of_one_site_shows_that_one_and_knows_no_other(
    shop: tuple[Serving, Client],
) -> None:
    live, client = shop
    _, site = await live.get("/api/site", token_for("outlet"))
    assert (site["site"], site["sites"]) == ("outlet", ["outlet"])
    _, funnel = await live.get("/api/funnel", token_for("outlet"), span="24h")
    assert 0 < funnel["rows"][0]["people"] <= 5
    [(stranger,)] = client.query(
        "SELECT person_id FROM sessions WHERE site = 'shop' LIMIT 1"
    ).result_rows
    _, person = await live.get("/api/person", token_for("outlet"), person=stranger)
    assert (person["devices"], person["touchpoints"], person["visits"]) == (0, [], [])


async def test_without_a_site_in_the_address_it_is_one_with_data(
    shop: tuple[Serving, Client],
) -> None:
    _, client = shop
    async with serving(client, write_keys={"wk_new": "a-new-one", "wk_shop": "shop"}) as live:
        _, site = await live.get("/api/site")
        assert (site["site"], site["sites"]) == ("outlet", ["a-new-one", "outlet", "shop"])
        _, site = await live.get("/api/site", token_for("a-new-one", "shop"))
        assert site["site"] == "shop"
        _, site = await live.get("/api/site", token_for("a-new-one"))
        assert site["site"] == "a-new-one"


async def test_a_link_becomes_a_cookie_that_no_script_and_no_other_site_has(
    shop: tuple[Serving, Client],
) -> None:
    live, _ = shop
    link = f"{live.url}/?token={token_for(SITE)}&span=7d"
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(link, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/?span=7d")
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
        async with browser.get(f"{live.url}/api/funnel") as answer:
            assert answer.status == 200
        wrong = f"{live.url}/?token=wrong"
        async with browser.get(wrong, allow_redirects=False) as answer:
            assert "Set-Cookie" not in answer.headers


async def test_behind_https_the_cookie_is_secure(engine: EngineServer) -> None:
    with library(engine) as client:
        async with serving(client, live_url="https://live.shop.example") as live:
            link = f"{live.url}/?token={token_for()}"
            async with live.session.get(link, allow_redirects=False) as answer:
                assert "Secure" in answer.headers["Set-Cookie"]


async def test_it_only_reads(shop: tuple[Serving, Client]) -> None:
    live, _ = shop
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("/", *PATHS):
            async with live.session.request(method, live.url + path) as answer:
                assert answer.status == 405


async def test_every_answer_has_the_policy(shop: tuple[Serving, Client]) -> None:
    live, _ = shop
    paths = [
        "/",
        "/page.js",
        "/page.css",
        "/nothing",
        "/api/nothing",
        "/api/map",
        "/api/people.csv",
    ]
    for path in paths:
        async with live.session.get(live.url + path) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"], path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    async with live.session.get(f"{live.url}/api/stream") as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


# --- what is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/funnel", {"span": "2h"}),
        ("/api/funnel", {"model": "mine"}),
        ("/api/funnel", {"from": "x", "to": "y"}),
        ("/api/funnel", {"channel": "c" * 300}),
        ("/api/people", {"of": "everything"}),
        ("/api/people", {}),
        ("/api/stream", {"span": "2h"}),
    ],
)
async def test_a_wrong_question_is_refused_with_a_sentence(
    path: str, query: dict[str, str], shop: tuple[Serving, Client]
) -> None:
    live, _ = shop
    status, said = await live.get(path, **query)
    assert (status, said["error"]) == (400, "bad_address")
    assert " " in said["detail"]


HOSTILE = [
    "' OR '1'='1",
    "x') OR 1=1 --",
    "{site:String}",
    "\\'; DROP TABLE touchpoints; --",
    "<script>alert(1)</script>",
    "\x1b[2J",
    "%00",
    "🦆" * 40,
    "\r\nX-Evil: 1",
    'a"; filename="evil.exe',
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_is_no_name_names_nobody(text: str, shop: tuple[Serving, Client]) -> None:
    live, client = shop
    for name in ("channel", "segment"):
        funnel = await live.rows("funnel", **{name: text})
        assert [step["people"] for step in funnel] == [0] * len(funnel)
    for of in ("step", "phase", "left", "source", "kpi", "page", "crossing", "place", "mailing"):
        status, found = await live.get("/api/people", of=of, what=text, where=text)
        assert (status, found["total"]) == (200, 0) or of == "step"
    _, person = await live.get("/api/person", person=text)
    assert person["touchpoints"] == []
    assert client.query("SELECT count() > 0 FROM touchpoints").result_rows == [(True,)]
    async with live.session.get(f"{live.url}/api/alerts.csv", params={"site": text}) as answer:
        assert answer.status == 400  # the file would be named after it
    async with live.session.get(f"{live.url}/api/alerts.csv") as answer:
        said = answer.headers["Content-Disposition"]
        assert re.fullmatch(r'attachment; filename="[\w.-]+-alerts\.csv"', said)


async def test_the_document_is_valid_and_has_every_path(shop: tuple[Serving, Client]) -> None:
    live, _ = shop
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)
    panels = {f"/api/{name}{kind}" for name in PANELS for kind in ("", ".csv")}
    people = {
        f"/api/{name}{kind}" for name in ("people", "person", "requests") for kind in ("", ".csv")
    }
    others = {f"/api/{name}" for name in ("site", "stream", "links.csv")}
    assert set(DOCUMENT["paths"]) == panels | people | others
    async with live.session.get(f"{live.url}/openapi.json") as answer:
        assert (await answer.json())["paths"].keys() == DOCUMENT["paths"].keys()


async def test_every_answer_has_the_shape_of_the_document(shop: tuple[Serving, Client]) -> None:
    live, client = shop
    [(person,)] = client.query("SELECT person_id FROM sessions LIMIT 1").result_rows
    asked = {"person": person, "of": "left", "span": "24h"}
    for path, described in DOCUMENT["paths"].items():
        content = described["get"]["responses"]["200"]["content"]
        if "application/json" in content and path != "/api/requests":  # it needs a collector
            status, said = await live.get(path, **asked)
            assert status == 200, path
            jsonschema_rs.validate(content["application/json"]["schema"], said)


# --- streams -------------------------------------------------------------------------------------


class Counting:
    """A client that counts what it is asked, and breaks at one text if told to."""

    def __init__(self, client: Client, breaks: str = "") -> None:
        self._client = client
        self._breaks = breaks
        self.asked: Counter[str] = Counter()
        self.is_away = False

    def query(self, statement: str, **more: Any) -> Any:
        if self.is_away:
            raise OperationalError("gone")
        if self._breaks and self._breaks in statement:
            raise IndexError("a fault of ours")
        self.asked[statement] += 1
        return self._client.query(statement, **more)


async def watched(live: Serving, stack: AsyncExitStack, count: int) -> list[Any]:
    """Open so many streams of the same view."""
    opened = [live.session.get(f"{live.url}/api/stream") for _ in range(count)]
    return list(await asyncio.gather(*(stack.enter_async_context(each) for each in opened)))


async def test_a_hundred_who_watch_cost_the_engine_what_one_costs(
    shop: tuple[Serving, Client],
) -> None:
    """No statement is asked more often than one poller asks it, however many watch.

    What is usual is asked once of each of the hours that are compared.
    """
    _, client = shop
    counting = Counting(client)
    async with serving(counting, journey_models=["lifecycle"]) as live, AsyncExitStack() as stack:  # type: ignore[arg-type]
        began = monotonic()
        await watched(live, stack, 100)
        await asyncio.sleep(2)
        rounds = (monotonic() - began) / PULSE_SECONDS + 2
    usual = len(usual_windows(timedelta(hours=1)))
    assert 0 < max(counting.asked.values()) <= rounds + usual < 100
    assert len(counting.asked) > 5


async def test_what_was_written_is_noticed_once_for_all_views(shop: tuple[Serving, Client]) -> None:
    _, client = shop
    counting = Counting(client)
    async with serving(counting, journey_models=["lifecycle"]) as live, AsyncExitStack() as stack:  # type: ignore[arg-type]
        began = monotonic()
        for span in ("1h", "3h", "24h", "7d", "28d", "90d"):
            url = f"{live.url}/api/stream?only=pulse&span={span}"
            stream = await stack.enter_async_context(live.session.get(url))
            assert (await anext(events(stream)))[0] == "pulse"
        await asyncio.sleep(1)
        rounds = (monotonic() - began) / PULSE_SECONDS + 2
    assert 0 < counting.asked[statement(questions()["written"])] <= rounds


async def until_told(streams: list[Any], panel: str, visitor: str) -> None:
    """Wait until every stream has told of a touchpoint of that name."""

    async def told(stream: aiohttp.ClientResponse) -> None:
        async for name, said in events(stream):
            if name == panel and any(row["touchpoint_id"] == visitor for row in said["rows"]):
                return

    await asyncio.gather(*map(told, streams))


async def test_a_thousand_open_pages_are_told_within_two_seconds(engine: EngineServer) -> None:
    """And one round of questions, which takes part of a second where nobody else is at work."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    try:
        with library(engine) as client:
            now = datetime.now(UTC)
            track_fully(client, simulated(20, now - timedelta(minutes=30), now))
            async with (
                serving(client, journey_models=["lifecycle"]) as live,
                AsyncExitStack() as stack,
            ):
                streams = await watched(live, stack, 1000)
                assert {stream.status for stream in streams} == {200}
                await asyncio.sleep(1)
                said = datetime.now(UTC)
                write(client, "touchpoints", touchpoint("new", said))
                async with asyncio.timeout(60):
                    await until_told(streams[:1], "arrived", "new")
                    first = datetime.now(UTC) - said
                    await until_told(streams[1:], "arrived", "new")
                assert first < timedelta(seconds=2 + 2 * await once(live)), first
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def touchpoint(name: str, at: datetime) -> dict[str, Any]:
    seen = {"type": "page", "name": "Page Viewed", "channel": "website", "visitor_id": "v"}
    return seen | {"touchpoint_id": name, "occurred_at": at, "received_at": at, "properties": "{}"}


async def test_a_site_of_which_nothing_has_arrived_is_told_to_be_empty(
    engine: EngineServer,
) -> None:
    with library(engine) as client:
        async with (
            serving(client) as live,
            asyncio.timeout(30),
            live.session.get(f"{live.url}/api/stream?site=new&only=pulse") as stream,
        ):
            _, said = await anext(events(stream))
            assert said["rows"]["is_empty"] is True


async def test_a_stream_ends_with_its_pass(shop: tuple[Serving, Client]) -> None:
    live, _ = shop
    headers = {"Authorization": f"Bearer {token_for(life=timedelta(seconds=3))}"}
    async with (
        asyncio.timeout(15),
        live.session.get(f"{live.url}/api/stream", headers=headers) as stream,
    ):
        assert stream.status == 200
        assert [name async for name, _ in events(stream)] != []


async def test_no_more_pages_are_kept_up_to_date_than_may_be(
    shop: tuple[Serving, Client],
) -> None:
    _, client = shop
    async with serving(client, live_streams=2) as live, AsyncExitStack() as stack:
        assert [each.status for each in await watched(live, stack, 2)] == [200, 200]
        [third] = await watched(live, stack, 1)
        assert third.status == 503


async def test_while_the_tables_are_away_the_page_says_so_and_comes_back(
    shop: tuple[Serving, Client],
) -> None:
    _, client = shop
    counting = Counting(client)
    async with serving(counting, journey_models=["lifecycle"]) as live:  # type: ignore[arg-type]
        counting.is_away = True
        status, said = await live.get("/api/funnel")
        assert (status, said["error"]) == (503, "unavailable")
        async with asyncio.timeout(30), live.session.get(f"{live.url}/api/stream?site=shop") as one:
            async for name, told in events(one):
                if name == "pulse" and "error" in told:
                    assert (told["error"], told["retry"] > 0) == ("unavailable", True)
                    counting.is_away = False
                if name == "funnel" and "rows" in told:
                    break


async def test_a_panel_that_breaks_does_not_end_the_others(
    shop: tuple[Serving, Client], caplog: pytest.LogCaptureFixture
) -> None:
    _, client = shop
    broken = Counting(client, breaks="WITH {steps:Array(String)}")
    told = {}
    async with (
        serving(broken, journey_models=["lifecycle"]) as live,  # type: ignore[arg-type]
        asyncio.timeout(30),
        live.session.get(f"{live.url}/api/stream?site=shop") as one,
    ):
        async for name, each in events(one):
            told[name] = each
            if {"funnel", "arrived", "phases"} <= told.keys():
                break
    assert told["funnel"]["error"] == "unavailable"
    assert "rows" in told["arrived"]
    assert "rows" in told["phases"]
    assert "IndexError" in caplog.text


async def test_a_model_that_the_tables_do_not_know_yet_has_a_funnel(engine: EngineServer) -> None:
    with migrated_database(engine) as client:
        now = datetime.now(UTC)
        track_fully(client, simulated(20, now - timedelta(hours=2), now))
        async with serving(client, journey_models=["lifecycle"]) as live:
            rows = await live.rows("funnel", site=SITE, span="24h")
    assert rows[0]["people"] >= rows[1]["people"] > 0
