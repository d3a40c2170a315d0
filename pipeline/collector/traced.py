"""The collector with traces: a span for each request, and one for its records. Shell."""

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from granian.rsgi import (  # type: ignore[attr-defined]  # granian exports them without saying so
    HTTPProtocol,
    Scope,
)
from opentelemetry.trace import Span

from pipeline.collector.answers import Headers
from pipeline.collector.batches import Batches
from pipeline.collector.server import Collector
from pipeline.collector.vocabularies.routes import ROUTES, plain
from pipeline.kafka.records import Record, carrying
from pipeline.settings import Settings
from pipeline.tracing.spans import HEADER, Traces, answered

_UNTOLD = ("/healthz/", "/metrics")
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})


def traced(
    settings: Settings, clock: Callable[[], datetime], traces: Traces
) -> tuple[Collector, "TracedRequests"]:
    """Make a collector with traces, and the application around it."""
    collector = Collector(settings, clock, partial(TracedBatches, traces))
    return collector, TracedRequests(collector, traces)


class TracedRequests:
    """`app`, the RSGI application, with a span around each request but those for its health."""

    def __init__(self, app: Any, traces: Traces) -> None:
        self._app = app
        self._traces = traces

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        if scope.path.startswith(_UNTOLD):
            await self._app.__rsgi__(scope, protocol)
            return
        method = scope.method if scope.method in _METHODS else "other"
        told = scope.headers.get(HEADER)
        with self._traces.request(method, _route(scope), told) as span:
            await self._app.__rsgi__(scope, _Answering(protocol, span))


def _route(scope: Scope) -> str:
    """Give the path if it is one that all senders share; others may hold keys and signatures."""
    path = plain(scope.path)
    return path if (scope.method, path) in ROUTES else "other"


class _Answering:
    """The protocol of a request, whose answer is noted in `span`."""

    def __init__(self, protocol: HTTPProtocol, span: Span) -> None:
        self._protocol = protocol
        self._span = span

    async def __call__(self) -> bytes:
        body: bytes = await self._protocol()
        return body

    def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: AsyncIterator[bytes] = self._protocol.__aiter__()
        return pieces

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        answered(self._span, status)
        self._protocol.response_bytes(status, headers, body)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)


class TracedBatches(Batches):
    """Batches whose records carry the trace of their request."""

    def __init__(self, traces: Traces, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._traces = traces

    async def write(self, records: Iterable[tuple[str, Record]]) -> None:
        """Do as `Batches` does, in a span."""
        all_of_it = list(records)
        topic = all_of_it[0][0] if all_of_it else ""
        with self._traces.sending(topic, len(all_of_it)) as headers:
            await super().write((topic, carrying(row, headers)) for topic, row in all_of_it)
