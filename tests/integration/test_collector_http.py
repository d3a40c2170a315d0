"""The collector as its senders see it: over HTTP, in front of a real Kafka."""

import asyncio
import gzip
import json
import uuid
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from schemas.codec import decode_touchpoint
from schemas.topics import DEAD_LETTERS, RAW
from tests.support.collector import WRITE_KEY, CollectorProcess, collector, start
from tests.support.kafka import KafkaCluster

KEY = {"authorization": aiohttp.encode_basic_auth(WRITE_KEY, "")}
ORIGIN = "https://shop.example"


@dataclass
class Reply:
    """Status, JSON and headers of an answer."""

    status: int
    said: Any
    headers: Any

    @property
    def verdict(self) -> tuple[int, str]:
        return self.status, self.said["error"]


@dataclass
class Sender:
    """Sends to a collector; what it sends belongs to `site`."""

    session: aiohttp.ClientSession
    url: str
    site: str

    async def post(self, path: str, body: object, **headers: str) -> Reply:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = KEY | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.post(self.url + path, data=data, headers=named) as answer:
            text = await answer.text()
            return Reply(answer.status, json.loads(text) if text else None, answer.headers)

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.url + path) as answer:
            return answer.status, await answer.text()


async def make_topics(bootstrap_servers: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        for topic in (RAW, DEAD_LETTERS):
            with suppress(TopicAlreadyExistsError):
                await admin.create_topics([NewTopic(topic.name, 4, 1)])
    finally:
        await admin.close()


async def records_of(site: str, bootstrap_servers: str, topic: str) -> list[Any]:
    """Read the JSON of all records of `site`."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        found = []
        for _ in range(sum(ends.values())):
            record = await consumer.getone()
            if record.key.split(b":")[0] == site.encode():
                found.append(json.loads(record.value))
        return found
    finally:
        await consumer.stop()


async def ids_of(site: str, kafka: KafkaCluster) -> list[str]:
    rows = await records_of(site, kafka.bootstrap_servers, RAW.name)
    return sorted(row["touchpoint_id"] for row in rows)


def call(number: object = 1, **fields: object) -> dict[str, object]:
    return {
        "type": "track",
        "event": "Product Viewed",
        "anonymousId": f"a-{number}",
        "messageId": f"m-{number}",
        **fields,
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(kafka: KafkaCluster) -> AsyncIterator[CollectorProcess]:
    await make_topics(kafka.bootstrap_servers)
    origins = json.dumps([ORIGIN])
    async with collector(kafka.bootstrap_servers, collector_origins=origins) as process:
        await process.until_ready()
        yield process


@asynccontextmanager
async def sender_to(process: CollectorProcess) -> AsyncIterator[Sender]:
    connector = aiohttp.TCPConnector(limit=500)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Sender(session, process.url, process.site)


@pytest_asyncio.fixture(loop_scope="session")
async def sender(running: CollectorProcess) -> AsyncIterator[Sender]:
    async with sender_to(running) as sending:
        yield sending


class TestTaking:
    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            *((f"/v1/{kind}", kind) for kind in ("track", "page", "screen", "identify")),
            *((f"/v1/{kind[0]}", kind) for kind in ("track", "page", "screen", "identify")),
            ("/v1/a", "alias"),
            ("/v1/group", "group"),
        ],
    )
    async def test_each_path_takes_its_type(
        self, sender: Sender, kafka: KafkaCluster, path: str, kind: str
    ) -> None:
        name = uuid.uuid4().hex
        reply = await sender.post(path, {"event": "X", "userId": "u-1", "messageId": name})
        rows = await records_of(sender.site, kafka.bootstrap_servers, RAW.name)
        assert (200, {"success": True}) == (reply.status, reply.said)
        assert [kind] == [row["type"] for row in rows if row["touchpoint_id"] == name]

    async def test_a_beacon_with_text_and_the_key_in_its_body_is_taken(
        self, sender: Sender, kafka: KafkaCluster
    ) -> None:
        body = call("beacon", writeKey=WRITE_KEY)
        reply = await sender.post("/v1/t", body, authorization="", content_type="text/plain")
        assert 200 == reply.status
        assert "m-beacon" in await ids_of(sender.site, kafka)

    async def test_a_gzipped_batch_is_taken_and_stands_in_kafka_as_the_contract_says(
        self, sender: Sender, kafka: KafkaCluster
    ) -> None:
        batch = {"batch": [call(f"gzip-{n}") for n in range(100)], "writeKey": WRITE_KEY}
        packed = gzip.compress(json.dumps(batch).encode())
        reply = await sender.post("/v1/batch", packed, authorization="", content_encoding="gzip")
        rows = await records_of(sender.site, kafka.bootstrap_servers, RAW.name)
        taken = [decode_touchpoint(json.dumps(row).encode()) for row in rows]
        assert (200, {"success": True}) == (reply.status, reply.said)
        assert {f"m-gzip-{n}" for n in range(100)} <= {each.touchpoint_id for each in taken}
        assert {"127.0.0.0"} == {each.ip for each in taken}

    async def test_chunked_bodies_are_taken(self, sender: Sender, kafka: KafkaCluster) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for byte in json.dumps(call("chunked")).encode():
                yield bytes([byte])

        async with sender.session.post(f"{sender.url}/v1/t", data=chunks(), headers=KEY) as answer:
            assert 200 == answer.status
        assert "m-chunked" in await ids_of(sender.site, kafka)

    async def test_the_good_events_of_a_batch_are_taken_and_the_bad_one_is_a_dead_letter(
        self, sender: Sender, kafka: KafkaCluster
    ) -> None:
        bad = {"type": "click", "note": uuid.uuid4().hex}
        reply = await sender.post("/v1/batch", {"batch": [call("good-1"), bad, call("good-2")]})
        letters = await records_of(sender.site, kafka.bootstrap_servers, DEAD_LETTERS.name)
        assert 200 == reply.status
        assert (True, 2) == (reply.said["success"], reply.said["accepted"])
        assert [(1, "unknown_type")] == [(r["index"], r["error"]) for r in reply.said["refused"]]
        assert {"m-good-1", "m-good-2"} <= set(await ids_of(sender.site, kafka))
        assert [("collect", "unknown_type", sender.site, 1)] == [
            (letter["stage"], letter["reason"], letter["source"], letter["position"])
            for letter in letters
            if json.loads(letter["payload"]) == bad
        ]

    async def test_a_pixel_is_taken_and_answered_with_a_gif(
        self, sender: Sender, kafka: KafkaCluster
    ) -> None:
        query = f"e=pv&aid={WRITE_KEY}&duid=d-1&eid=pixel"
        async with sender.session.get(f"{sender.url}/i?{query}", headers={"origin": ORIGIN}) as got:
            assert (200, "image/gif") == (got.status, got.content_type)
            assert ORIGIN == got.headers["access-control-allow-origin"]
        assert "pixel" in await ids_of(sender.site, kafka)

    async def test_gzip_that_no_header_tells_of_is_taken(
        self, sender: Sender, kafka: KafkaCluster
    ) -> None:
        event = {"uuid": "sniffed", "event": "X", "distinct_id": "u-1"}
        packed = gzip.compress(json.dumps({"api_key": WRITE_KEY, "batch": [event]}).encode())
        assert 200 == (await sender.post("/e/", packed, authorization="")).status
        assert "sniffed" in await ids_of(sender.site, kafka)

    async def test_what_an_sdk_asks_first_is_answered_so_that_a_page_can_read_it(
        self, sender: Sender
    ) -> None:
        for path in ("/v1/projects/wk/settings", "/sourceConfig/", "/array/wk/config", "/flags/"):
            async with sender.session.get(sender.url + path, headers={"origin": ORIGIN}) as got:
                assert (200, ORIGIN) == (got.status, got.headers["access-control-allow-origin"])


class TestRefusing:
    async def test_bad_input_is_refused_and_good_events_sent_meanwhile_all_arrive(
        self, sender: Sender, kafka: KafkaCluster
    ) -> None:
        name = uuid.uuid4().hex
        good = [f"{name}-{number}" for number in range(200)]
        deep = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
        bomb = gzip.compress(bytes(200_000_000))
        whole = gzip.compress(json.dumps(call()).encode())
        wrong = aiohttp.encode_basic_auth("wk_other", "")
        refusals = [
            ((400, "not_json"), sender.post("/v1/track", b'{"event": "Product')),
            ((401, "unknown_write_key"), sender.post("/v1/track", call(), authorization=wrong)),
            ((413, "too_large"), sender.post("/v1/track", call(properties={"a": "x" * 600_000}))),
            ((413, "too_large"), sender.post("/v1/track", call(properties={"a": "x" * 40_000}))),
            ((400, "too_deep"), sender.post("/v1/track", b'{"properties":' + deep + b"}")),
            ((413, "too_large"), sender.post("/v1/batch", bomb, content_encoding="gzip")),
            ((413, "too_large"), sender.post("/e/", bomb)),
            ((401, "unknown_write_key"), sender.post("/e/", {"api_key": "wk", "event": "X"})),
            ((400, "not_json"), sender.post("/api/event", b"{")),
            ((404, "not_found"), sender.post("/i", call())),
            ((400, "unknown_type"), sender.post("/v1/track", call(type="click"))),
            ((404, "not_found"), sender.post("/v1/click", call())),
            (
                (400, "time_out_of_range"),
                sender.post("/v1/track", call(timestamp="2099-01-01T00:00:00Z")),
            ),
            ((400, "invalid_field"), sender.post("/v1/track", call(anonymousId={}))),
            ((413, "too_large"), sender.post("/v1/batch", {"batch": [{}] * 10_000})),
            ((400, "broken_gzip"), sender.post("/v1/track", whole[:-9], content_encoding="gzip")),
            ((415, "unsupported_encoding"), sender.post("/v1/track", whole, content_encoding="br")),
        ]
        sent = [sender.post("/v1/track", call(messageId=each)) for each in good]
        answers = await asyncio.gather(*(reply for _, reply in refusals), *sent)
        refused, accepted = answers[: len(refusals)], answers[len(refusals) :]
        assert [verdict for verdict, _ in refusals] == [reply.verdict for reply in refused]
        assert {200} == {reply.status for reply in accepted}
        assert set(good) <= set(await ids_of(sender.site, kafka))

    async def test_a_batch_without_a_good_event_is_refused_and_names_them_all(
        self, sender: Sender
    ) -> None:
        reply = await sender.post("/v1/batch", {"batch": [{}, call(type="x")]})
        assert (400, False, 0) == (reply.status, reply.said["success"], reply.said["accepted"])
        assert ["missing_field", "unknown_type"] == [
            each["error"] for each in reply.said["refused"]
        ]

    async def test_a_body_that_never_ends_is_given_up(self, running: CollectorProcess) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        async with asyncio.timeout(15):
            answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"too_slow"' in answer

    async def test_a_sender_that_hangs_up_leaves_no_dead_letter(
        self, sender: Sender, running: CollectorProcess, kafka: KafkaCluster
    ) -> None:
        before = await records_of(sender.site, kafka.bootstrap_servers, DEAD_LETTERS.name)
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(
            b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
            b"Authorization: Basic d2tfdGVzdDo=\r\n\r\n{"
        )
        await writer.drain()
        writer.close()
        await asyncio.sleep(0.2)
        assert 200 == (await sender.post("/v1/track", call())).status
        after = await records_of(sender.site, kafka.bootstrap_servers, DEAD_LETTERS.name)
        assert len(before) == len(after)


class TestOrigins:
    async def test_an_allowed_page_may_send_and_read_the_answer(self, sender: Sender) -> None:
        reply = await sender.post("/v1/t", call(), origin=ORIGIN)
        assert 200 == reply.status
        assert (ORIGIN, "true", "origin") == (
            reply.headers["access-control-allow-origin"],
            reply.headers["access-control-allow-credentials"],
            reply.headers["vary"],
        )

    async def test_a_refusal_can_be_read_by_the_page_too(self, sender: Sender) -> None:
        reply = await sender.post("/v1/t", b"", origin=ORIGIN)
        assert (400, ORIGIN) == (reply.status, reply.headers["access-control-allow-origin"])

    async def test_another_page_may_not_and_its_origin_is_not_reflected(
        self, sender: Sender
    ) -> None:
        reply = await sender.post("/v1/t", call(), origin="https://evil.example")
        assert (403, "origin_not_allowed") == reply.verdict
        assert "access-control-allow-origin" not in reply.headers

    async def test_a_path_that_nothing_is_sent_to_has_no_preflight(self, sender: Sender) -> None:
        async with sender.session.options(f"{sender.url}/x", headers={"origin": ORIGIN}) as answer:
            assert 404 == answer.status

    async def test_the_preflight_says_what_may_be_sent(self, sender: Sender) -> None:
        asked = "authorization, x-retry-count, rsa-retry-reason"
        headers = {"origin": ORIGIN, "access-control-request-headers": asked}
        async with sender.session.options(f"{sender.url}/v1/t", headers=headers) as answer:
            assert 204 == answer.status
            assert ORIGIN == answer.headers["access-control-allow-origin"]
            assert "GET, POST" == answer.headers["access-control-allow-methods"]
            assert asked == answer.headers["access-control-allow-headers"]


class TestRunning:
    async def test_health_and_metrics_are_told(self, sender: Sender) -> None:
        assert 200 == (await sender.get("/healthz/live"))[0]
        assert 200 == (await sender.get("/healthz/ready"))[0]
        status, metrics = await sender.get("/metrics")
        assert 200 == status
        assert "touchstream_collector_ready 1.0" in metrics

    async def test_a_head_is_answered_like_a_get_without_a_body(
        self, running: CollectorProcess
    ) -> None:
        async with aiohttp.ClientSession(running.url) as session:
            for path in ("/healthz/live", "/healthz/ready", "/metrics", "/beacon.js"):
                async with session.get(path) as full, session.head(path) as head:
                    assert (head.status, await head.read()) == (full.status, b"")
                    assert head.headers["content-type"] == full.headers["content-type"]

    async def test_a_taken_port_is_named_with_the_way_out(self, running: CollectorProcess) -> None:
        settings = {"write_keys": '{"wk": "shop"}', "collector_port": str(running.port)}
        second = await start(settings, stderr=PIPE)
        _, said = await second.communicate()
        assert 1 == second.returncode
        assert f"cannot listen on 127.0.0.1:{running.port}" in said.decode()
        assert "TOUCHSTREAM_COLLECTOR_PORT" in said.decode()

    async def test_without_write_keys_it_does_not_start_and_says_what_to_set(self) -> None:
        process = await start({"write_keys": "{}"}, stderr=PIPE)
        _, said = await process.communicate()
        assert 2 == process.returncode
        assert "TOUCHSTREAM_WRITE_KEYS" in said.decode()

    async def test_told_to_stop_it_answers_the_requests_that_wait_and_exits_with_0(
        self, kafka: KafkaCluster
    ) -> None:
        await make_topics(kafka.bootstrap_servers)
        async with collector(kafka.bootstrap_servers, collector_batch_wait="PT0.5S") as process:
            await process.until_ready()
            async with sender_to(process) as sending:
                waiting = asyncio.create_task(sending.post("/v1/track", call("last")))
                await asyncio.sleep(0.2)
                async with asyncio.timeout(5):
                    assert 0 == await process.stop()
                assert 200 == (await waiting).status
            assert ["m-last"] == await ids_of(process.site, kafka)


@pytest.mark.usefixtures("kafka_jars")
class TestKafkaAway:
    async def test_before_kafka_and_while_it_is_away_senders_get_503_in_time_and_then_200_again(
        self,
    ) -> None:
        cluster = KafkaCluster()
        async with (
            collector(cluster.bootstrap_servers, collector_ack_timeout="PT2S") as process,
            sender_to(process) as sending,
        ):
            assert 503 == (await sending.get("/healthz/ready"))[0]
            assert {(503, "unavailable")} == await verdicts(sending, "before", within=1)
            async with cluster:
                await make_topics(cluster.bootstrap_servers)
                await process.until_ready()
                assert 200 == (await sending.post("/v1/track", call("first"))).status
                await cluster.kill(1)
                assert {(503, "unavailable")} == await verdicts(sending, "killed", within=3)
                assert 503 == (await sending.get("/healthz/ready"))[0]
                await cluster.restart(1)
                assert await until_taken(sending, "second")
                cluster.pause(1)
                assert {(503, "unavailable")} == await verdicts(sending, "paused", within=3)
                cluster.resume(1)
                assert await until_taken(sending, "third")
                await process.until_ready()
                acknowledged = {"m-first", "m-second", "m-third"}
                assert acknowledged <= set(await ids_of(process.site, cluster))


async def verdicts(sending: Sender, name: str, within: float) -> set[tuple[int, str]]:
    """Send twenty calls at once; give the different answers."""
    calls = [sending.post("/v1/track", call(f"{name}-{number}")) for number in range(20)]
    async with asyncio.timeout(within):
        replies = await asyncio.gather(*calls)
    assert {"5"} == {reply.headers["retry-after"] for reply in replies}
    return {reply.verdict for reply in replies}


async def until_taken(sending: Sender, name: str) -> bool:
    """Send a call again and again, as a sender does, until it is taken."""
    async with asyncio.timeout(30):
        while (await sending.post("/v1/track", call(name))).status != 200:
            pass
    return True
