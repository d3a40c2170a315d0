"""The whole line for hours, at half of what it can do, with restarts: does anything grow?

    make soak HOURS=8
    make soak HOURS=0.33 ARGS="--rate 100"

What people did is soon over here (a journey ends after four minutes), so that after a warm-up
the trackers remember as many as they forget. All roles are killed and started again after a third
and after two thirds. It prints, for each third, how memory, open files, the trackers' state and
lag stand and how fast they grow, and in the end what the faults print: lost, doubled, wrong.
"""

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import fmean, linear_regression

from rich.console import Console
from rich.table import Table

from pipeline.kafka.lag import still_waiting
from pipeline.settings import Settings
from pipeline.tracker.changelog import Store
from tests.faults.stage import Stage, staged

ROLES = ("collect", "track", "sink")
_THIRDS = 3
_WARM_UP = 0.5
"""The part of a third that does not count: until then caches fill, and nothing is over yet."""
_SAMPLES = 40
_MINUTE = 60.0
_VISITORS = 3_000
_PATIENCE_SECONDS = 600
_SHORT = {
    "session_gap": "PT30S",
    "allowed_lateness": "PT30S",
    "journey_timeout": "PT4M",
    "customer_timeout": "PT5M",
    "evidence_retention": "PT2M",
    "tracker_tick": "PT5S",
}
Series = dict[str, list[tuple[float, float]]]


@dataclass
class Soak:
    """One run; `samples` are by third, and by what was measured: hours and value."""

    stage: Stage
    rate: float
    hours: float
    samples: list[Series] = field(default_factory=list)

    async def run(self) -> None:
        """Send all the time; measure, and restart everything twice."""
        sending = asyncio.create_task(self._send())
        for third in range(_THIRDS):
            if third:
                await self.stage.again(*ROLES)
            self.samples.append(defaultdict(list))
            end = time.monotonic() + self.hours * 3600 / _THIRDS
            while time.monotonic() < end:
                await asyncio.sleep(self.hours * 3600 / _THIRDS / _SAMPLES)
                await self._measure(self.samples[-1])
        sending.cancel()
        await asyncio.wait([sending])
        if (error := None if sending.cancelled() else sending.exception()) is not None:
            raise error

    async def _send(self) -> None:
        """Send minute after minute; the people of a minute do not come again."""
        sender = self.stage.sender
        for minute in count(1):
            sender.seed = minute
            await sender.run(round(self.rate * _MINUTE), _MINUTE)

    async def _measure(self, into: Series) -> None:
        hours = time.monotonic() / 3600
        line = self.stage.line
        of = {role: line.pid(role) for role in ROLES} | {"engine": self.stage.engine.pid}
        for name, pid in of.items():
            into[f"{name}: memory, MB"].append((hours, _memory(pid)))
            into[f"{name}: open files"].append((hours, _open_files(pid)))
            into[f"{name}: threads"].append((hours, _threads(pid)))
        store = Store(line.settings)
        memories = [await store.examine(n) for n in range(line.settings.kafka_partitions)]
        into["state: visitors"].append((hours, sum(each.visitors for each in memories)))
        into["state: MB"].append((hours, sum(each.size for each in memories) / 1e6))
        if waiting := await still_waiting(line.settings, 20):
            into["lag of tracker and sink, records"].append((hours, sum(waiting)))


def _memory(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _open_files(pid: int) -> int:
    """Count them without those of /proc: ClickHouse holds three of each of its threads."""
    names = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # it has just been closed
            names.append(str(each.readlink()))
    return len([name for name in names if not name.startswith("/proc/")])


def _threads(pid: int) -> int:
    return len([*Path(f"/proc/{pid}/task").iterdir()])


async def highest_rate(stage: Stage, touchpoints: int) -> float:
    """Send so many as fast as they are taken; give the rate at which they were in the tables."""
    began = time.monotonic()
    await stage.sender.run(touchpoints, 0)
    await stage.line.settle()
    return touchpoints / (time.monotonic() - began)


def table(soak: Soak) -> Table:
    """Give a line for each thing that was measured, and its mean and growth in each third."""
    found = Table(title=f"{soak.hours:g} hours at {soak.rate:,.0f} touchpoints a second")
    found.add_column("after the warm-up of each third: mean, growth in an hour")
    for third in range(_THIRDS):
        found.add_column(f"third {third + 1}", justify="right")
    for what in soak.samples[0]:
        found.add_row(what, *(_said(series[what]) for series in soak.samples))
    return found


def _said(points: list[tuple[float, float]]) -> str:
    warm = points[int(len(points) * _WARM_UP) :]
    if len(warm) < 2:
        return "too short"
    hours, values = zip(*warm, strict=True)
    slope = linear_regression(hours, values).slope
    return f"{fmean(values):,.1f}  {slope:+,.1f}"


def _hasten(stage: Stage) -> None:
    """Let journeys be over within minutes."""
    line = stage.line
    line.environment |= {f"TOUCHSTREAM_{name.upper()}": value for name, value in _SHORT.items()}
    known = line.settings.model_dump(include=line.settings.model_fields_set)
    line.settings = Settings.model_validate(known | _SHORT)


async def _main(hours: float, rate: float) -> None:
    console = Console(width=140)
    with tempfile.TemporaryDirectory() as name:
        async with staged(Path(name), nodes=1, seed=0, visitors=_VISITORS) as stage:
            _hasten(stage)
            stage.sender.spread = 1 / 240
            await stage.again(*ROLES)
            if not rate:
                rate = await highest_rate(stage, 30_000) / 2
            soak = Soak(stage, rate, hours)
            await soak.run()
            console.print(table(soak))
            began = time.monotonic()
            await stage.end(_PATIENCE_SECONDS)
            outcome = await stage.outcome("soak", time.monotonic() - began)
    console.print(outcome)
    if outcome.faults:
        raise SystemExit(f"wrong: {outcome.faults}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the line for hours and see what grows.")
    parser.add_argument("--hours", type=float, default=8)
    parser.add_argument(
        "--rate", type=float, default=0, help="touchpoints a second; 0: half of all"
    )
    arguments = parser.parse_args()
    asyncio.run(_main(arguments.hours, arguments.rate))
