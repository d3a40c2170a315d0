"""What the collector gives to pages: the script, a name of its own to send to, an id for a day."""

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest_asyncio

from pipeline.collector.beacon.script import ENDPOINT, FILE
from pipeline.kafka.topics import create_topics, read_topic
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from schemas.topics import RAW
from schemas.touchpoint import Touchpoint
from tests.support.collector import WRITE_KEY, CollectorProcess, collector
from tests.support.database import touchpoints_in

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(embedded_broker: EmbeddedBroker) -> AsyncIterator[CollectorProcess]:
    await create_topics(settings_of(embedded_broker))
    async with collector(
        embedded_broker.bootstrap_servers,
        kafka_idempotence="false",
        collector_beacon_path="/assets/site.js",
        collector_beacon_endpoint="/assets/site",
        collector_cookieless="true",
    ) as process:
        await process.until_ready()
        yield process


def settings_of(broker: EmbeddedBroker) -> Settings:
    return Settings(kafka_bootstrap_servers=broker.bootstrap_servers, kafka_idempotence=False)


@asynccontextmanager
async def session_at(running: CollectorProcess) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(running.url, auto_decompress=False) as session:
        yield session


async def taken(broker: EmbeddedBroker, site: str) -> list[Touchpoint]:
    records = [record async for record in read_topic(settings_of(broker), RAW.name)]
    return [each for each in touchpoints_in(records) if each.site == site]


async def test_the_script_comes_from_the_path_of_the_settings_and_sends_to_theirs(
    running: CollectorProcess,
) -> None:
    async with session_at(running) as session:
        async with session.get("/assets/site.js", headers={"accept-encoding": "gzip"}) as answer:
            script = gzip.decompress(await answer.read()).decode()
        async with session.get("/beacon.js") as elsewhere:
            assert 404 == elsewhere.status
    assert FILE.read_text().replace(ENDPOINT, '"/assets/site"') == script
    assert "text/javascript; charset=utf-8" == answer.headers["content-type"]
    assert "*" == answer.headers["access-control-allow-origin"]


async def test_a_page_may_load_the_script_with_a_check_of_its_origin(
    running: CollectorProcess,
) -> None:
    origin = {"origin": "https://elsewhere.example"}
    async with (
        session_at(running) as session,
        session.get("/assets/site.js", headers=origin) as answer,
    ):
        assert ["*"] == answer.headers.getall("access-control-allow-origin")


async def test_a_browser_that_has_the_script_is_told_so_without_a_body(
    running: CollectorProcess,
) -> None:
    async with session_at(running) as session:
        async with session.get("/assets/site.js") as first:
            known = {"if-none-match": first.headers["etag"]}
        async with session.get("/assets/site.js", headers=known) as second:
            assert (304, b"") == (second.status, await second.read())


async def test_calls_of_a_browser_without_any_id_become_touchpoints_of_one_visitor(
    running: CollectorProcess, embedded_broker: EmbeddedBroker
) -> None:
    calls = [{"type": "page", "messageId": f"m-{n}"} for n in range(3)]
    body = json.dumps({"writeKey": WRITE_KEY, "batch": calls})
    async with (
        session_at(running) as session,
        session.post("/assets/site", data=body, headers=BROWSER) as answer,
    ):
        assert 200 == answer.status
    found = await taken(embedded_broker, running.site)
    assert ["m-0", "m-1", "m-2"] == sorted(each.touchpoint_id for each in found)
    assert 1 == len({each.anonymous_id for each in found})
    assert {True} == {each.anonymous_id.startswith("day-") for each in found}
