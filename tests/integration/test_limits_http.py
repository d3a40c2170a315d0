"""Limits as senders meet them: real sockets, proxies' headers, keys that come and go."""

import asyncio
import base64
import json
import re
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from signal import SIGHUP
from time import monotonic
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from pipeline.kafka.topics import create_topics, read_topic
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.roles.drain import run as drain
from pipeline.settings import Settings
from schemas.topics import DEAD_LETTERS, OVERFLOW, RAW
from tests.support.collector import CollectorProcess, collector, start, until_status
from tests.support.ports import free_ports

_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
ATTACKS = ("\r\nSet-Cookie: a=b", "\x1b[31mred", "\x00", "\x7f", "\u2028", "%0d%0aX-B: c", "\u0085")


def embedded(broker: EmbeddedBroker, **more: Any) -> dict[str, str]:
    told = {"kafka_idempotence": "false", "collector_trusted_proxies": '["127.0.0.1"]'} | more
    return {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()
    }


def settings_of(broker: EmbeddedBroker) -> Settings:
    servers = broker.bootstrap_servers
    return Settings(kafka_bootstrap_servers=servers, kafka_idempotence=False)


async def send(
    process: CollectorProcess, key: str, number: int = 1, client: str = "8.8.8.8", **more: str
) -> tuple[int, dict[str, Any], Any]:
    """Send `number` touchpoints; give status, JSON and headers of the answer."""
    calls = [{"type": "track", "event": "X", "anonymousId": f"a-{n}"} for n in range(number)]
    headers = {
        "authorization": aiohttp.encode_basic_auth(key, ""),
        "x-forwarded-for": client,
        **more,
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{process.url}/v1/batch", json={"batch": calls}, headers=headers) as answer,
    ):
        return answer.status, await answer.json(), answer.headers


async def rows(broker: EmbeddedBroker, topic: str, site: str) -> list[dict[str, Any]]:
    read = [json.loads(each.value) async for each in read_topic(settings_of(broker), topic)]
    return [row for row in read if row["site"] == site]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def broker(embedded_broker: EmbeddedBroker) -> EmbeddedBroker:
    await create_topics(settings_of(embedded_broker))
    return embedded_broker


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(broker: EmbeddedBroker) -> AsyncIterator[CollectorProcess]:
    keys = {
        "hot": {"site": "hot", "events_per_second": 10},
        "own": {"site": "own", "origins": ["https://own.example"]},
        "old": {"site": "own", "not_after": "2026-01-01T00:00:00Z"},
        "any": "any",
    }
    more = embedded(broker, write_keys=keys, collector_network_requests=5)
    async with collector(broker.bootstrap_servers, **more) as process:
        await process.until_ready()
        yield process


async def test_beyond_its_share_a_key_is_taken_on_the_lane_and_all_of_it_comes_back(
    running: CollectorProcess, broker: EmbeddedBroker
) -> None:
    for _ in range(5):
        assert (await send(running, "hot", 100))[0] == 200
    assert (await send(running, "any", 100))[0] == 200
    usual = len(await rows(broker, RAW.name, "hot"))
    lane = len(await rows(broker, OVERFLOW.name, "hot"))
    assert (usual + lane, len(await rows(broker, OVERFLOW.name, "any"))) == (500, 0)
    assert usual in {200, 300}  # a hundred at once, and what overdraws
    settings = settings_of(broker).model_copy(update={"drain_metrics_port": 0})
    draining = asyncio.create_task(drain(settings))
    async with asyncio.timeout(20):
        while len(await rows(broker, RAW.name, "hot")) < 500:
            pass
    draining.cancel()
    await asyncio.wait([draining])
    ids = {row["touchpoint_id"] for row in await rows(broker, RAW.name, "hot")}
    assert len(ids) == 500


async def test_the_client_behind_a_trusted_proxy_stands_in_its_touchpoint(
    running: CollectorProcess, broker: EmbeddedBroker
) -> None:
    before = len(await rows(broker, RAW.name, "any"))
    await send(running, "any", client="1.1.1.1, 9.9.9.9")
    found = await rows(broker, RAW.name, "any")
    assert (len(found), "9.9.9.0") == (
        before + 1,
        max(found, key=lambda row: row["received_at"])["ip"],
    )


