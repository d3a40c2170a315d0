"""Requests made up from the OpenAPI document, sent to a running collector over HTTP.

The document is the one that is served. Half of the requests are Schemathesis' own, valid and not.
The other half are known requests with another value in one place, with the right key or signature,
so that they come further than the gate. `make fuzz` goes on for minutes.
"""

import asyncio
import os
import re
import socket
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from urllib3.util import Retry

from pipeline.collector.openapi.document import Operation
from pipeline.collector.openapi.operations import OPERATIONS
from pipeline.kafka.topics import create_topics
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from tests.fuzz.mutate import chance, changed
from tests.support import provocations
from tests.support.collector import CollectorProcess, collector

MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
"""How long all operations take together; 0: some requests for each."""

MOST_MEMORY_MB = 256
"""Of the collector, ever. It has some 70 MB when it starts, and 64 MB may wait for Kafka."""

_CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_EXAMPLES = 20 if MINUTES else 3


def _session() -> requests.Session:
    """Make a session that sends again what was not answered, twice at most.

    Who is turned away before the body is read may find the connection closed afterwards.
    """
    session = requests.Session()
    again = Retry(total=2, connect=0, status=0, redirect=0, other=0, allowed_methods=None)
    session.mount("http://", HTTPAdapter(max_retries=again))
    return session


@dataclass
class Tried:
    """The collector under test, its document, and what was sent to it."""

    process: CollectorProcess
    document: BaseSchema
    session: requests.Session = field(default_factory=_session)
    statuses: Counter[int] = field(default_factory=Counter)

    def operation(self, operation: Operation) -> APIOperation[Any, Any, Any, Any]:
        found: APIOperation[Any, Any, Any, Any] = self.document[operation.path][
            operation.method.upper()
        ]
        return found

    def hold(self, case: Case[Any], response: schemathesis.Response) -> None:
        """Hold an answer against the document."""
        self.statuses[response.status_code] += 1
        assert response.status_code < 500 or response.status_code == 503
        case.validate_response(response, checks=_CHECKS)

    def memory_mb(self) -> int:
        """Say how much memory the collector has had at most; where Linux does not tell, has now."""
        pid = self.process.process.pid
        status = Path(f"/proc/{pid}/status")
        if status.exists():
            most = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
            assert most
            return int(most[1]) // 1024
        told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)
        return int(told.stdout) // 1024


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tried(embedded_broker: EmbeddedBroker) -> AsyncIterator[Tried]:
    servers = embedded_broker.bootstrap_servers
    await create_topics(Settings(kafka_bootstrap_servers=servers))
    async with collector(servers, kafka_idempotence="false", **provocations.SETTINGS) as process:
        await process.until_ready()
        url = f"{process.url}/openapi.json"
        document = await asyncio.to_thread(schemathesis.openapi.from_url, url)
        tried = Tried(process, document)
        yield tried
        print(f"{tried.statuses.total():,} requests over HTTP, at most {tried.memory_mb()} MB")
        print(dict(sorted(tried.statuses.items())))
        tried.session.close()


@pytest.mark.timeout(300 + MINUTES * 60)
@pytest.mark.parametrize(
    "operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}"
)
def test_an_operation_answers_as_documented_whatever_is_sent(
    operation: Operation, tried: Tried
) -> None:
    for mode in _rounds():
        _send_made_up(operation, tried, mode)
        _send_changed(operation, tried)
    assert tried.memory_mb() < MOST_MEMORY_MB
    assert tried.session.get(f"{tried.process.url}/healthz/live").status_code == 200


_CALL = (
    b"POST /v1/track?a=b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Authorization: Basic d2tfdGVzdDo=\r\nUser-Agent: Mozilla/5.0\r\nOrigin: https://shop.example\r\n"
    b"Content-Encoding: identity\r\nContent-Length: 31\r\n\r\n"
    b'{"event":"X","anonymousId":"a"}'
)


@pytest.mark.timeout(300 + MINUTES * 60)
def test_a_call_with_any_bytes_in_one_place_gets_no_server_error(tried: Tried) -> None:
    assert _said(tried.process.port, _CALL).startswith(b"HTTP/1.1 200 ")

    @_quietly(500 if MINUTES else 30)
    @given(st.integers(0, len(_CALL)), st.integers(0, 3), st.binary(max_size=8))
    def send(at: int, without: int, other: bytes) -> None:
        said = _said(tried.process.port, _CALL[:at] + other + _CALL[at + without :], 0.3)
        assert not said.startswith(b"HTTP/1.1 5")

    send()
    assert _said(tried.process.port, _CALL).startswith(b"HTTP/1.1 200 ")


def _said(port: int, request: bytes, patience: float = 30.0) -> bytes:
    """Send bytes and give the answer; nothing if there is none after `patience` seconds."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        connection.sendall(request)
        try:
            return connection.recv(65_536)
        except (ConnectionResetError, TimeoutError):
            return b""


def _rounds() -> Iterator[GenerationMode]:
    end = time.monotonic() + MINUTES * 60 / len(OPERATIONS)
    yield from GenerationMode
    while time.monotonic() < end:
        yield from GenerationMode


def _quietly(examples: int) -> settings:
    return settings(
        max_examples=examples,
        phases=[Phase.generate, Phase.shrink],
        database=None,
        derandomize=not MINUTES,  # what is tried on every change is the same each time
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def _send_made_up(operation: Operation, tried: Tried, mode: GenerationMode) -> None:
    """Send what Schemathesis makes of the document, `mode` says whether it is valid."""
    described = tried.operation(operation)
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
        return  # a body of any shape, or none: nothing can be wrong with it

    @_quietly(_EXAMPLES)
    @given(described.as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        tried.hold(case, case.call(tried.process.url, tried.session, allow_redirects=False))

    send()


def _send_changed(operation: Operation, tried: Tried) -> None:
    """Send known requests with another value in one place of the query or the body."""
    described = tried.operation(operation)
    known = provocations.requests(operation)

    @_quietly(_EXAMPLES)
    @given(st.integers(0, 2**32))
    def send(seed: int) -> None:
        rng = chance(seed)
        start = known[0] if rng.randrange(2) else rng.choice(known)
        body = (changed(start.body, rng) if rng.randrange(8) else None) or start.body
        request = provocations.with_body(operation, start, body)
        answer = tried.session.request(
            operation.method,
            f"{tried.process.url}{start.path or operation.path}?{_query(start.query, rng)}",
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
        )
        case = described.Case()
        tried.hold(case, schemathesis.Response.from_requests(answer, verify=True))

    send()


def _query(query: str, rng: Random) -> str:
    """Change a value of a query, in two of three times."""
    if not query or rng.randrange(3) == 0:
        return query
    line = (changed(f"?{query}".encode(), rng) or b"").decode().partition("?")[2]
    return line or query
