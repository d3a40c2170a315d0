"""`touchstream webhook` as a process, between a real Kafka and a real HTTP server."""

import asyncio
import signal
import sys
import uuid
from contextlib import AbstractAsyncContextManager, suppress

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError
from pydantic import SecretStr

from pipeline.settings import Settings, WebhookEndpoint
from pipeline.signed.signature import standard_headers
from schemas.topics import ABANDONMENTS, DEAD_LETTERS, TRANSITIONS
from tests.support.docs import ROOT, blocks
from tests.support.kafka import KafkaCluster
from tests.support.receiver import Receiver, receiver
from tests.support.roles import running
from tests.support.topics import write
from tests.unit.roles.test_webhook import SECRET, cart


@pytest.fixture
def site() -> str:
    return f"site-{uuid.uuid4().hex[:8]}"


async def make_topics(bootstrap_servers: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        for topic in (TRANSITIONS, ABANDONMENTS, DEAD_LETTERS):
            with suppress(TopicAlreadyExistsError):
                await admin.create_topics([NewTopic(topic.name, 4, 1)])
    finally:
        await admin.close()


def role(
    kafka: KafkaCluster, server: Receiver, site: str, *paths: str
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """Run the role for the endpoints `paths` until the end of the block."""
    endpoints = {
        path.strip("/"): WebhookEndpoint(
            url=server.url(path), secret=SecretStr(SECRET), sites=frozenset({site})
        )
        for path in paths
    }
    return running(
        "webhook",
        Settings(
            kafka_bootstrap_servers=kafka.bootstrap_servers,
            webhook_endpoints=endpoints,
            webhook_group=f"test-{site}",
            webhook_metrics_port=0,
        ),
    )


async def tell(kafka: KafkaCluster, site: str, *names: str) -> None:
    records = {f"{site}:{name}".encode(): cart(name, person=name, site=site) for name in names}
    await write(kafka.bootstrap_servers, ABANDONMENTS.name, records, idempotent=True)


async def until_it_listens(kafka: KafkaCluster, site: str, server: Receiver, *paths: str) -> None:
    """Tell it something until it has passed that on to all."""
    async with asyncio.timeout(60):
        while not all(server.ids(path) for path in paths):
            await tell(kafka, site, "hello")
            await asyncio.sleep(0.2)


async def test_a_slow_endpoint_keeps_nobody_waiting_but_itself(
    kafka: KafkaCluster, site: str
) -> None:
    await make_topics(kafka.bootstrap_servers)
    async with receiver() as server, role(kafka, server, site, "/quick", "/slow") as process:
        await until_it_listens(kafka, site, server, "/quick", "/slow")
        server.slow["/slow"] = 9
        wanted = {f"c{number}" for number in range(50)}
        await tell(kafka, site, *wanted)
        await server.until_all(wanted, "/quick", patience=8)
        assert not wanted <= set(server.ids("/slow"))
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert 0 == await process.wait()


async def test_after_a_kill_nothing_is_left_out_and_what_came_meanwhile_is_told(
    kafka: KafkaCluster, site: str
) -> None:
    await make_topics(kafka.bootstrap_servers)
    async with receiver() as server:
        async with role(kafka, server, site, "/hook") as process:
            await until_it_listens(kafka, site, server, "/hook")
            server.slow["/hook"] = 0.05
            first = {f"a{number}" for number in range(60)}
            await tell(kafka, site, *first)
            await server.until(len(server.ids()) + 20)
            process.kill()
            await process.wait()
        second = {f"b{number}" for number in range(10)}
        await tell(kafka, site, *second)
        async with role(kafka, server, site, "/hook"):
            await server.until_all(first | second, patience=90)


async def test_without_an_endpoint_it_says_what_to_set() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.cli", "webhook"), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert 2 == process.returncode
    assert b"TOUCHSTREAM_WEBHOOK_ENDPOINTS" in said


async def test_the_receiver_in_the_docs_accepts_what_is_signed_and_nothing_else() -> None:
    """The lines in the docs are run as they stand there."""
    [script] = blocks("webhooks", "python")
    names: dict[str, object] = {}
    exec(script, names)  # noqa: S102 - our own page
    is_genuine = names["is_genuine"]
    assert callable(is_genuine)
    at = 1767268800
    signed = standard_headers(SECRET, "a:7", at, b"{}")["webhook-signature"]
    assert is_genuine(SECRET, "a:7", str(at), signed, b"{}", now=at + 300)
    assert is_genuine(f"whsec_{SECRET}", "a:7", str(at), f"v1,old {signed}", b"{}", now=at)
    assert not is_genuine(SECRET, "a:7", str(at), signed, b"{}", now=at + 301)
    assert not is_genuine(SECRET, "a:8", str(at), signed, b"{}", now=at)
    assert not is_genuine(SECRET, "a:7", str(at), signed, b"{ }", now=at)
    assert not is_genuine("x" * 32, "a:7", str(at), signed, b"{}", now=at)
