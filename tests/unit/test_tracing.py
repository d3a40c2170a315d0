"""Traces over the whole line in memory: a request, its records, the fold, the rows."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pipeline.collector.batches import Batches
from pipeline.collector.server import Collector
from pipeline.collector.traced import TracedBatches, TracedRequests
from pipeline.kafka.in_memory import Fetched, ManualClock, MemoryBroker, MemoryConsumer
from pipeline.kafka.producer import Packed
from pipeline.kafka.records import Carrying, Record, carrying
from pipeline.roles.sink import SinkMetrics
from pipeline.settings import Settings
from pipeline.tracing.spans import HEADER, MOST_TRACES, Traces
from pipeline.tracker.output import Output
from pipeline.tracker.partition import Partition
from pipeline.tracker.steps import checkpoint, process
from pipeline.tracker.trails import Trails
from schemas.topics import RAW, SESSIONS, TABLES, TOUCHPOINTS, TRANSITIONS, Headers
from sinks.memory import MemorySink
from sinks.writer import Writer
from tests.support.journeys import RULES
from tests.support.tracker import untimed

PARENT = "00f067aa0ba902b7"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "0af7651916cd43dd8448eb211c80319c"


def traceparent(trace: str = TRACE, flags: str = "01") -> str:
    return f"00-{trace}-{PARENT}-{flags}"


@dataclass
class Asked:
    """A request as granian gives it."""

    headers: dict[str, str]
    path: str = "/v1/track"
    method: str = "POST"
    query_string: str = ""
    client: str = "203.0.113.9:5000"
    server: str = "127.0.0.1:8080"
    http_version: str = "1.1"
    authority: str | None = None


@dataclass
class Answering:
    """A request's body, and its answer."""

    body: bytes
    status: int = 0

    async def __call__(self) -> bytes:
        return self.body

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise NotImplementedError

    def response_bytes(self, status: int, headers: Any, body: bytes) -> None:
        del headers, body
        self.status = status


@dataclass
class Line:
    """Collector, tracker and sink in memory; without `is_on` they have no traces."""

    is_on: bool = True
    broker: MemoryBroker = field(default_factory=lambda: MemoryBroker(partition_count=1))
    clock: ManualClock = field(default_factory=ManualClock)
    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)

    def __post_init__(self) -> None:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.traces = Traces(provider.get_tracer("test"))
        self.trails = Trails(self.traces)
        self.partition = Partition(0)
        settings = Settings.model_validate({"write_keys": {"wk_secret": "shop"}})
        made = partial(TracedBatches, self.traces) if self.is_on else Batches
        collector = Collector(settings, self.clock, lambda _, **more: made(self.broker, **more))
        collector._is_connected = True
        self.app = TracedRequests(collector, self.traces) if self.is_on else collector

    async def ask(self, told: str | None, who: str = "ada", **more: Any) -> int:
        """Send a page view, and give the status of the answer."""
        call = {"anonymousId": who, "type": "page", "context": {"traits": {"email": "a@b.example"}}}
        body = msgspec.json.encode(call)
        headers = {"authorization": "Basic d2tfc2VjcmV0Og==", "content-length": str(len(body))}
        headers |= {"user-agent": "Mozilla/5.0 (secret)"} | ({HEADER: told} if told else {})
        protocol = Answering(body)
        await self.app.__rsgi__(Asked(headers, **more), protocol)  # type: ignore[arg-type]
        return protocol.status

    async def track(self) -> None:
        """Take all records through the steps, and make a checkpoint."""
        seen = self.partition.position + 1
        records = [
            Fetched(RAW.name, 0, offset, r.timestamp_ms, r.key, r.value, headers_of(r))
            for offset, r in enumerate(self.broker.log[RAW.name, 0])
        ][seen:]
        work = partial(process, self.partition, records, RULES, 1, untimed)
        await self.put(self.trails.process(0, records, work) if self.is_on else work())
        parts = checkpoint(self.partition, RULES, 1, untimed)
        for part in self.trails.fold(0, parts) if self.is_on else parts:
            await self.put(part)

    async def put(self, output: Output) -> None:
        for topic, rows in output.rows.items():
            await self.broker.send(topic, 0, rows)

    async def sink(self) -> None:
        """Write all rows into the tables."""
        consumer = MemoryConsumer(self.broker)
        consumer.assign([TopicPartition(topic, 0) for topic in TABLES])
        events = SinkMetrics(lambda: None, self.traces if self.is_on else None)
        writer = Writer(
            consumer, MemorySink(), TABLES, bury, events, most_rows=1000, longest_seconds=0
        )
        task = asyncio.create_task(writer.run())
        await asyncio.sleep(0.05)
        writer.stop.set()
        await task

    async def run(self, *told: str | None) -> None:
        """A request for each of `told`, of somebody else each, at the same time."""
        asked = [self.ask(each, f"visitor-{n}") for n, each in enumerate(told)]
        assert set(await asyncio.gather(*asked)) == {200}
        await self.track()
        await self.sink()

    def of(self, trace: str = TRACE) -> list[ReadableSpan]:
        """Give the finished spans of a trace, in order of their beginning."""
        found = [s for s in self.spans.get_finished_spans() if trace_of(s) == trace]
        return sorted(found, key=lambda span: span.start_time or 0)


