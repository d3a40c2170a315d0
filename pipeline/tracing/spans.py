"""The spans of a role, and the header by which records carry them on. Shell.

A record carries the `traceparent` of its request (W3C). Work on many records together is a span in
the trace of the first of them, with links to the others; each of these has a span of its own, which
links back. Only what the sampler has chosen is carried. Spans name topics, tables, statuses and
counts, and nothing of what was sent.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from itertools import islice

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.topics import Headers

About = Mapping[str, str | int]
"""Attributes of a span."""

HEADER = "traceparent"
MOST_TRACES = 32
"""Work on many records together appears in so many traces; the records may be of more."""
_LONGEST = 128
_SERVER_ERROR = 500
_W3C = TraceContextTextMapPropagator()


def exported(role: str) -> "Traces":
    """Send what `role` does to where the variables OTEL_* say, in batches and in the background."""
    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: f"touchstream-{role}"}))
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Traces(provider.get_tracer("touchstream", version("touchstream")))


class Traces:
    """Makes the spans of a role, by `tracer`."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def request(self, method: str, route: str, traceparent: str | None) -> Iterator[Span]:
        """Cover a request, in the trace of its sender if it names one; what it does is inside."""
        with self._tracer.start_as_current_span(
            f"{method} {route}",
            context=_read(traceparent or ""),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "http.route": route},
            record_exception=False,
        ) as span:
            yield span

    @contextmanager
    def sending(self, topic: str, count: int) -> Iterator[Headers]:
        """Cover sending records, inside of a request; give the headers that they carry."""
        with self._tracer.start_as_current_span(
            f"send {topic}",
            kind=SpanKind.PRODUCER,
            attributes=of_topic(topic, count),
            record_exception=False,
        ) as span:
            yield _written(span)

    @contextmanager
    def batch(
        self, name: str, about: About, carried: Iterable[Headers], seconds: float = 0
    ) -> Iterator[Headers]:
        """Cover work on records together that began `seconds` ago; `carried` are their headers.

        Give the headers for what comes of it: none if no record is of a trace.
        """
        began = time.time_ns() - round(1e9 * seconds)
        parents = list(islice(_parents(carried), MOST_TRACES))
        spans: list[Span] = []
        for parent in parents:
            linked = [_link(span) for span in spans[:1]] or [
                _link(get_current_span(other)) for other in parents[1:]
            ]
            spans.append(
                self._tracer.start_span(
                    name, parent, SpanKind.CONSUMER, about, linked, start_time=began
                )
            )
        try:
            yield _written(spans[0]) if spans else ()
        finally:
            for span in spans:
                span.end()

    def inserted(self, table: str, carried: Sequence[Headers], seconds: float) -> None:
        """Tell of an insert that took so long; `carried` has the headers of each row."""
        about: About = {
            "db.system.name": "clickhouse",
            "db.collection.name": table,
            "db.operation.batch.size": len(carried),
        }
        with self.batch(f"insert {table}", about, carried, seconds):
            pass


def answered(span: Span, status: int) -> None:
    """Note the answer of a request."""
    span.set_attribute("http.response.status_code", status)
    if status >= _SERVER_ERROR:
        span.set_status(StatusCode.ERROR)


def of_topic(topic: str, count: int) -> About:
    """Describe work on `count` records of a topic."""
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.batch.message_count": count,
    }


def _parents(carried: Iterable[Headers]) -> Iterator[Context]:
    """Give the contexts of the traces that were chosen, each trace once."""
    found = set()
    for told in dict.fromkeys(told for headers in carried for told in _told(headers)):
        context = _read(told)
        of = get_current_span(context).get_span_context()
        if of.is_valid and of.trace_flags.sampled and of.trace_id not in found:
            found.add(of.trace_id)
            yield context


def _told(headers: Headers) -> Iterator[str]:
    for name, value in headers:
        if name == HEADER and value:
            yield value.decode(errors="replace")


def _read(traceparent: str) -> Context:
    """Read a header; a context without a trace if it is none."""
    return _W3C.extract({HEADER: traceparent[:_LONGEST]}, context=Context())


def _written(span: Span) -> Headers:
    """Write the header of a span, if the sampler has chosen it."""
    if not span.get_span_context().trace_flags.sampled:
        return ()
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, context=set_span_in_context(span))
    return [(HEADER, carrier[HEADER].encode())]


def _link(span: Span) -> Link:
    return Link(span.get_span_context())
