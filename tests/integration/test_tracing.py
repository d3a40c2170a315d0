"""Traces of real processes: a request of a server, and what became of it, at an OTLP receiver."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pipeline.local.embedded.broker import EmbeddedBroker
from tests.support.collector import until_status
from tests.support.engine import EngineServer
from tests.support.line import running_line
from tests.support.ports import free_ports

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@dataclass
class Spans:
    """Takes spans by OTLP over HTTP: (service, name) by trace."""

    found: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        for of in told.resource_spans:
            named = {a.key: a.value.string_value for a in of.resource.attributes}
            for span in (span for scope in of.scope_spans for span in scope.spans):
                told_by = named["service.name"].removeprefix("touchstream-")
                self.found.setdefault(span.trace_id.hex(), set()).add((told_by, span.name))
        return web.Response(content_type="application/x-protobuf")


@asynccontextmanager
async def receiving(port: int) -> AsyncIterator[Spans]:
    spans, app = Spans(), web.Application()
    app.router.add_post("/v1/traces", spans.take)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield spans
    finally:
        await runner.cleanup()


async def test_a_request_and_its_rows_are_one_trace_and_a_receiver_that_is_gone_holds_up_nothing(
    embedded_broker: EmbeddedBroker, engine: EngineServer, tmp_path: Path
) -> None:
    [port, traces] = free_ports(2)
    async with running_line(
        embedded_broker.bootstrap_servers,
        engine,
        tmp_path,
        "tracing",
        idempotence=False,
        prefix="traced.",
    ) as (line, _):
        line.environment |= {
            "TOUCHSTREAM_TRACING": "true",
            "TOUCHSTREAM_WRITE_KEYS": json.dumps({"wk": "traced"}),
            "TOUCHSTREAM_COLLECTOR_PORT": str(port),
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{traces}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        for role in ("collect", "track", "sink"):
            await line.start(role)
        await until_status(f"http://127.0.0.1:{port}/healthz/ready", 200, 60)
        async with receiving(traces) as spans, aiohttp.ClientSession() as session:
            said = {"anonymousId": "ada", "event": "Product Viewed"}
            headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "authorization": "Basic d2s6"}
            url = f"http://127.0.0.1:{port}/v1/track"
            async with session.post(url, json=said, headers=headers) as answer:
                assert answer.status == 200
            wanted = {
                ("collect", "POST /v1/track"),
                ("collect", "send touchpoints.raw"),
                ("track", "process"),
                ("track", "fold"),
                ("sink", "insert touchpoints"),
                ("sink", "insert sessions"),
            }
            async with asyncio.timeout(90):
                while not wanted <= spans.found.get(TRACE, set()):  # noqa: ASYNC110 - processes
                    await asyncio.sleep(0.1)
        if not os.environ.get("LONG"):
            return  # below some seconds pass
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=said, headers=headers) as answer,
        ):
            assert answer.status == 200
        began = time.monotonic()
        await asyncio.gather(*map(line.terminate, ("collect", "track", "sink")))
        assert time.monotonic() - began < 40
