"""How long each panel of the live page takes, of the last hour and day of a shop of some size.

python -m tests.bench.live [--millions 1] [--keep FOLDER]

`cpu` is the engine's for one answer, in seconds; `a second` what keeping the panel up to date
costs, for any number of people who watch: its pace, and the rest that the poller takes after a slow
answer, are counted in. Something is written every second. The best of three.
"""

import argparse
import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from pipeline.live.hub import PULSE_SECONDS, REST
from pipeline.live.panels import PANELS, Panel
from pipeline.reports.live.pulse import read_pulse, read_written
from pipeline.reports.live.view import View
from schemas.journeys import load_model
from sinks.migrate import migrate, read_migrations
from sinks.models import store_models
from sinks.questions import make_questions
from tests.bench.shop import END, fill
from tests.bench.views import cpu_seconds
from tests.support.engine import EngineServer

SPANS = {"1h": timedelta(hours=1), "24h": timedelta(days=1)}
STEPS = load_model("lifecycle").funnel
WRITTEN = Panel("written", "", object, lambda client, *_: [read_written(client)], PULSE_SECONDS)
PULSE = Panel("pulse", "", object, lambda client, view, _: [read_pulse(client, view)], 1.0)


def measure(client: Client, pid: int, span: str) -> None:
    """Print what each panel takes, and all of them together."""
    view = View(site="shop", model="lifecycle", start=END - SPANS[span], end=END)
    total = 0.0
    for panel in (WRITTEN, PULSE, *PANELS.values()):
        wall, cpu = min(_taken(client, pid, panel, view) for _ in range(3))
        each = cpu / max(panel.pace, REST[panel.lane] * wall)
        total += each
        print(f"{span:>4} {panel.name:16}{wall:7.3f} s {cpu:7.2f} cpu {each:7.3f} a second")
    print(f"{span:>4} {'all':16}{total:31.3f} a second", flush=True)


def _taken(client: Client, pid: int, panel: Panel, view: View) -> tuple[float, float]:
    began, computed = perf_counter(), cpu_seconds(pid)
    panel.read(client, view, STEPS)
    return perf_counter() - began, cpu_seconds(pid) - computed


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", default=1.0, type=float)
    parser.add_argument("--keep", type=Path, help="Make the shop here, and use it again.")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (told.keep or Path(temporary)) / f"{told.millions:g}M"
        is_new = not await asyncio.to_thread(folder.exists)
        async with EngineServer(folder) as engine:
            client = clickhouse_connect.get_client(
                host=engine.host, port=engine.port, autogenerate_session_id=False
            )
            migrate(client, read_migrations())
            if is_new:
                store_models(client, [load_model("lifecycle")])
                fill(client, round(told.millions * 1_000_000))
            make_questions(client)
            for span in SPANS:
                measure(client, engine.pid, span)


if __name__ == "__main__":
    asyncio.run(_main())
