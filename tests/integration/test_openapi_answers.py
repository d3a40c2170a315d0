"""Every answer that the OpenAPI document promises occurs, every one that occurs is promised."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jsonschema_rs
import pytest
import pytest_asyncio

from pipeline.collector import server
from pipeline.collector.answers import STATUSES
from pipeline.collector.openapi import Operation
from pipeline.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from pipeline.topics import create_topics
from schemas.calls import CallBatch
from tests.support.collector import WRITE_KEY, CollectorProcess, collector
from tests.support.ports import free_ports

KEY = {"authorization": aiohttp.encode_basic_auth(WRITE_KEY, "")}
DEEP = b'{"a":' * 5_000 + b"1" + b"}" * 5_000

Answer = tuple[int, str, bytes]
"""Status, media type and body."""

Occurred = tuple[int, str]
"""A status, and the error in the answer; empty for a success or an outcome."""


@dataclass
class Request:
    """Something to send to a path."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def saying(*calls: dict[str, Any], headers: dict[str, str] | None = None) -> list[Request]:
    return [Request(json.dumps(call).encode(), headers or {}) for call in calls]


NAMED = {"anonymousId": "a", "event": "X"}
TO_ALL = [
    Request(b"{"),
    Request(b"[]"),
    Request(gzip.compress(b"{}" * 100)[:-9], {"content-encoding": "gzip"}),
    Request(b"{}", {"content-encoding": "br"}),
    Request(b"{}", {"authorization": aiohttp.encode_basic_auth("wk_other", "")}),
    Request(b"{}", {"origin": "https://evil.example"}),
    Request(b'{"batch":"' + b"x" * 600_000 + b'"}'),
]
TO_ONE = [
    *TO_ALL,
    *saying(
        {"event": "X"},
        NAMED | {"type": "click"},
        {"type": "track", "anonymousId": "a"},
        NAMED | {"userId": {}},
        NAMED | {"timestamp": "yesterday"},
        NAMED | {"timestamp": "2099-01-01T00:00:00Z"},
        NAMED | {"properties": {"a": "x" * 40_000}},
    ),
    Request(b'{"properties":' + DEEP + b"}"),
]
GOOD = NAMED | {"type": "track"}
TO_MANY = [
    *TO_ALL,
    *saying(
        {},
        {"batch": {}},
        {"batch": [], "sentAt": "yesterday"},
        {"batch": [{}] * 10_000},
        {"batch": [GOOD, {"type": "click"}, {"type": "track"}]},
        {"batch": [{}, {"type": "track", "anonymousId": "a"}]},
    ),
    Request(b'{"batch":[' + DEEP + b"]}"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(embedded_broker: EmbeddedBroker) -> AsyncIterator[CollectorProcess]:
    servers = embedded_broker.bootstrap_servers
    await create_topics(Settings(kafka_bootstrap_servers=servers))
    origins = json.dumps(["https://shop.example"])
    async with collector(servers, collector_origins=origins, kafka_idempotence="false") as process:
        await process.until_ready()
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cut_off() -> AsyncIterator[CollectorProcess]:
    """A collector whose Kafka is not there."""
    async with collector(f"127.0.0.1:{free_ports(1)[0]}") as process:
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def given_up(running: CollectorProcess) -> dict[str, Answer]:
    """What each path answers to a body that never ends: all at once, it takes ten seconds."""
    paths = [operation.path for operation in server.OPERATIONS if operation.body]
    answers = await asyncio.gather(*(dawdle(running, path) for path in paths))
    return dict(zip(paths, answers, strict=True))


@pytest.mark.parametrize(
    "operation", server.OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}"
)
async def test_what_occurs_is_what_is_promised(
    operation: Operation,
    running: CollectorProcess,
    cut_off: CollectorProcess,
    given_up: dict[str, Answer],
) -> None:
    answers = [await ask(cut_off, operation, request) for request in requests(operation)[:1]]
    answers += [await ask(running, operation, request) for request in requests(operation)]
    if operation.body:
        answers.append(given_up[operation.path])
    for status, media, body in answers:
        assert media.partition(";")[0] == media_of(operation, status)
        if media == "application/json":
            schema_of(operation, status).validate(json.loads(body))
    assert {occurred(answer) for answer in answers} == promised(operation)


async def test_the_document_is_served(running: CollectorProcess) -> None:
    [operation] = [each for each in server.OPERATIONS if each.path == "/openapi.json"]
    status, _, body = await ask(running, operation, Request(b""))
    assert (status, body) == (200, server.openapi())


def requests(operation: Operation) -> list[Request]:
    """Give what provokes every answer; the first is good."""
    good = saying(dict(operation.example))
    if operation.body is None:
        return good
    return good + (TO_MANY if operation.body is CallBatch else TO_ONE)


async def ask(process: CollectorProcess, operation: Operation, request: Request) -> Answer:
    data, headers = (request.body, KEY | request.headers) if operation.body else (None, {})
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            operation.method, process.url + operation.path, data=data, headers=headers
        ) as answer,
    ):
        return answer.status, answer.headers["content-type"], await answer.read()


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
    said = json.loads(body) if media == "application/json" else {}
    return status, said.get("error", "")


def promised(operation: Operation) -> set[Occurred]:
    refused = {(STATUSES[code], str(code)) for code in operation.refusals}
    return refused | {(status, "") for status in operation.answers}


def media_of(operation: Operation, status: int) -> str:
    [media] = described(operation, status)["content"]
    return str(media)


def schema_of(operation: Operation, status: int) -> jsonschema_rs.Draft202012Validator:
    schema = described(operation, status)["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator(DOCUMENT | schema)


def described(operation: Operation, status: int) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = DOCUMENT["paths"][operation.path][operation.method][
        "responses"
    ]
    return found[str(status)]


DOCUMENT: dict[str, Any] = json.loads(server.openapi())
