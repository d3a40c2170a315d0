"""Every answer that the OpenAPI document promises occurs, every one that occurs is promised."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jsonschema_rs
import pytest
import pytest_asyncio
from yarl import URL

from pipeline.collector import server
from pipeline.collector.openapi.document import Operation
from pipeline.collector.openapi.operations import OPERATIONS
from pipeline.kafka.topics import create_topics
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from tests.support.collector import WRITE_KEY, CollectorProcess, collector
from tests.support.ports import free_ports
from tests.support.provocations import KEYS, SETTINGS, Request, requests

_FROM_AFAR = {"x-forwarded-for": "8.8.8.8"}

Answer = tuple[int, str, bytes]
"""Status, media type and body."""

Occurred = tuple[int, str]
"""A status, and the error in the answer; empty for a success or an outcome."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(embedded_broker: EmbeddedBroker) -> AsyncIterator[CollectorProcess]:
    servers = embedded_broker.bootstrap_servers
    await create_topics(Settings(kafka_bootstrap_servers=servers))
    async with collector(servers, kafka_idempotence="false", **SETTINGS) as process:
        await process.until_ready()
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def crowded(embedded_broker: EmbeddedBroker) -> AsyncIterator[CollectorProcess]:
    """A collector whose site has had its names."""
    servers = embedded_broker.bootstrap_servers
    few: dict[str, str] = {"kafka_idempotence": "false", "collector_max_names": "1"}
    async with collector(servers, **few, **SETTINGS) as process:
        await process.until_ready()
        assert await track(process, WRITE_KEY, {"event": "The name", "anonymousId": "a"}) == 200
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kept_out(embedded_broker: EmbeddedBroker) -> dict[str, Answer]:
    """What is answered to a network that has sent too much: all at once, such answers are late."""
    strict: dict[str, str] = {
        "kafka_idempotence": "false",
        "collector_trusted_proxies": '["127.0.0.1"]',
        "collector_network_bytes": "1",
        "collector_burst": "PT1H",
    }
    async with collector(embedded_broker.bootstrap_servers, **strict, **SETTINGS) as process:
        await process.until_ready()
        much = {"event": "X", "anonymousId": "a", "properties": {"a": "x" * 4_000}}
        assert await track(process, WRITE_KEY, much) == 200
        assert await track(process, "", much | {"writeKey": WRITE_KEY}) == 200
        return await ask_all("too_many_requests", process)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def spent(embedded_broker: EmbeddedBroker) -> dict[str, Answer]:
    """What is answered to whom has sent what its key may in a day; such answers are late too."""
    quota = {key: {"site": "shop", "events_per_day": 1} for key in KEYS}
    settings = SETTINGS | {"kafka_idempotence": "false", "write_keys": json.dumps(quota)}
    async with collector(embedded_broker.bootstrap_servers, **settings) as process:
        await process.until_ready()
        for key in KEYS:
            assert await track(process, key, {"event": "X", "anonymousId": "a"}) == 200
        return await ask_all("quota_exceeded", process)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cut_off() -> AsyncIterator[CollectorProcess]:
    """A collector whose Kafka is not there."""
    async with collector(f"127.0.0.1:{free_ports(1)[0]}", **SETTINGS) as process:
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def given_up(running: CollectorProcess) -> dict[str, Answer]:
    """What each path answers to a body that never ends: all at once, it takes ten seconds."""
    with_body = [operation for operation in OPERATIONS if operation.examples]
    paths = [requests(operation)[0].path or operation.path for operation in with_body]
    answers = await asyncio.gather(*(dawdle(running, path) for path in paths))
    return {each.path: answer for each, answer in zip(with_body, answers, strict=True)}


@pytest.mark.parametrize(
    "operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}"
)
async def test_what_occurs_is_what_is_promised(
    operation: Operation,
    running: CollectorProcess,
    cut_off: CollectorProcess,
    crowded: CollectorProcess,
    given_up: dict[str, Answer],
    kept_out: dict[str, Answer],
    spent: dict[str, Answer],
) -> None:
    answers = [await ask(cut_off, operation, request) for request in requests(operation)[:1]]
    answers += await asyncio.gather(
        *(ask(running, operation, each) for each in requests(operation))
    )
    if operation.examples:
        answers.append(given_up[operation.path])
    if occurs_in(operation, "too_many_names"):
        answers.append(await ask_for("too_many_names", crowded, operation))
    if occurs_in(operation, "too_many_requests"):
        answers.append(kept_out[operation.path])
    if occurs_in(operation, "quota_exceeded"):
        answers.append(spent[operation.path])
    assert {occurred(answer) for answer in answers} == promised(operation)
    for status, media, body in answers:
        content = described(operation, status).get("content", {})
        if body or content:
            schema = content[media]["schema"]
        if media == "application/json" and body:
            jsonschema_rs.Draft202012Validator(DOCUMENT | schema).validate(json.loads(body))


async def test_the_document_is_served(running: CollectorProcess) -> None:
    [operation] = [each for each in OPERATIONS if each.path == "/openapi.json"]
    status, _, body = await ask(running, operation, Request())
    assert (status, body) == (200, server.openapi())


async def track(process: CollectorProcess, key: str, call: dict[str, Any]) -> int:
    headers = (
        _FROM_AFAR | {"authorization": aiohttp.encode_basic_auth(key, "")} if key else _FROM_AFAR
    )
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{process.url}/v1/track", json=call, headers=headers) as answer,
    ):
        return answer.status


def occurs_in(operation: Operation, error: str) -> bool:
    return error in operation.refusals


async def ask(process: CollectorProcess, operation: Operation, request: Request) -> Answer:
    path = process.url + (request.path or operation.path)
    url = URL(f"{path}?{request.query}" if request.query else path, encoded=True)
    more: dict[str, Any] = {"headers": request.headers, "data": request.body or None}
    async with (
        aiohttp.ClientSession() as session,
        session.request(operation.method, url, allow_redirects=False, **more) as answer,
    ):
        media = answer.headers.get("content-type", "").partition(";")[0]
        return answer.status, media, await answer.read()


async def ask_all(error: str, process: CollectorProcess) -> dict[str, Answer]:
    """Send to all paths that may answer `error` what they would take otherwise, all at once."""
    operations = [each for each in OPERATIONS if occurs_in(each, error)]
    asked = [ask(process, each, requests(each)[0].having(**_FROM_AFAR)) for each in operations]
    answers = await asyncio.gather(*asked)
    return {each.path: answer for each, answer in zip(operations, answers, strict=True)}


async def ask_for(error: str, process: CollectorProcess, operation: Operation) -> Answer:
    """Send one request after the other until `error` is the answer; give the last answer."""
    for request in requests(operation):
        answer = await ask(process, operation, request)
        if occurred(answer)[1] == error:
            break
    return answer


async def dawdle(process: CollectorProcess, path: str) -> Answer:
    """Send a body that never ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{"
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    headers, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in headers
    return int(headers.split()[1]), "application/json", body


def occurred(answer: Answer) -> Occurred:
    status, media, body = answer
    said = json.loads(body) if media == "application/json" and body else {}
    return status, said.get("error") or "" if isinstance(said, dict) else ""


def promised(operation: Operation) -> set[Occurred]:
    refused = {(operation.statuses[code], str(code)) for code in operation.refusals}
    return refused | {(status, "") for status in operation.answers}


def described(operation: Operation, status: int) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = DOCUMENT["paths"][operation.path][operation.method][
        "responses"
    ]
    return found[str(status)]


DOCUMENT: dict[str, Any] = json.loads(server.openapi())