async def test_pages_that_look_for_scripts_which_are_not_here_can_still_send(
    running: CollectorProcess,
) -> None:
    """A hundred page loads behind one address: each asks for more than an SDK finds here."""
    from_office = {"x-forwarded-for": "9.9.7.1"}
    async with aiohttp.ClientSession(headers=from_office) as session:
        for number in range(200):
            path = f"/static/1.449.2/{('surveys', 'web-vitals')[number % 2]}.js"
            async with session.get(f"{running.url}{path}") as answer:
                assert answer.status == 404
            async with session.options(f"{running.url}{path}") as answer:
                assert answer.status == 404
    assert (await send(running, "any", client="9.9.7.1"))[0] == 200


@pytest.mark.parametrize(
    ("key", "origin", "expected"),
    [
        ("own", "https://own.example", (200, None)),
        ("own", "https://other.example", (403, "origin_not_allowed")),
        ("any", "https://other.example", (200, None)),
        ("old", "https://own.example", (401, "key_expired")),
    ],
)
async def test_a_key_is_for_its_pages_and_for_its_time(
    running: CollectorProcess, key: str, origin: str, expected: tuple[int, str | None]
) -> None:
    status, said, headers = await send(running, key, origin=origin)
    assert (status, said.get("error")) == expected
    assert headers["access-control-allow-origin"] == origin  # so that the page can read why


async def test_a_network_with_slow_requests_gets_no_more_of_them_in_and_others_do(
    running: CollectorProcess,
) -> None:
    async with AsyncExitStack() as slow:
        for _ in range(5):
            await slow.enter_async_context(talk(running.port, begun("7.7.7.7")))
        await asyncio.sleep(0.3)
        async with talk(running.port, begun("7.7.7.8")) as (reader, _):
            answer = await asyncio.wait_for(reader.read(), 5)
        assert b" 429 " in answer
        assert b"retry-after: 1\r\n" in answer
        assert (await send(running, "any", client="7.7.7.9"))[0] == 200  # named by its key
        async with talk(running.port, begun("7.7.8.9") + b"}") as (reader, _):
            assert b" 401 " in await asyncio.wait_for(reader.readline(), 5)


def begun(client: str) -> bytes:
    """Give a request without its last byte."""
    head = f"POST /v1/t HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\nContent-Length: 2\r\n"
    return f"{head}\r\n{{".encode()


