"""How fast one tracker process is: against its floor and against plain Faust agents, in one run.

    make bench                          the full form
    make bench ARGS="--touchpoints 60000"

One JSON object per record, durable state, all steps on, Apache Kafka on the same two cores. Rates
are taken from what arrives in the topic `touchpoints`, between a tenth and nine tenths of it.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console
from rich.table import Table

from pipeline.kafka.producer import KafkaProducer
from pipeline.kafka.records import partition_for
from pipeline.kafka.topics import create_topics
from pipeline.settings import Settings
from schemas.topics import RAW, TOUCHPOINTS, record_key
from tests.support.kafka import KafkaCluster
from tests.support.ports import free_ports

_PARTITIONS = 4
_PLAIN_SHARE = 15
"""Plain agents get a fifteenth of touchpoints and visitors: they would take minutes for all."""

_AGENTS = {"same": "does the same", "plain": "only counts"}


@dataclass(frozen=True)
class Result:
    """What one worker came to."""

    name: str
    touchpoints: int
    per_second: float
    cpu_us: float
    memory_mb: float
    steps_us: dict[str, float]


async def measure(name: str, command: Sequence[str], touchpoints: int, visitors: int) -> Result:
    """Feed a fresh Kafka, start the worker, and time what it writes."""
    async with KafkaCluster() as cluster:
        settings = Settings(kafka_bootstrap_servers=cluster.bootstrap_servers)
        await create_topics(settings)
        await _feed(settings, touchpoints, visitors)
        [port] = free_ports(1)
        with tempfile.TemporaryDirectory() as folder:
            worker = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *command),
                env={
                    **os.environ,
                    "BENCH_FOLDER": folder,
                    "TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrap_servers,
                    "TOUCHSTREAM_TRACKER_METRICS_PORT": str(port),
                    "TOUCHSTREAM_CONFIG": os.devnull,
                },
            )
            try:
                per_second = await _rate(settings, worker, touchpoints)
                cpu, memory = _usage(worker.pid)
                steps = await asyncio.to_thread(_steps, port) if name == "tracker" else {}
            finally:
                worker.kill()
                await worker.wait()
    return Result(
        name,
        touchpoints,
        per_second,
        cpu / touchpoints * 1e6,
        memory,
        {step: seconds / touchpoints * 1e6 for step, seconds in steps.items()},
    )


async def _feed(settings: Settings, touchpoints: int, visitors: int) -> None:
    producer = KafkaProducer(settings)
    await producer.start([RAW.name])
    batches: dict[tuple[str, int], list[tuple[bytes | None, bytes | None, int]]] = {}
    for key, value, at in _traffic(touchpoints, visitors):
        place = (RAW.name, partition_for(key, _PARTITIONS))
        batches.setdefault(place, []).append((key, value, at))
    for start in range(0, touchpoints, 5_000):
        await producer.send_all(
            {place: rows[start : start + 5_000] for place, rows in batches.items() if rows[start:]}
        )
    await producer.stop()


def _traffic(touchpoints: int, visitors: int) -> list[tuple[bytes, bytes, int]]:
    """Make an hour of shoppers in order of time, 640 bytes each, up to now."""
    random = Random(1)  # noqa: S311 - not for secrets
    now = datetime.now(UTC)
    names = ("Page Viewed", "Product Viewed", "Product Viewed", "Product Added", "Checkout Started")
    rows = []
    met: set[str] = set()
    for number in range(touchpoints):
        at = now - timedelta(hours=1) * (1 - number / touchpoints)
        when = at.isoformat(timespec="milliseconds")
        visitor = f"{random.randrange(visitors):032x}"
        is_landing = visitor not in met
        met.add(visitor)
        value = {
            "touchpoint_id": f"0198c2c0-0000-7000-8000-{number:012d}",
            "site": "shop",
            "type": "track",
            "name": random.choice(names),
            "channel": "shop",
            "occurred_at": when,
            "received_at": when,
            "sent_at": when,
            "anonymous_id": visitor,
            "url": f"https://shop.example/products/item-{random.randrange(500)}"
            + "?utm_source=newsletter&utm_medium=email" * is_landing,
            "title": "A product",
            "referrer": "https://mail.example/" if is_landing else "https://shop.example/",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
            f" Chrome/1{random.randrange(10, 60)}.0.0.0 Safari/537.36",
            "locale": "de-DE",
            "ip": "192.0.2.0",
            "properties": {"product_id": "p1", "price": 12.5, "quantity": 1, "currency": "EUR"},
        }
        encoded = json.dumps(value, separators=(",", ":")).encode()
        rows.append((record_key("shop", visitor), encoded, int(now.timestamp() * 1000)))
    return rows


async def _rate(settings: Settings, worker: asyncio.subprocess.Process, touchpoints: int) -> float:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await consumer.start()
    partitions = [TopicPartition(TOUCHPOINTS.name, number) for number in range(_PARTITIONS)]
    samples: list[tuple[float, int]] = []
    try:
        async with asyncio.timeout(600):
            while not samples or samples[-1][1] < touchpoints:
                if worker.returncode is not None:
                    raise SystemExit(f"the worker ended with {worker.returncode}")
                written = sum((await consumer.end_offsets(partitions)).values())
                samples.append((time.monotonic(), written))
                await asyncio.sleep(0.1)
    finally:
        await consumer.stop()
    inner = [s for s in samples if touchpoints * 0.1 <= s[1] <= touchpoints * 0.9]
    first, last = inner[0], inner[-1]
    return (last[1] - first[1]) / (last[0] - first[0])


def _usage(pid: int) -> tuple[float, float]:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds, int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _steps(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    prefix = 'touchstream_tracker_step_seconds_total{step="'
    return {
        line.removeprefix(prefix).split('"')[0]: float(line.split()[-1])
        for line in lines
        if line.startswith(prefix)
    }


def render(results: dict[str, Result]) -> Table:
    """Lay out the results."""
    table = Table(title="One tracker process, one event per record", title_justify="left")
    for heading in ("worker", "touchpoints/s", "of the floor", "µs of CPU each", "memory MB"):
        table.add_column(heading, justify="left" if heading == "worker" else "right")
    for result in results.values():
        table.add_row(
            result.name,
            f"{result.per_second:,.0f}",
            f"{result.per_second / results['floor'].per_second:.2f}",
            f"{result.cpu_us:.1f}",
            f"{result.memory_mb:,.0f}",
        )
    return table


async def run(touchpoints: int, visitors: int) -> dict[str, Result]:
    """Measure the workers one after the other."""
    commands = {
        "floor": ["tests.bench.workers", "floor"],
        "tracker": ["pipeline.cli", "track"],
        "same": ["tests.bench.workers", "same"],
        "plain": ["tests.bench.workers", "plain"],
    }
    results = {}
    for name, command in commands.items():
        share = _PLAIN_SHARE if name in _AGENTS else 1
        results[name] = await measure(name, command, touchpoints // share, visitors // share)
    return results


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--touchpoints", type=int, default=400_000)
    parser.add_argument("--visitors", type=int, default=40_000)
    arguments = parser.parse_args()
    results = asyncio.run(run(arguments.touchpoints, arguments.visitors))
    console = Console()
    console.print(render(results))
    tracker = results["tracker"]
    for step, microseconds in tracker.steps_us.items():
        console.print(f"  {step:<9} {microseconds:5.1f} µs a touchpoint")
    for name, what in _AGENTS.items():
        times = tracker.per_second / results[name].per_second
        console.print(f"{times:.1f} times a plain Faust agent with a table that {what}")


if __name__ == "__main__":
    main()
