"""The sink as a process: it gives `sinks` a consumer, metrics and signals. Shell."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from clickhouse_connect.driver.client import Client

from pipeline import metrics
from pipeline.clickhouse import ClickHouseUnavailable, connect
from pipeline.kafka import clients
from pipeline.kafka.dead_letters import DeadLetters
from pipeline.kafka.own_log import claim, is_of_another_log
from pipeline.kafka.rights import check_rights
from pipeline.kafka.watchdog import Watchdog, complaints, show
from pipeline.settings import Settings
from pipeline.tracing.begin import begin
from schemas.errors import TouchstreamError
from schemas.refusals import Refusals
from schemas.topics import DEAD_LETTERS, TABLES
from sinks.batch import Row
from sinks.clickhouse import ClickHouseSink
from sinks.migrate import check_deduplication, check_version
from sinks.writer import Writer

if TYPE_CHECKING:
    from pipeline.tracing.spans import Traces

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0

_AS_A_MEMBER: dict[str, Any] = {
    "auto_offset_reset": "earliest",
    "session_timeout_ms": 10_000,
    "rebalance_timeout_ms": 30_000,
    "heartbeat_interval_ms": 2_000,
    "max_partition_fetch_bytes": 8 * 1024 * 1024,
}


class AnotherLog(TouchstreamError):
    """The tables were written from another log; the text says what to do."""


class SinkMetrics:
    """Counts what the sink does; reports with `excuse` that it waits for ClickHouse."""

    def __init__(self, excuse: Callable[[], None], traces: "Traces | None" = None) -> None:
        self._excuse = excuse
        self._traces = traces

    def wrote(self, table: str, rows: Sequence[Row], seconds: float) -> None:
        """Rows are in the table."""
        metrics.SINK_ROWS.labels(table).inc(len(rows))
        metrics.SINK_INSERT_SECONDS.labels(table).observe(seconds)
        if self._traces:
            self._traces.inserted(table, [row.headers for row in rows], seconds)

    def retried(self, table: str, reason: str) -> None:
        """An insert will be repeated; the reason is in the log."""
        self._excuse()
        del reason
        metrics.SINK_RETRIES.labels(table).inc()

    def refused(self, table: str) -> None:
        """A row became a dead letter."""
        metrics.SINK_REFUSED.labels(table).inc()


async def run(settings: Settings) -> None:
    """Run the sink until SIGTERM or SIGINT; the last flush and commit are part of it."""
    stopping = asyncio.Event()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_, stopping.set)
    traces = begin("sink", is_on=settings.tracing)
    dogs: list[Watchdog] = []
    port = settings.sink_metrics_port
    metrics.serve(settings.metrics_host, port, metrics.SINK, lambda: complaints(dogs))
    client = await _connect(settings, stopping)
    if client is None:
        return
    with closing(client):
        async with clients.producer(settings, DEAD_LETTERS.name) as producer:
            await check_rights(settings, "sink")
            log_id = await _own_log(settings, client)
            async with clients.consumer(
                settings, *TABLES, group_id=settings.sink_group, **_AS_A_MEMBER
            ) as consumer:
                dog = _watchdog(settings, consumer)
                dogs.append(dog)
                writer = Writer(
                    consumer,
                    ClickHouseSink(client),
                    TABLES,
                    DeadLetters(producer).put,
                    SinkMetrics(dog.excuse, traces),
                    most_rows=settings.sink_batch_rows,
                    longest_seconds=settings.sink_batch_wait.total_seconds(),
                    refusals=Refusals(settings.dead_letters_run, settings.dead_letters_share),
                    prefix=settings.kafka_prefix,
                    log_id=log_id,
                )
                writer.stop = stopping
                with dog:
                    await writer.run()


async def _own_log(settings: Settings, client: Client) -> str:
    if await is_of_another_log(settings, client):
        raise AnotherLog(
            f"the facts in {settings.clickhouse_database} were written from another log than that "
            f"of {settings.kafka_bootstrap_servers}, or by another group than "
            f"{settings.sink_group}. If Kafka's data was lost, run `touchstream rebuild "
            "--lost-log`; for a Kafka in its place, see docs/operations.md; if only the group is "
            f"another one, run `touchstream replay topic {' '.join(TABLES)}`"
        )
    return await claim(settings, client)


def _watchdog(settings: Settings, consumer: AIOKafkaConsumer) -> Watchdog:
    return Watchdog(
        settings,
        group=settings.sink_group,
        topics=TABLES,
        owned=consumer.assignment,
        stalled=metrics.STALLED["sink"],
        lag=partial(_show_lag, settings.kafka_prefix),
    )


def _show_lag(prefix: str, place: TopicPartition, records: int | None) -> None:
    show(metrics.SINK_LAG, records, place.topic.removeprefix(prefix), place.partition)


async def _connect(settings: Settings, stopping: asyncio.Event) -> Client | None:
    while not stopping.is_set():
        try:
            client = await asyncio.to_thread(connect, settings)
        except ClickHouseUnavailable as error:
            log.warning("%s", error, extra={"event": "sink_waits_for_clickhouse"})
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            await asyncio.to_thread(check_version, client)
            await asyncio.to_thread(check_deduplication, client)
            return client
    return None