@asynccontextmanager
async def talk(
    port: int, said: bytes
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(said)
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def test_what_drips_is_given_up_after_ten_seconds(running: CollectorProcess) -> None:
    head = b"POST /v1/t HTTP/1.1\r\nHost: x\r\n"
    answers = await asyncio.gather(
        dripped(running.port, head + b"Content-Length: 100000\r\n\r\n", b"x"),
        dripped(running.port, head + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        dripped(running.port, b"GET /i HTTP/1.1\r\n", b"a: b\r\n"),
    )
    assert [answer[:13] for answer in answers] == [b"HTTP/1.1 408 "] * 2 + [b""]


async def dripped(port: int, said: bytes, drop: bytes) -> bytes:
    """Begin and go on with a drop at a time, until there is an answer or an end."""
    async with talk(port, said) as (reader, writer):
        began, reading = monotonic(), asyncio.create_task(reader.read(1000))
        while not reading.done() and monotonic() - began < 20:
            writer.write(drop)
            await asyncio.wait([reading], timeout=0.2)
    assert 9 < monotonic() - began < 14
    return b"" if reading.exception() else reading.result()


async def test_nothing_that_is_sent_becomes_a_header_or_a_line_of_the_log(
    broker: EmbeddedBroker,
) -> None:
    [port] = free_ports(1)
    told = {"collector_port": str(port), "kafka_bootstrap_servers": broker.bootstrap_servers}
    process = await start(told | embedded(broker, write_keys={"wk": "site"}), stderr=PIPE)
    try:
        await until_status(f"http://127.0.0.1:{port}/healthz/ready", 200)
        sent = [each for attack in ATTACKS for each in attacks(attack)]
        answers = await asyncio.gather(*(told_raw(port, each) for each in sent))
    finally:
        process.terminate()
        _, log = await process.communicate()
    assert [answer for answer in answers if is_injected(answer)] == []
    assert {int(answer[9:12]) for answer in answers} == {200, 400, 401, 404, 415}
    assert log == b""


def is_injected(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    names = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    return bool(names & {b"set-cookie", b"x-b"}) or bool(_CONTROL.search(body))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nA: b\r\nSet-Cookie: a=b\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\n\x1b[31mred",
        b'HTTP/1.1 200 OK\r\n\r\n{"detail": "a\r\nb"}',
    ],
)
def test_an_injection_would_be_found(answer: bytes) -> None:
    assert is_injected(answer)


def attacks(text: str) -> list[bytes]:
    """Put `text` wherever a sender may write something."""
    raw = text.encode()
    call = json.dumps(
        {"event": text, "anonymousId": text, "messageId": text, "type": text, text: text}
    )
    name = base64.b64encode(raw + b":").decode()
    quoted = "".join(f"%{byte:02x}" for byte in raw)
    posted = f"Content-Length: {len(call)}\r\n\r\n{call}".encode()
    head = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    return [
        f"GET /{quoted}".encode() + head + b"\r\n",
        f"GET /v1/projects/{quoted}/settings".encode() + head + b"\r\n",
        f"GET /array/{quoted}/config.js".encode() + head + b"\r\n",
        f"GET /n/{quoted}".encode() + head + b"\r\n",
        f"GET /i?aid={quoted}&e={quoted}".encode() + head + b"\r\n",
        f"POST /v1/webhooks/{quoted}/{quoted}".encode() + head + posted,
        b"POST /v1/track" + head + f"Authorization: Basic {name}\r\n".encode() + posted,
        b"POST /v1/track" + head + b"Authorization: Basic d2s6\r\n" + posted,
        b"POST /v1/track"
        + head
        + b"Authorization: Basic d2s6\r\nOrigin: "
        + raw
        + b"\r\n"
        + posted,
        b"POST /v1/track" + head + b"X-Forwarded-For: " + raw + b"\r\n" + posted,
        b"POST /v1/track" + head + b"Content-Encoding: " + raw + b"\r\n" + posted,
    ]


async def told_raw(port: int, sent: bytes) -> bytes:
    async with talk(port, sent) as (reader, _):
        return await asyncio.wait_for(reader.read(), 5)


class TestChangingKeys:
    async def test_after_sighup_the_keys_of_the_file_count_and_bad_ones_change_nothing(
        self, broker: EmbeddedBroker, tmp_path: Path
    ) -> None:
        keys = tmp_path / "touchstream_write_keys"
        keys.write_text('{"first": "site"}')
        [port] = free_ports(1)
        told = embedded(broker) | {
            "secrets_dir": str(tmp_path),
            "collector_port": str(port),
            "kafka_bootstrap_servers": broker.bootstrap_servers,
        }
        process = CollectorProcess("site", port, await start(told, stderr=PIPE))
        try:
            await process.until_ready()
            assert await statuses(process) == (200, 401)
            keys.write_text(
                '{"first": {"site": "site", "not_after": "2026-01-01T00:00:00Z"}, "second": "site"}'
            )
            process.process.send_signal(SIGHUP)
            await asyncio.sleep(0.5)
            assert await statuses(process) == (401, 200)
            keys.write_text('{"third": {"site": ""}}')
            process.process.send_signal(SIGHUP)
            await asyncio.sleep(0.5)
            assert await statuses(process) == (401, 200)
        finally:
            process.process.terminate()
            _, log = await process.process.communicate()
        assert b"the write keys stay as they are" in log


async def statuses(process: CollectorProcess) -> tuple[int, int]:
    return (await send(process, "first"))[0], (await send(process, "second"))[0]


async def test_names_beyond_the_limit_are_dead_letters(broker: EmbeddedBroker) -> None:
    async with collector(
        broker.bootstrap_servers,
        **embedded(broker, collector_max_names="1", write_keys={"wk": "names"}),
    ) as process:
        await process.until_ready()
        assert (await send(process, "wk"))[0] == 200
        url, auth = (
            f"{process.url}/v1/track",
            {"authorization": aiohttp.encode_basic_auth("wk", "")},
        )
        async with aiohttp.ClientSession(headers=auth) as session:
            for name, status in (("new", 400), ("X", 200), ("Order Completed", 200)):
                async with session.post(url, json={"event": name, "userId": "u"}) as answer:
                    assert answer.status == status
    [letter] = await rows(broker, DEAD_LETTERS.name, "names")
    assert letter["reason"] == "too_many_names"