async def bury(_letter: object) -> None:
    raise AssertionError


def headers_of(record: Record) -> Headers:
    return record.headers if isinstance(record, Carrying) else ()


def trace_of(span: Any) -> str:
    context = span.context
    return f"{context.trace_id:032x}"


def linked(span: ReadableSpan) -> list[str]:
    return [trace_of(link) for link in span.links]


def parent_of(span: ReadableSpan) -> str:
    return f"{span.parent.span_id:016x}" if span.parent else ""


def id_of(span: ReadableSpan) -> str:
    context: Any = span.context
    return f"{context.span_id:016x}"


WAY = ["POST /v1/track", f"send {RAW.name}", "process", "fold"]


async def test_one_trace_leads_from_the_sender_s_request_to_the_rows() -> None:
    line = Line()
    await line.run(traceparent())
    spans = line.of()
    inserts = {f"insert {TABLES[topic.name]}" for topic in (TOUCHPOINTS, SESSIONS, TRANSITIONS)}
    assert [span.name for span in spans][:4] == WAY
    assert inserts <= {span.name for span in spans[4:]}
    assert len(spans) == len(line.spans.get_finished_spans())
    parents = {span.name: parent_of(span) for span in spans}
    ids = {span.name: id_of(span) for span in spans}
    assert parents["POST /v1/track"] == PARENT
    assert parents[WAY[1]] == ids["POST /v1/track"]
    assert parents["process"] == parents["fold"] == parents["insert touchpoints"] == ids[WAY[1]]
    assert parents["insert sessions"] == ids["fold"]


async def test_a_request_without_a_trace_begins_one() -> None:
    line = Line()
    await line.run(None)
    [trace] = {trace_of(span) for span in line.spans.get_finished_spans()}
    assert [span.name for span in line.of(trace)][:4] == WAY


async def test_work_on_several_traces_stands_in_each_and_is_linked() -> None:
    line = Line()
    await line.run(traceparent(), traceparent(OTHER))
    for name in ("process", "fold", "insert touchpoints"):
        [one] = [span for span in line.of() if span.name == name]
        [other] = [span for span in line.of(OTHER) if span.name == name]
        assert (linked(one), linked(other)) == ([OTHER], [TRACE])
        assert one.attributes
        assert one.attributes == other.attributes


async def test_what_the_sampler_leaves_out_leaves_nothing_in_kafka() -> None:
    line = Line()
    await line.run(traceparent(flags="00"))
    assert line.spans.get_finished_spans() == ()
    assert {headers_of(r) for log in line.broker.log.values() for r in log} == {()}


