"""Webhooks of mail providers over HTTP, in front of a real Kafka."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
import pytest_asyncio

from schemas.topics import RAW
from tests.integration.test_collector_http import make_topics, records_of
from tests.support.collector import CollectorProcess, collector
from tests.support.kafka import KafkaCluster
from tests.support.webhooks import EXAMPLES, PUBLIC_URL, SECRETS, Request, example, request

SITE = "hooked"
SETTINGS = {
    "site_salt": "s" * 32,
    "public_url": PUBLIC_URL,
    "provider_secrets": json.dumps({f"{name}/{SITE}": [key] for name, key in SECRETS.items()}),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(kafka: KafkaCluster) -> AsyncIterator[CollectorProcess]:
    await make_topics(kafka.bootstrap_servers)
    async with collector(kafka.bootstrap_servers, **SETTINGS) as process:
        await process.until_ready()
        yield process


async def post(running: CollectorProcess, place: str, sent: Request) -> tuple[int, str]:
    url = f"{running.url}/v1/webhooks/{place}?{sent.query}"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=sent.body, headers=sent.headers) as answer,
    ):
        return answer.status, (await answer.json()).get("error", "")


@pytest.mark.parametrize("provider", SECRETS)
async def test_what_a_provider_reports_is_in_kafka_when_it_is_answered(
    running: CollectorProcess, kafka: KafkaCluster, provider: str
) -> None:
    path = next(path for path in EXAMPLES if path.parent.name == provider and example(path)[2])
    _, said, expected = example(path)
    sent = request(provider, said, datetime.now(UTC), SITE)
    before = await records_of(SITE, kafka.bootstrap_servers, RAW.name)
    assert (200, "") == await post(running, f"{provider}/{SITE}", sent)
    after = await records_of(SITE, kafka.bootstrap_servers, RAW.name)
    names = sorted(each["name"] for each in after)
    assert sorted([*(row["name"] for row in before), *(name for _, name, *_ in expected)]) == names


async def test_what_is_not_signed_is_turned_away(running: CollectorProcess) -> None:
    sent = request("sendgrid", [], datetime.now(UTC))._replace(body=b"[{}]")
    assert (401, "bad_signature") == await post(running, f"sendgrid/{SITE}", sent)
    assert (404, "not_found") == await post(running, "sendgrid/other", sent)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_provider_that_asks_whether_somebody_is_there_gets_an_answer(
    running: CollectorProcess, method: str
) -> None:
    async with aiohttp.ClientSession() as session:
        for place, status in ((f"mailchimp/{SITE}", 200), ("mailchimp/other", 404)):
            async with session.request(method, f"{running.url}/v1/webhooks/{place}") as answer:
                assert status == answer.status
