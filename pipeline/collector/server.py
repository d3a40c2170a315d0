"""The collector: Segment's tracking API over HTTP, and 200 only after Kafka's acknowledgement.

Shell: granian's RSGI on one side, `Batches` on the other. What a call means is decided in
`intake`, what the sender is told in `answers`.
"""

import asyncio
import logging
import secrets
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from typing import get_args

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.rsgi import (  # type: ignore[attr-defined]  # granian exports them without saying so
    HTTPProtocol,
    ProtocolClosed,
    Scope,
)
from granian.server.embed import Server
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pipeline.collector import body
from pipeline.collector.answers import Answer, Headers, Problem, TurnedAway, outcome, refusal
from pipeline.collector.arrival import Arrival, browser
from pipeline.collector.batches import Batches
from pipeline.collector.collect import Collected, collect
from pipeline.collector.cookieless import Strangers
from pipeline.collector.gate import PREFLIGHT, Gate
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.openapi import Operation, document
from pipeline.collector.privacy import truncated_ip
from pipeline.collector.script import Script
from pipeline.collector.side_doors import SideDoors, unknown_places
from pipeline.collector.tracking import tracking
from pipeline.collector.webhooks.receive import PROVIDERS
from pipeline.metrics import (
    COLLECTOR_ACCEPTED,
    COLLECTOR_PENDING,
    COLLECTOR_READY,
    COLLECTOR_REFUSED,
    COLLECTOR_REQUESTS,
)
from pipeline.producer import KafkaProducer, NotAcknowledged
from pipeline.settings import Settings
from schemas.calls import Health
from schemas.codec import encode
from schemas.topics import DEAD_LETTERS, RAW
from schemas.touchpoint import TouchpointType

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 10.0
"""For the head of a request, and once more for its body; also how long an idle connection stays."""

_CONNECTIONS = 4096

_CALLS: dict[str, TouchpointType | None] = {
    **{f"/v1/{word}": kind for kind in get_args(TouchpointType) for word in (kind, kind[0])},
    "/v1/batch": None,
    "/v1/b": None,
}

OPERATIONS: tuple[Operation, ...] = (
    *(tracking(path, kind) for path, kind in _CALLS.items()),
    Operation(
        method="get",
        path="/healthz/live",
        summary="Whether the process answers",
        answers={200: (Health,)},
    ),
    Operation(
        method="get",
        path="/healthz/ready",
        summary="Whether calls can be taken",
        answers={200: (Health,)},
        refusals=(Problem.UNAVAILABLE,),
    ),
    Operation(
        method="get",
        path="/metrics",
        summary="Metrics for Prometheus",
        answers={200: ()},
        media="text/plain",
    ),
    Operation(method="get", path="/openapi.json", summary="This document", answers={200: ()}),
)
"""What is served; a page may ask before it sends (OPTIONS)."""


def openapi() -> bytes:
    """Write the OpenAPI document of this version as JSON."""
    return encode(document(OPERATIONS, version("touchstream")))


_NOWHERE = refusal(Problem.NOT_FOUND, f"there is POST on {', '.join(_CALLS)}")


class CollectorFailed(Exception):
    """The collector cannot start; the text says what to do."""


# Finding the counter of a label costs more than counting.
_accepted = cache(COLLECTOR_ACCEPTED.labels)
_refused = cache(COLLECTOR_REFUSED.labels)
_answered = cache(COLLECTOR_REQUESTS.labels)


