"""No whole IP address, nothing denied and nothing masked passes any door, not as a dead letter."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from pipeline.collector.newsletter.mailing import Mailing
from pipeline.kafka.topics import read_topic
from pipeline.settings import Settings
from pipeline.signed.signature import SIGNATURE, TIMESTAMP, signature
from schemas.topics import DEAD_LETTERS, RAW
from tests.integration.test_collector_http import make_topics
from tests.support.collector import WRITE_KEY, CollectorProcess, collector, start
from tests.support.kafka import KafkaCluster
from tests.support.mmdb import write_mmdb
from tests.support.ports import free_ports
from tests.support.webhooks import EXAMPLES, PUBLIC_URL, SECRETS, example, request

SITE, SECRET = "doors", "x" * 32
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
ADDRESS, CARD, DENIED = "203.0.113.77", "4111 1111 1111 1111", "secret of mine"
NOTE = f"{CARD}, bob@shop.example"
CONSENT = {"categoryPreferences": {"analytics": True, "marketing": False}}
SAID = {"note": NOTE, "birthday": DENIED, "client_ip": ADDRESS}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(
    kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CollectorProcess]:
    await make_topics(kafka.bootstrap_servers)
    folder: Path = tmp_path_factory.mktemp("countries")
    here = write_mmdb(folder / "here.mmdb", {"127.0.0.0/8": {"country": {"iso_code": "DE"}}})
    settings = {
        "write_keys": json.dumps({WRITE_KEY: SITE}),
        "country_database": str(here),
        "property_rules": json.dumps({SITE: {"deny": ["birthday"]}}),
        "site_salt": "s" * 32,
        "link_keys": json.dumps(["k" * 32]),
        "server_secrets": json.dumps({SITE: [SECRET]}),
        "provider_secrets": json.dumps({f"sendgrid/{SITE}": [SECRETS["sendgrid"]]}),
        "public_url": PUBLIC_URL,
    }
    async with collector(kafka.bootstrap_servers, **settings) as process:
        await process.until_ready()
        yield process


async def through_all_endpoints(url: str) -> list[int]:
    """Send what should not be kept, by every door, rightly and wrongly; give the answers."""
    who = {"anonymousId": "a-1", "context": {"consent": CONSENT, "ip": ADDRESS}}
    call = {"type": "track", "event": "segment", "properties": SAID, **who}
    batch = json.dumps({"batch": [call, {**call, "type": "nonsense"}], "writeKey": WRITE_KEY})
    matomo = {"idsite": WRITE_KEY, "rec": "1", "_id": "0123456789abcdef", "cip": ADDRESS}
    event = {"distinct_id": "a-1", "event": "posthog", "properties": {**SAID, "$ip": ADDRESS}}
    key = {"authorization": aiohttp.encode_basic_auth(WRITE_KEY, "")}
    torn = json.dumps({"batch": [call]}).replace(DENIED, "").replace("birthday", "b")[:-1]
    posts: list[tuple[str, Any, dict[str, str]]] = [
        ("/v1/batch", batch, {}),
        ("/v1/batch", torn, key),
        ("/v1/batch", batch[:-1], key),
        ("/batch/", json.dumps({"api_key": WRITE_KEY, "batch": [event]}), {}),
        ("/v1/server/batch", *_signed(json.dumps({"batch": [call | {"event": "server"}]}))),
    ]
    sent = request("sendgrid", _mails(), datetime.now(UTC), SITE)
    posts.append((f"/v1/webhooks/sendgrid/{SITE}?{sent.query}", sent.body, dict(sent.headers)))
    links = Mailing(url, ["k" * 32], SITE, "spring", "s-1", datetime(2100, 1, 1, tzinfo=UTC))
    about = {"user-agent": FIREFOX}
    async with aiohttp.ClientSession(headers=about) as session:
        answers = []
        for path, body, headers in posts:
            async with session.post(url + path, data=body, headers=headers) as answer:
                answers.append(answer.status)
        note = {"action_name": NOTE, "url": f"https://s.example/?token=1&q={CARD}"}
        async with session.get(f"{url}/matomo.php", params=matomo | note) as answer:
            answers.append(answer.status)
        target = links.click(f"https://shop.example/?q={CARD.replace(' ', '+')}")
        async with session.get(target, allow_redirects=False) as answer:
            answers.append(answer.status)
        return answers


def _signed(body: str) -> tuple[str, dict[str, str]]:
    now = str(int(time.time()))
    signed = {TIMESTAMP: now, SIGNATURE: signature(SECRET, now, body.encode())}
    return body, {"authorization": aiohttp.encode_basic_auth(WRITE_KEY, "")} | signed


def _mails() -> list[dict[str, Any]]:
    path = next(path for path in EXAMPLES if path.parent.name == "sendgrid" and example(path)[2])
    return [mail | SAID | {"ip": ADDRESS} for mail in example(path)[1]]


async def test_nothing_of_that_is_in_kafka_and_consent_and_country_are(
    running: CollectorProcess, kafka: KafkaCluster
) -> None:
    answers = await through_all_endpoints(running.url)
    assert answers == [200, 400, 400, 200, 200, 200, 200, 302]
    settings = Settings(kafka_bootstrap_servers=kafka.bootstrap_servers)
    values = [
        record.value.decode()
        for topic in (RAW, DEAD_LETTERS)
        async for record in read_topic(settings, topic.name)
        if f'"site":"{SITE}"' in record.value.decode()
    ]
    everything = "\n".join(values)
    for secret in (ADDRESS, "127.0.0.1", CARD, CARD.replace(" ", "+"), DENIED, "bob@", "token=1"):
        assert secret not in everything, secret
    told = {row["name"]: row for row in map(json.loads, values) if "name" in row}
    assert {"segment", "posthog", "server", "Email Link Clicked"} <= told.keys()
    assert told["segment"]["properties"]["note"] == "[card], [email]"
    assert told["segment"]["properties"]["context"]["consent"] == CONSENT
    assert told["server"]["properties"]["context"]["consent"] == CONSENT
    by_people = [row["properties"].get("country") for row in (told["segment"], told["posthog"])]
    assert (by_people, "country" in told["server"]["properties"]) == (["DE", "DE"], False)
    assert {row["ip"] for row in told.values()} <= {"127.0.0.0", ""}
    assert sum('"stage":"collect"' in value for value in values) == 3


async def test_a_database_that_is_missing_ends_the_start_with_the_name_of_the_setting(
    kafka: KafkaCluster,
) -> None:
    settings = {
        "write_keys": '{"k": "shop"}',
        "country_database": "/nowhere.mmdb",
        "collector_port": str(free_ports(1)[0]),
    }
    process = await start(settings, stderr=asyncio.subprocess.PIPE)
    _, complaint = await process.communicate()
    assert process.returncode == 2, complaint
    assert b"TOUCHSTREAM_COUNTRY_DATABASE: /nowhere.mmdb cannot be read" in complaint
