"""The server API over HTTP with the commands of the docs, in front of a real Kafka."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from subprocess import CalledProcessError

import pytest
import pytest_asyncio

from pipeline.privacy.pseudonyms import Pseudonyms
from schemas.topics import RAW
from tests.integration.test_collector_http import make_topics, records_of
from tests.support.collector import CollectorProcess, collector
from tests.support.docs import blocks, shell
from tests.support.kafka import KafkaCluster

SETUP, SEND = blocks("server-api", "sh")
SEE = blocks("sdks", "sh")[0]
SECRET, SALT = "x" * 32, "s" * 32


@pytest_asyncio.fixture(loop_scope="session")
async def running(kafka: KafkaCluster) -> AsyncIterator[CollectorProcess]:
    await make_topics(kafka.bootstrap_servers)
    settings = {
        "write_keys": '{"wk_shop": "till"}',
        "server_secrets": json.dumps({"till": [SECRET]}),
        "site_salt": SALT,
    }
    async with collector(kafka.bootstrap_servers, **settings) as process:
        await process.until_ready()
        yield process


async def test_what_the_docs_send_is_in_kafka_and_joins_customer_and_address(
    running: CollectorProcess, kafka: KafkaCluster, tmp_path: Path
) -> None:
    sent = shell(SEND, tmp_path, SECRET=SECRET, COLLECTOR=running.url)
    assert {"success": True} == json.loads(sent.stdout)
    rows = await records_of("till", kafka.bootstrap_servers, RAW.name)
    email_hash = Pseudonyms(SALT).email_hash("till", "ada@shop.example")
    assert [
        ("receipt-4711", "Order Completed", "store", "c-17", ""),
        ("call-81", "Complaint Made", "phone", "c-17", f"em_{email_hash[:32]}"),
    ] == sorted(
        (
            tuple(row[k] for k in ("touchpoint_id", "name", "channel", "user_id", "anonymous_id"))
            for row in rows
        ),
        reverse=True,
    )
    assert "ada@" not in json.dumps(rows)


async def test_with_another_secret_nothing_is_taken(
    running: CollectorProcess, tmp_path: Path
) -> None:
    with pytest.raises(CalledProcessError) as failed:
        shell(SEND, tmp_path, SECRET="y" * 32, COLLECTOR=running.url)
    assert "bad_signature" in failed.value.stdout


def test_the_secrets_that_the_docs_make_are_accepted(tmp_path: Path) -> None:
    said = shell(f"{SETUP}\ntouchstream settings", tmp_path).stdout
    assert 'TOUCHSTREAM_SERVER_SECRETS={"shop": ["**********"]}' in said
    assert not re.search(r"[0-9a-f]{64}", said)


async def test_what_arrived_is_seen_with_the_secret_of_the_site_alone(
    running: CollectorProcess, tmp_path: Path
) -> None:
    shell(SEND, tmp_path, SECRET=SECRET, COLLECTOR=running.url)
    see = SEE.replace("shop:", "till:")
    seen = json.loads(shell(see, tmp_path, SECRET=SECRET, COLLECTOR=running.url).stdout)
    first = seen["requests"][0]
    assert ("till", "/v1/server/batch", "taken", 2) == (
        *(seen["site"], first["path"], first["outcome"], first["accepted"]),
    )
    assert ["receipt-4711", "call-81"] == [each["touchpoint_id"] for each in first["touchpoints"]]
    for secret, site in (("y" * 32, "till"), (SECRET, "shop"), ("", "till")):
        ask = see.replace("till:", f"{site}:")
        with pytest.raises(CalledProcessError):
            shell(ask, tmp_path, SECRET=secret, COLLECTOR=running.url)


async def test_the_quota_of_a_key_holds_for_servers_too(
    kafka: KafkaCluster, tmp_path: Path
) -> None:
    settings = {
        "write_keys": '{"wk_shop": {"site": "till", "events_per_day": 1}}',
        "server_secrets": json.dumps({"till": [SECRET]}),
        "site_salt": SALT,
    }
    async with collector(kafka.bootstrap_servers, **settings) as process:
        await process.until_ready()
        sent = shell(SEND, tmp_path, SECRET=SECRET, COLLECTOR=process.url)
        assert {"success": True} == json.loads(sent.stdout)
        with pytest.raises(CalledProcessError) as failed:
            shell(SEND, tmp_path, SECRET=SECRET, COLLECTOR=process.url)
        assert "quota_exceeded" in failed.value.stdout