class Collector:
    """The RSGI application."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._gate = Gate(settings.write_keys, settings.collector_origins)
        self._script = Script(settings.collector_beacon_endpoint)
        self._calls = {settings.collector_beacon_endpoint: None} | _CALLS
        self._strangers = Strangers(partial(secrets.token_bytes, 32))
        self._producer = KafkaProducer(settings)
        self._openapi = Answer(200, openapi())
        self._is_connected = False
        self._batches = Batches(
            self._producer,
            wait=settings.collector_batch_wait,
            ack_timeout=settings.collector_ack_timeout,
            max_pending=settings.collector_max_pending,
        )
        self._intake = Intake(
            Limits(
                bytes=settings.collector_max_event,
                depth=settings.collector_max_depth,
                age=settings.collector_max_age,
            )
        )
        self._side_doors = SideDoors(settings, clock, self._gate, self._intake, self._keep)

    async def connect(self) -> None:
        """Connect to Kafka, however long it takes; until then every call gets 503."""
        while not self._is_connected:
            try:
                await self._producer.start([RAW.name, DEAD_LETTERS.name])
                self._is_connected = True
            except NotAcknowledged as error:
                _log.warning("not ready: %s", error)
                await asyncio.sleep(1)

    async def close(self) -> None:
        """Send what is left and disconnect, in the time that Kafka has for an acknowledgement."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.collector_ack_timeout.total_seconds()):
                await self._batches.drain()
                await self._producer.stop()

    @property
    def is_ready(self) -> bool:
        """Whether calls can be taken."""
        return self._is_connected and not self._batches.is_failing

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        with suppress(ProtocolClosed):  # the sender is gone: there is nobody to answer
            answer = await self._answer(scope, protocol)
            _answered(answer.status).inc()
            protocol.response_bytes(answer.status, answer.headers, answer.body)

    async def _answer(self, scope: Scope, protocol: HTTPProtocol) -> Answer:
        if scope.path in self._calls and scope.method in {"POST", "OPTIONS"}:
            return await self._answer_call(scope, protocol)
        return await self._answer_other(scope, protocol)

    async def _answer_other(self, scope: Scope, protocol: HTTPProtocol) -> Answer:
        if (scope.method, scope.path) == ("GET", self._settings.collector_beacon_path):
            asked = scope.headers.get("if-none-match"), scope.headers.get("accept-encoding")
            return self._script.answer(*asked)
        return self._told(scope) or await self._side_doors.answer(scope, protocol) or _NOWHERE

    def _told(self, scope: Scope) -> Answer | None:
        match scope.method, scope.path:
            case "GET", "/healthz/live":
                return Answer(200, b'{"status":"live"}')
            case "GET", "/healthz/ready":
                return self._readiness()
            case "GET", "/metrics":
                return self._metrics()
            case "GET", "/openapi.json":
                return self._openapi
        return None

    def _readiness(self) -> Answer:
        if self.is_ready:
            return Answer(200, b'{"status":"ready"}')
        return refusal(Problem.UNAVAILABLE, "no connection to Kafka, or no acknowledgement from it")

    def _metrics(self) -> Answer:
        COLLECTOR_READY.set(self.is_ready)
        COLLECTOR_PENDING.set(self._batches.pending)
        return Answer(200, generate_latest(), [("content-type", CONTENT_TYPE_LATEST)])

    async def _answer_call(self, scope: Scope, protocol: HTTPProtocol) -> Answer:
        allowed: Headers = []
        try:
            allowed = self._gate.allow(scope.headers.get("origin"))
            if scope.method == "OPTIONS":
                return Answer(204, headers=PREFLIGHT + allowed)
            return (await self._take(scope, protocol)).with_headers(allowed)
        except TurnedAway as why:
            _refused(why.code).inc()
            return refusal(why.code, why.detail).with_headers(allowed)
        except NotAcknowledged:
            detail = "Kafka has not acknowledged it; send it again, with the same messageId"
            return refusal(Problem.UNAVAILABLE, detail).with_headers(allowed)

    async def _take(self, scope: Scope, protocol: HTTPProtocol) -> Answer:
        """Do what a call needs, from its bytes to Kafka's acknowledgement."""
        if not self._is_connected:  # before the body is read
            raise NotAcknowledged
        payload = await self._payload(scope, protocol)
        arrival = Arrival(
            site=self._gate.site(scope.headers.get("authorization"), payload),
            received_at=self._clock(),
            user_agent=browser(scope.headers.get("user-agent")),
            ip=truncated_ip(scope.client),
        )
        if self._settings.collector_cookieless:
            arrival.stranger = self._strangers.name(arrival)
        longest = self._settings.collector_max_batch
        collected = collect(payload, self._calls[scope.path], arrival, self._intake, longest)
        await self._keep(collected)
        return outcome(collected.is_batch, collected.accepted, collected.refused)

    async def _keep(self, collected: Collected) -> None:
        if not self._is_connected:
            raise NotAcknowledged("not connected to Kafka yet")
        await self._batches.write(collected.records)
        _count(collected)

    async def _payload(self, scope: Scope, protocol: HTTPProtocol) -> bytes:
        limit = self._settings.collector_max_body
        length = scope.headers.get("content-length")
        packed = await body.read(protocol, length, limit=limit, patience=_PATIENCE_SECONDS)
        return body.unpacked(packed, scope.headers.get("content-encoding"), limit)


def serve(settings: Settings) -> None:
    """Run the collector until SIGTERM or SIGINT; CollectorFailed if it cannot start."""
    if not settings.write_keys:
        raise CollectorFailed(
            "the collector needs a write key for each site: "
            """TOUCHSTREAM_WRITE_KEYS='{"wk_any_text": "shop"}'"""
        )
    if unknown := unknown_places(settings):
        raise CollectorFailed(
            f"TOUCHSTREAM_PROVIDER_SECRETS: {', '.join(unknown)}: write provider/site, with one of "
            f"the providers {', '.join(PROVIDERS)}"
        )
    _hold_free(settings.collector_host, settings.collector_port)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    collector = Collector(settings, clock=partial(datetime.now, UTC))
    # In this process, not in granian's workers: after kill -9 of a supervisor its workers go on.
    server = Server(
        collector,
        address=settings.collector_host,
        port=settings.collector_port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=int(_PATIENCE_SECONDS * 1000)),
        log_level=LogLevels.error,
    )
    for wish in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(wish, server.stop)
    async with asyncio.TaskGroup() as group:
        connecting = group.create_task(collector.connect())
        await server.serve()
        connecting.cancel()
    await collector.close()


def _hold_free(host: str, port: int) -> None:
    """Refuse a port in use: granian shares it (SO_REUSEPORT), and calls would go astray."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise CollectorFailed(
            f"the collector cannot listen on {host}:{port} ({error.strerror}); "
            "choose another address by TOUCHSTREAM_COLLECTOR_HOST and TOUCHSTREAM_COLLECTOR_PORT"
        ) from None


def _count(collected: Collected) -> None:
    _accepted(collected.arrival.site).inc(collected.accepted)
    for _, why in collected.refused:
        _refused(why.reason).inc()
