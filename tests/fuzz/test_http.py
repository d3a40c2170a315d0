"""Requests made up from the OpenAPI document, sent to a running collector over HTTP.

The document is the one that is served. Half of the requests are Schemathesis' own, valid and not.
The other half are known requests with another value in one place, with the right key or signature,
so that they come further than the gate. `make fuzz` goes on for minutes.
"""

import asyncio
import os
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pipeline.collector.openapi import Operation
from pipeline.collector.operations import OPERATIONS
from pipeline.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from pipeline.topics import create_topics
from tests.fuzz.mutate import changed
from tests.support import provocations
from tests.support.collector import CollectorProcess, collector

MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
"""How long all operations take together; 0: some requests for each."""

MOST_MEMORY_MB = 256
"""Of the collector. It has some 100 MB when it starts, and 64 MB may wait for Kafka."""

_CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_EXAMPLES = 100 if MINUTES else 3


@dataclass
class Tried:
    """The collector under test, its document, and what was sent to it."""

    process: CollectorProcess
    document: BaseSchema
    session: requests.Session = field(default_factory=requests.Session)
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
        """Say how much memory the collector has."""
        told = ["ps", "-o", "rss=", "-p", str(self.process.process.pid)]
        return int(subprocess.run(told, capture_output=True, check=True).stdout) // 1024


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
        print(f"{tried.statuses.total():,} requests over HTTP, {tried.memory_mb()} MB at the end")
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
        rng = Random(seed)  # noqa: S311 - chance that can be repeated
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