@pytest.mark.parametrize(
    "told",
    ["", "no trace", f"00-{'0' * 32}-{PARENT}-01", traceparent() * 99, f"ff-{TRACE}-{PARENT}-01"],
)
async def test_a_header_that_is_no_trace_begins_another_one(told: str) -> None:
    line = Line()
    await line.run(told)
    assert line.of() == []
    assert len({trace_of(span) for span in line.spans.get_finished_spans()}) == 1


async def test_headers_of_strangers_in_kafka_disturb_nobody() -> None:
    line = Line(is_on=False)
    await line.ask(None)
    [record] = line.broker.log[RAW.name, 0]
    strange = [(HEADER, b"\xff\xfe"), (HEADER, b""), ("other", b"x" * 10_000), (HEADER, b"00-1")]
    line.is_on = True
    line.broker.log[RAW.name, 0] = [carrying(record, strange)]
    await line.track()
    await line.sink()
    assert line.spans.get_finished_spans() == ()
    assert len(line.broker.log[TOUCHPOINTS.name, 0]) == 1


async def test_a_batch_stands_in_so_many_traces_and_in_no_more() -> None:
    line = Line()
    await line.run(*(traceparent(f"{n:032x}") for n in range(1, 3 * MOST_TRACES)))
    finished = line.spans.get_finished_spans()
    assert len([span for span in finished if span.name == "process"]) == MOST_TRACES


async def test_spans_tell_nothing_of_what_was_sent() -> None:
    line = Line()
    await line.run(traceparent())
    await line.ask(traceparent(), path="/l/secret-of-a-link", method="GET")
    await line.ask(traceparent(), path="/v1/track", method="SECRET")
    told = [(span.name, dict(span.attributes or {})) for span in line.of()]
    assert {name for name, _ in told} >= {"GET other", "other other"}
    assert [
        about for about in told if "secret" in repr(about).lower() or "ada" in repr(about)
    ] == []
    events = [span.events for span in line.of() if span.events]
    assert events == []


async def test_an_answer_of_the_collector_is_told_and_its_health_is_not() -> None:
    line = Line()
    line.broker.is_down = True
    assert await line.ask(traceparent()) == 503
    assert await line.ask(traceparent(), path="/healthz/live", method="GET") == 200
    send, request = line.spans.get_finished_spans()
    assert (request.attributes or {})["http.response.status_code"] == 503
    assert not request.status.is_ok
    assert send.name == WAY[1]


async def test_visitors_that_go_on_waiting_keep_their_trace() -> None:
    line = Line()
    await line.ask(traceparent())
    records = [
        Fetched(RAW.name, 0, 0, r.timestamp_ms, r.key, r.value, headers_of(r))
        for r in line.broker.log[RAW.name, 0]
    ]
    line.trails.process(0, records, partial(process, line.partition, records, RULES, 1, untimed))
    unfinished = [Output()]
    assert list(line.trails.fold(0, iter(unfinished))) == unfinished
    assert list(line.trails.fold(0, iter([Output(offset=0)])))
    assert [span.name for span in line.of()][-2:] == ["fold", "fold"]
    assert list(line.trails.fold(0, iter([Output(offset=0)])))
    assert [span.name for span in line.of()].count("fold") == 2


def test_a_batch_of_kafka_keeps_headers_also_when_it_is_written_again() -> None:
    row, headers = (b"k", b"v", 5), [(HEADER, traceparent().encode())]
    packed = Packed([row, carrying(row, headers)])
    read = list(packed)
    assert read == [row, row]
    assert [list(headers_of(r)) for r in read if isinstance(r, Record)] == [headers]


def test_switched_off_nothing_of_opentelemetry_is_imported() -> None:
    roles = "pipeline.collector.serve, pipeline.tracker.app, pipeline.roles.sink"
    code = f"import sys, {roles}; print([m for m in sys.modules if m.startswith('opentelemetry')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


async def test_switched_off_records_carry_nothing() -> None:
    line = Line(is_on=False)
    await line.run(traceparent())
    assert line.spans.get_finished_spans() == ()
    assert not any(isinstance(r, Carrying) for log in line.broker.log.values() for r in log)
