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
from pipeline.collector.answers import STATUSES
from pipeline.collector.openapi import Operation
from pipeline.collector.operations import OPERATIONS
from pipeline.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from pipeline.topics import create_topics
from tests.support.collector import CollectorProcess, collector
from tests.support.ports import free_ports
from tests.support.provocations import SETTINGS, Request, requests

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
    given_up: dict[str, Answer],
) -> None:
    answers = [await ask(cut_off, operation, request) for request in requests(operation)[:1]]
    answers += [await ask(running, operation, request) for request in requests(operation)]
    if operation.examples:
        answers.append(given_up[operation.path])
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
    return status, said.get("error", "")


def promised(operation: Operation) -> set[Occurred]:
    refused = {(STATUSES[code], str(code)) for code in operation.refusals}
    return refused | {(status, "") for status in operation.answers}


def described(operation: Operation, status: int) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = DOCUMENT["paths"][operation.path][operation.method][
        "responses"
    ]
    return found[str(status)]


DOCUMENT: dict[str, Any] = json.loads(server.openapi())
