"""How long a killed tracker needs until it goes on, with the memory of many visitors to read.

    python -m tests.bench.restore --visitors 1000000

Apache Kafka on the same machine holds the changelog, four partitions of it. The tracker is a
process of its own, with an empty disk, as on another machine; time runs from its start to its first
row.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pipeline.kafka import clients
from pipeline.kafka.lag import ends
from pipeline.kafka.records import Record, partition_for
from pipeline.kafka.topics import create_topics
from pipeline.settings import Settings
from pipeline.tracker.partition import META_KEY
from schemas.topics import RAW, STATE, TOUCHPOINTS
from tests.support.journeys import NOON
from tests.support.kafka import KafkaCluster
from tests.support.line import Line
from tests.support.tracker import log_of, run, tick, touchpoint

_SEEN = 12
_CHUNK = 20_000


async def measure(visitors: int) -> None:
    """Print the seconds, and the size of the memory."""
    with tempfile.TemporaryDirectory() as name:
        async with KafkaCluster() as cluster:
            settings = Settings(kafka_bootstrap_servers=cluster.bootstrap_servers)
            await create_topics(settings)
            size = await _remember(settings, visitors)
            line = Line(settings, _environment(settings), Path(name))
            began = time.monotonic()
            await line.start("track")
            await line.send([(b"shop:new", line.home(b"shop:new"), _value("new", "new"), NOON)])
            while not any((await ends(settings, [TOUCHPOINTS.name])).values()):  # noqa: ASYNC110
                await asyncio.sleep(0.5)
            took = time.monotonic() - began
            await line.kill("track")
    print(f"{visitors:,} visitors, {size / 1e6:,.0f} MB: the first row after {took:.1f} s")


def _value(id_: str, who: str) -> bytes:
    return touchpoint(id_, NOON, anonymous_id=who)


async def _remember(settings: Settings, visitors: int) -> int:
    """Write the memory, as if all of them had been there; give its size."""
    output = run(log_of(*(touchpoint(f"t{n}", NOON + n * 60_000) for n in range(_SEEN))))
    state = next(value for key, value, _ in output.state if key == b"shop:ada") or b""
    meta = next(value for key, value, _ in run(log_of(tick(NOON))).state if key == META_KEY)
    numbers = range(settings.kafka_partitions)
    async with clients.producer(settings, RAW.name, STATE.name) as producer:
        keys = iter(f"shop:v{n}".encode() for n in range(visitors))
        while chunk := list(islice(keys, _CHUNK)):
            await producer.send_all(_by_partition(chunk, state, len(numbers)))
        for number in numbers:
            await producer.send(RAW.name, number, [Record(None, tick(NOON), NOON)])
            await producer.send(STATE.name, number, [Record(META_KEY, meta, NOON)])
    return visitors * len(state)


def _by_partition(
    keys: list[bytes], state: bytes, partitions: int
) -> dict[tuple[str, int], Iterator[Record]]:
    return {
        (STATE.name, number): (
            Record(key, state, NOON) for key in keys if partition_for(key, partitions) == number
        )
        for number in range(partitions)
    }


def _environment(settings: Settings) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if "TOUCHSTREAM" not in name},
        "TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TOUCHSTREAM_TRACKER_METRICS_PORT": "0",
        "TOUCHSTREAM_CONFIG": os.devnull,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Time how long a tracker takes to remember.")
    parser.add_argument("--visitors", type=int, default=1_000_000)
    asyncio.run(measure(parser.parse_args().visitors))
