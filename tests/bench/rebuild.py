"""How long an import takes until everything is in the tables, and how long the rebuild of the same.

python -m tests.bench.rebuild --rows 100000

On Apache Kafka and the embedded engine, with a tracker and a sink, each a process of its own.
"""

import argparse
import asyncio
import csv
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.engine import EngineServer
from tests.support.kafka import KafkaCluster
from tests.support.line import Line, running_line

MAPPING = """
channel = "shop"
numbers = ["price"]
[columns]
occurred_at = "at"
anonymous_id = "who"
user_id = "user"
name = "what"
url = "url"
[properties]
product = "product_id"
price = "price"
"""
_START = datetime(2025, 3, 1, tzinfo=UTC)
_NAMES = ("Page Viewed", "Product Viewed", "Product Viewed", "Product Added", "Order Completed")
_HEAD = ("at", "who", "user", "what", "url", "product", "price")
_RUNS = 2


def rows(count: int) -> Iterator[tuple[str, ...]]:
    """Give visits of some ten rows in a month; every fifth visitor signs in."""
    chance = random.Random(1)  # noqa: S311 - not for secrets
    for number in range(count):
        at = _START + timedelta(seconds=number * 2_592_000 / count)
        who = number // 40 * 4 + chance.randrange(4)
        user = f"u{who}" if who % 5 == 0 else ""
        product = f"p{chance.randrange(200)}"
        url = f"https://shop.example/{product}"
        yield at.isoformat(), f"v{who}", user, chance.choice(_NAMES), url, product, "12.50"


async def measure(count: int) -> None:
    """Print the rows a second of both, each the better of two runs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "m.toml").write_text(MAPPING)
        with (folder / "rows.csv").open("w", newline="") as file:
            csv.writer(file).writerows([_HEAD, *rows(count)])
        async with (
            KafkaCluster() as cluster,
            EngineServer(folder / "engine") as engine,
            running_line(cluster.bootstrap_servers, engine, folder, "bench") as (line, _),
        ):
            await line.start("track")
            await line.start("sink")
            await line.settle()
            imported, rebuilt = [], []
            for run in range(_RUNS):
                site, file_ = f"shop{run}", str(folder / "rows.csv")
                words = "import", file_, "--mapping", str(folder / "m.toml"), "--site", site
                imported.append(count / await _timed(line, *words))
                rebuilt.append(count / await _timed(line, "rebuild", "--site", site))
    print(f"import   {max(imported):8,.0f} touchpoints/s, until they are in the tables")
    print(f"rebuild  {max(rebuilt):8,.0f} touchpoints/s")


async def _timed(line: Line, *words: str) -> float:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.cli", *words),
        env=line.environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0, words
    await line.settle(600)
    return time.monotonic() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    asyncio.run(measure(parser.parse_args().rows))
