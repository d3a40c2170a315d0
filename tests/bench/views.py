"""How long every question takes, of the last hour, day and thirty days of shops of several sizes.

python -m tests.bench.views [--sizes 1,20,100] [--keep FOLDER] [QUESTION …]

Each is asked as Grafana's user asks (30 s, 2 GB). A larger shop has a longer history, not busier
days, so a question of a span should take as long in each: the last columns say how much longer it
took than in the smallest one that has thirty days. Seconds are of the wall; `cpu` of the engine.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.reports.ask import ask
from schemas.journeys import load_model
from schemas.questions import questions
from sinks.migrate import migrate, read_migrations
from sinks.models import store_models
from sinks.questions import make_questions
from tests.bench.shop import END, fill
from tests.support.engine import EngineServer

GRAFANA = {"max_execution_time": 30, "max_memory_usage": 2_000_000_000}
SPANS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "30d": timedelta(days=30)}
SHARES = {"by": "source", "kpi": "conversion_rate", "days": 30, "most": 100}
MOST_SECONDS = {"1h": 0.3, "24h": 1.0, "30d": 5.0}
"""The gate, on two cores that nobody else uses."""

_BYTES = """
SELECT table, sum(bytes_on_disk), sum(rows) FROM system.parts
WHERE active AND database = currentDatabase() GROUP BY table ORDER BY sum(bytes_on_disk) DESC"""

_WITH_MOST_VISITORS = """
SELECT person_id FROM identities FINAL
GROUP BY person_id ORDER BY count() DESC, person_id LIMIT 1"""


class Taken(NamedTuple):
    """How long an answer took, and what was wrong with it."""

    wall: float
    cpu: float
    error: str = ""


Times = dict[tuple[str, str], Taken]


def cpu_seconds(pid: int) -> float:
    """Give the time that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def measured(client: Client, pid: int, names: list[str]) -> Iterator[tuple[tuple[str, str], Taken]]:
    """Ask each question for each span."""
    [(person,)] = client.query(_WITH_MOST_VISITORS).result_rows
    for span, length in SPANS.items():
        step = max(60, int(length.total_seconds()) // 100)
        asked: dict[str, Any] = {"site": "shop", "model": "lifecycle", "person": person}
        asked |= SHARES | {"start": END - length, "end": END, "step": step}
        for name in names:
            yield (name, span), _taken(client, pid, name, asked)


def _taken(client: Client, pid: int, name: str, asked: dict[str, Any]) -> Taken:
    began, computed, error = perf_counter(), cpu_seconds(pid), ""
    try:
        ask(client, name, **asked)
    except ClickHouseError as failed:
        error = str(failed).partition("DB::Exception: ")[2][:40] or str(failed)[:40]
    return Taken(perf_counter() - began, cpu_seconds(pid) - computed, error)


async def shop(folder: Path, millions: float, names: list[str]) -> Times:
    """Measure a shop of so many touchpoints, made in `folder` unless it is there.

    Of a shop that is there, the tables become those of today.
    """
    is_new = not await asyncio.to_thread(folder.exists)
    times: Times = {}
    async with EngineServer(folder) as engine:
        with clickhouse_connect.get_client(
            host=engine.host, port=engine.port, autogenerate_session_id=False,
            send_receive_timeout=3600,
        ) as client:  # fmt: skip
            migrate(client, read_migrations())
            if is_new:
                store_models(client, [load_model("lifecycle")])
                fill(client, round(millions * 1_000_000))
            make_questions(client)
            _say_bytes(client, millions)
            for name, value in GRAFANA.items():
                client.set_client_setting(name, value)
            for key, taken in measured(client, engine.pid, names):
                times[key] = taken
                late = " !" if taken.error or taken.wall > MOST_SECONDS[key[1]] else ""
                numbers = f"{taken.wall:7.2f} s {taken.cpu:7.2f} cpu"
                print(
                    f"{millions:>4g} M {key[1]:>4} {key[0]:24}{numbers}{late} {taken.error}",
                    flush=True,
                )
    return times


def _say_bytes(client: Client, millions: float) -> None:
    for table, size, rows in client.query(_BYTES).result_rows:
        each = size / (millions * 1_000_000)
        print(f"{millions:>4g} M {table:20} {rows:>12,} rows {each:7.1f} bytes a touchpoint")


def growth(found: dict[float, Times]) -> Iterator[str]:
    """Say how much longer each question takes in a larger shop, by computing time."""
    sizes = sorted(found)
    for (name, span), taken in found[sizes[0]].items():
        more = [found[size][name, span].cpu / max(taken.cpu, 0.01) for size in sizes[1:]]
        yield f"{span:>4} {name:24}" + "".join(f"{factor:8.1f} x" for factor in more)


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1,20", help="Millions of touchpoints.")
    parser.add_argument("--keep", type=Path, help="Make the shops here, and use them again.")
    parser.add_argument("names", nargs="*")
    told = parser.parse_args()
    every = [name for name, question in questions().items() if question.kind == "question"]
    found: dict[float, Times] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = told.keep or Path(temporary)
        for size in map(float, told.sizes.split(",")):
            found[size] = await shop(folder / f"{size:g}M", size, told.names or every)
    if len(found) > 1:
        print("\nGrowth of computing time\n" + "\n".join(growth(found)))


if __name__ == "__main__":
    asyncio.run(_main())
