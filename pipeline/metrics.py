"""All Prometheus metrics, a section per role. Counting only: nothing here decides anything.

Each role has its own registry and serves no other: otherwise the sink would report a gauge of the
collector as 0 for ever. Counters that an alert asks about are shown from the start of a role: of
one that appears with its first step, Prometheus does not see this step.
"""

import os
from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    make_wsgi_app,
)
from prometheus_client.exposition import ThreadingWSGIServer

from schemas.fates import FATES
from schemas.topics import TABLES


class _Silent(WSGIRequestHandler):
    """Does not log requests."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the library has it
        """Log nothing."""


def serve(
    host: str, port: int, role: CollectorRegistry, complaint: Callable[[], str] = str
) -> None:
    """Serve the metrics of `role` at `/metrics` on `host` and `port`; port 0 switches it off.

    `/healthz/live` is answered with 200, or with 503 and the `complaint` once there is one.

    Raises:
        OSError: nothing can listen there; its text says which setting chooses another port.
    """
    if not port:
        return
    show = make_wsgi_app(role)

    def answer(environ: Any, start: Any) -> Iterable[bytes]:
        is_head = environ["REQUEST_METHOD"] == "HEAD"
        if environ["PATH_INFO"] != "/healthz/live":
            shown = show(environ | {"REQUEST_METHOD": "GET"} if is_head else environ, start)
            return [] if is_head else shown
        why = complaint()
        start("503 Service Unavailable" if why else "200 OK", [("Content-Type", "text/plain")])
        return [] if is_head else [(why or "ok").encode() + b"\n"]

    try:
        server = make_server(host, port, answer, ThreadingWSGIServer, handler_class=_Silent)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        name = next(name for name, registry in ROLES.items() if registry is role)
        raise OSError(
            error.errno,
            f"the {name} cannot serve its metrics on {host}:{port} ({why}); choose another port "
            f"with TOUCHSTREAM_{name.upper()}_METRICS_PORT, or 0 for none",
        ) from None
    Thread(target=server.serve_forever, daemon=True).start()


def _role() -> CollectorRegistry:
    """Make the registry of a role, with the usual process metrics."""
    registry = CollectorRegistry()
    for of_process in (ProcessCollector, PlatformCollector, GCCollector):
        of_process(registry=registry)
    return registry


def show_from_zero(values: Iterable[str], *counters: Counter) -> None:
    """Show these counters for each of the values of their only label."""
    for value in values:
        for counter in counters:
            counter.labels(value)


ROLES = {role: _role() for role in ("collector", "drain", "tracker", "sink", "webhook", "watch")}
"""The registry of each role; its name is the job by which Prometheus knows it."""

COLLECTOR, DRAIN, TRACKER, SINK, WEBHOOK, WATCH = ROLES.values()

STALLED = {
    role: Gauge(
        f"touchstream_{role}_stalled_partitions",
        "Partitions that hold something for the role and do not move (TOUCHSTREAM_STALL_AFTER).",
        registry=ROLES[role],
    )
    for role in ("drain", "tracker", "sink", "webhook")
}

# --- collector ----------------------------------------------------------------------------------

COLLECTOR_ACCEPTED = Counter(
    "touchstream_collector_accepted",
    "Touchpoints that Kafka has acknowledged.",
    ["site"],
    registry=COLLECTOR,
)
COLLECTOR_REFUSED = Counter(
    "touchstream_collector_refused",
    "Touchpoints refused, and requests turned away.",
    ["reason"],
    registry=COLLECTOR,
)
COLLECTOR_REQUESTS = Counter(
    "touchstream_collector_requests", "Requests answered.", ["status"], registry=COLLECTOR
)
COLLECTOR_SEND_SECONDS = Histogram(
    "touchstream_collector_send_seconds",
    "Time from sending a batch to its acknowledgement.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=COLLECTOR,
)
COLLECTOR_PENDING = Gauge(
    "touchstream_collector_pending_bytes",
    "Bytes that wait for an acknowledgement.",
    registry=COLLECTOR,
)
COLLECTOR_READY = Gauge(
    "touchstream_collector_ready",
    "1: connected to Kafka, which acknowledges what it gets.",
    registry=COLLECTOR,
)
COLLECTOR_CLICKS_LOST = Counter(
    "touchstream_collector_clicks_lost",
    "Clicks in newsletters that were redirected although Kafka did not take them.",
    ["site"],
    registry=COLLECTOR,
)

COLLECTOR_KEY_ACCEPTED = Counter(
    "touchstream_collector_key_accepted",
    "Touchpoints that Kafka has acknowledged, by the beginning of the write key's SHA-256.",
    ["site", "key"],
    registry=COLLECTOR,
)
COLLECTOR_OVERFLOW = Counter(
    "touchstream_collector_overflow",
    "Touchpoints beyond the share of their write key, on the overflow topic.",
    ["site"],
    registry=COLLECTOR,
)
COLLECTOR_LIMITED = Counter(
    "touchstream_collector_limited",
    "Requests turned away unread because of their network, by what it has too much of: "
    "rate, at_once.",
    ["limit"],
    registry=COLLECTOR,
)
COLLECTOR_HELD = Gauge(
    "touchstream_collector_held",
    "Refusals that wait, so that whoever floods waits for them.",
    registry=COLLECTOR,
)

# --- drain --------------------------------------------------------------------------------------

DRAIN_RETURNED = Counter(
    "touchstream_drain_returned",
    "Touchpoints brought back from the overflow topic.",
    registry=DRAIN,
)
DRAIN_WAITING = Gauge(
    "touchstream_drain_waiting",
    "Touchpoints that wait in the overflow topic.",
    ["partition"],
    registry=DRAIN,
)
DRAIN_AGE = Gauge(
    "touchstream_drain_age_seconds",
    "How long the touchpoint that came back last has waited; 0 when nothing waits.",
    ["partition"],
    registry=DRAIN,
)

# --- tracker ------------------------------------------------------------------------------------

TRACKER_TOUCHPOINTS = Counter(
    "touchstream_tracker_touchpoints",
    f"Records read, by fate: {', '.join(FATES)}.",
    ["fate"],
    registry=TRACKER,
)
show_from_zero(FATES, TRACKER_TOUCHPOINTS)
TRACKER_DEAD_LETTERS = Counter(
    "touchstream_tracker_dead_letters",
    "Records refused by the tracker.",
    ["reason"],
    registry=TRACKER,
)
TRACKER_LAG = Gauge(
    "touchstream_tracker_lag",
    "Records in the log that are not yet durable as facts.",
    ["partition"],
    registry=TRACKER,
)
TRACKER_COMMITTED = Gauge(
    "touchstream_tracker_committed_offset",
    "Offset up to which all effects are durable.",
    ["partition"],
    registry=TRACKER,
)
TRACKER_VISITORS = Gauge(
    "touchstream_tracker_visitors",
    "Visitors remembered: without people, links and erased names.",
    ["partition"],
    registry=TRACKER,
)
TRACKER_STEP_SECONDS = Counter(
    "touchstream_tracker_step_seconds",
    "Processor time spent in each named step.",
    ["step"],
    registry=TRACKER,
)
TRACKER_RETRIES = Counter(
    "touchstream_tracker_retries",
    "Sends that Kafka did not acknowledge and that were repeated.",
    registry=TRACKER,
)

# --- sink ---------------------------------------------------------------------------------------

SINK_ROWS = Counter("touchstream_sink_rows", "Rows that ClickHouse took.", ["table"], registry=SINK)
SINK_REFUSED = Counter(
    "touchstream_sink_refused_rows",
    "Rows that ClickHouse refused: dead letters.",
    ["table"],
    registry=SINK,
)
SINK_LAG = Gauge(
    "touchstream_sink_lag",
    "Records in the log that are not yet rows.",
    ["topic", "partition"],
    registry=SINK,
)
SINK_RETRIES = Counter(
    "touchstream_sink_retries",
    "Inserts repeated because ClickHouse did not answer.",
    ["table"],
    registry=SINK,
)
show_from_zero(TABLES.values(), SINK_ROWS, SINK_REFUSED, SINK_RETRIES)
SINK_INSERT_SECONDS = Histogram(
    "touchstream_sink_insert_seconds", "Time of one insert.", ["table"], registry=SINK
)

# --- webhook ------------------------------------------------------------------------------------

WEBHOOK_DELIVERED = Counter(
    "touchstream_webhook_delivered",
    "Messages that an endpoint has taken.",
    ["endpoint"],
    registry=WEBHOOK,
)
WEBHOOK_RETRIES = Counter(
    "touchstream_webhook_retries",
    "Messages sent again, because of no good answer.",
    ["endpoint"],
    registry=WEBHOOK,
)
WEBHOOK_BURIED = Counter(
    "touchstream_webhook_buried", "Messages given up: dead letters.", ["endpoint"], registry=WEBHOOK
)

# --- watch --------------------------------------------------------------------------------------

WATCH_ALERTS = Gauge(
    "touchstream_watch_alerts",
    "1 while an alert fires; the slice that explains it best, empty: everywhere.",
    ["site", "kind", "step", "next_step", "dimension", "value"],
    registry=WATCH,
)
WATCH_LEVEL = Gauge(
    "touchstream_watch_level",
    "What was counted against the usual, of the last two hours: 1 is as usual.",
    ["site", "kind", "step", "next_step"],
    registry=WATCH,
)
WATCH_BEHIND = Gauge(
    "touchstream_watch_behind_seconds",
    "How far the last judged minute lies back: tracker and sink must have done with it.",
    registry=WATCH,
)
WATCH_KAFKA = Gauge(
    "touchstream_watch_kafka_partitions",
    "Partitions of our topics by state: well, under_replicated, without_leader.",
    ["state"],
    registry=WATCH,
)
WATCH_KAFKA_DISK = Gauge(
    "touchstream_watch_kafka_disk_free_ratio",
    "Share of a broker's fullest disk that is free; a broker that does not tell is not shown.",
    ["broker"],
    registry=WATCH,
)
WATCH_DELIVERED = Counter(
    "touchstream_watch_delivered", "Alerts that a channel has taken.", ["channel"], registry=WATCH
)
WATCH_UNDELIVERED = Counter(
    "touchstream_watch_undelivered",
    "Alerts that a channel did not take; they are sent again.",
    ["channel"],
    registry=WATCH,
)
WATCH_LAST_SUCCESS = Gauge(
    "touchstream_watch_last_success_timestamp_seconds",
    "When a minute was last judged; at the start: when it started.",
    registry=WATCH,
)
WATCH_FAILURES = Counter(
    "touchstream_watch_failures",
    "Rounds, or sites in a round, that could not be judged.",
    registry=WATCH,
)
