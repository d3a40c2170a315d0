"""The sink as a process: gives `sinks` its consumer, its metrics and its signals. Shell."""

import asyncio
import logging
import signal

from aiokafka import AIOKafkaConsumer
from clickhouse_connect.driver.client import Client

from pipeline import metrics
from pipeline.clickhouse import ClickHouseUnavailable, connect
from pipeline.kafka.dead_letters import DeadLetters
from pipeline.kafka.producer import KafkaProducer
from pipeline.settings import Settings
from schemas.topics import DEAD_LETTERS, TABLES
from sinks.clickhouse import ClickHouseSink
from sinks.migrate import check_deduplication, check_version
from sinks.writer import Writer

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0


class SinkMetrics:
    """Counts what the sink did."""

    def wrote(self, table: str, rows: int, seconds: float) -> None:
        """Rows are in the table."""
        metrics.SINK_ROWS.labels(table).inc(rows)
        metrics.SINK_INSERT_SECONDS.labels(table).observe(seconds)

    def retried(self, table: str, reason: str) -> None:
        """An insert will be repeated; the reason is in the log."""
        del reason
        metrics.SINK_RETRIES.labels(table).inc()

    def refused(self, table: str) -> None:
        """A row became a dead letter."""
        metrics.SINK_REFUSED.labels(table).inc()

    def lags(self, topic: str, partition: int, records: int) -> None:
        """So many records of a partition are not rows yet."""
        metrics.SINK_LAG.labels(topic, partition).set(records)


async def run(settings: Settings) -> None:
    """Run the sink until SIGTERM or SIGINT; the last flush and commit are part of it."""
    stopping = asyncio.Event()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_, stopping.set)
    metrics.serve(settings.metrics_host, settings.sink_metrics_port, metrics.SINK)
    client = await _connect(settings, stopping)
    if client is None:
        return
    producer = KafkaProducer(settings)
    await producer.start([DEAD_LETTERS.name])
    consumer = AIOKafkaConsumer(
        *TABLES,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=settings.sink_group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=10_000,
        rebalance_timeout_ms=30_000,
        heartbeat_interval_ms=2_000,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
    await consumer.start()
    writer = Writer(
        consumer,
        ClickHouseSink(client),
        TABLES,
        DeadLetters(producer).put,
        SinkMetrics(),
        most_rows=settings.sink_batch_rows,
        longest_seconds=settings.sink_batch_wait.total_seconds(),
    )
    writer.stop = stopping
    try:
        await writer.run()
    finally:
        await consumer.stop()
        await producer.stop()
        client.close()


async def _connect(settings: Settings, stopping: asyncio.Event) -> Client | None:
    while not stopping.is_set():
        try:
            client = await asyncio.to_thread(connect, settings)
        except ClickHouseUnavailable as error:
            log.warning("%s", error)
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            await asyncio.to_thread(check_version, client)
            await asyncio.to_thread(check_deduplication, client)
            return client
    return None
