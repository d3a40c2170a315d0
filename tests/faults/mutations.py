"""Switches off one protection after the other, and shows that a test fails for each.

Each is a change of a few lines in a copy of the code, and the tests that must notice it. A
protection whose absence nobody notices is one that may be lost.

    python -m tests.faults.mutations [NAME …]
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).parents[2]
_COPIED = ("pipeline", "sinks", "schemas", "tests", "docs", "pyproject.toml")
_PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-n0", "--timeout", "120")
_FAILED = 1
"""What pytest ends with if tests failed; other codes are for what went wrong otherwise."""


class Mutation(NamedTuple):
    """What is replaced in `file`, where it stands once, and the tests that fail then."""

    file: str
    old: str
    new: str
    tests: str


_CRASHES = "tests/unit/tracker/test_crashes.py"
_OUTBOX = "tests/unit/tracker/test_outbox.py"
_WRITER = "tests/unit/sinks/test_writer.py"
_DOUBT = "tests/unit/tracker/test_doubt.py"

MUTATIONS: dict[str, Mutation] = {
    "the sink commits before its rows are in": Mutation(
        "sinks/writer.py",
        "        for table, batch in batches.items():\n"
        "            await self._write(table, batch.rows)\n"
        "        await self._commit(positions)\n",
        "        await self._commit(positions)\n"
        "        for table, batch in batches.items():\n"
        "            await self._write(table, batch.rows)\n",
        _WRITER,
    ),
    "an insert that is repeated has another token": Mutation(
        "sinks/writer.py",
        "        token = token_of(table, rows)\n        pause = 0.2\n        while True:\n",
        "        pause = 0.2\n        while True:\n            token = str(time.monotonic())\n",
        _WRITER,
    ),
    "a sink that cannot reach ClickHouse gives up its rows": Mutation(
        "sinks/writer.py",
        "                if self.stop.is_set():\n                    raise\n",
        "                return None\n",
        _WRITER,
    ),
    "an unknown error of ClickHouse blames the row": Mutation(
        "sinks/clickhouse.py",
        "            if error.code in _ROW_AT_FAULT:",
        "            if error.code:",
        "tests/faults/test_answers_lost.py",
    ),
    "nothing limits what is diverted": Mutation(
        "schemas/refusals.py",
        "        if self._run_limit and self._run > self._run_limit:",
        "        if False:",
        f"tests/unit/tracker/test_refusals.py {_WRITER}",
    ),
    "the tracker sends states before rows": Mutation(
        "pipeline/tracker/outbox.py",
        "            await self._send(rows)\n            await self._send(states)\n",
        "            await self._send(states)\n            await self._send(rows)\n",
        _OUTBOX,
    ),
    "the tracker commits before its states are in": Mutation(
        "pipeline/tracker/outbox.py",
        "            await self._send(states)\n            for partition, offset in pending:\n"
        "                if offset is not None:\n"
        "                    self._done(partition, offset + 1)\n"
        "                self._queue.task_done()\n",
        "            for partition, offset in pending:\n"
        "                if offset is not None:\n"
        "                    self._done(partition, offset + 1)\n"
        "                self._queue.task_done()\n"
        "            await self._send(states)\n",
        _OUTBOX,
    ),
    "a tracker that stood still goes on writing": Mutation(
        "pipeline/tracker/outbox.py",
        "            self._lease.hold()\n",
        "",
        _OUTBOX,
    ),
    "a checkpoint is not made again where it was": Mutation(
        "pipeline/tracker/partition.py",
        "        first = records[0].offset\n"
        "        place = min((place for place in self.places if place >= first), default=None)\n",
        "        place = None\n",
        _CRASHES,
    ),
    "a touchpoint that is known counts again": Mutation(
        "pipeline/tracker/steps.py",
        "        if waiting.knows(seen.id):",
        "        if False:",
        f"{_CRASHES} tests/unit/tracker/test_steps.py",
    ),
    "an older state wins": Mutation(
        "pipeline/tracker/partition.py",
        "        if known is None or read_schedule(known).offset <= schedule.offset:",
        "        if True:",
        "tests/unit/tracker/test_partition.py",
    ),
    "an assignment has no epoch": Mutation(
        "pipeline/tracker/exchange.py",
        "        if offset <= visitor.known_offset or assignment.epoch <= state.epoch:",
        "        if offset <= visitor.known_offset:",
        "tests/unit/tracker/test_exchange.py",
    ),
    "a tracker goes on without its memory": Mutation(
        "pipeline/tracker/changelog.py",
        "    if read_to > 0 and not partition.is_remembered:",
        "    if False:",
        _DOUBT,
    ),
    "a tracker goes on with an old memory": Mutation(
        "pipeline/tracker/changelog.py",
        "    if read_to > partition.offset + 1 and not is_anew:",
        "    if False:",
        _DOUBT,
    ),
    "a tracker goes on with the memory of another log": Mutation(
        "pipeline/tracker/changelog.py", "    if partition.offset >= end:", "    if False:", _DOUBT
    ),
    "a tracker goes on with a memory that was cut at its front": Mutation(
        "pipeline/tracker/changelog.py",
        "    if begins > partition.begins and partition.is_remembered:",
        "    if False:",
        _DOUBT,
    ),
    "what a lost memory would have taken back stays": Mutation(
        "pipeline/operations/outdated.py",
        "            if not void.fact.is_deleted:",
        "            if False:",
        "tests/unit/operations/test_outdated.py",
    ),
    "a message from before an erasure is heard": Mutation(
        "pipeline/tracker/exchange.py",
        "        if self._is_stale(message):\n            return\n",
        "",
        "tests/unit/tracker/test_erasure.py",
    ),
    "the collector answers before Kafka has acknowledged": Mutation(
        "pipeline/collector/batches.py",
        "            if not await waiter:",
        "            if False:",
        "tests/unit/collector/test_batches.py",
    ),
    "a failed write counts as acknowledged": Mutation(
        "pipeline/collector/batches.py",
        "        batch.settle(is_acknowledged=error is None)",
        "        batch.settle(is_acknowledged=True)",
        "tests/unit/collector/test_batches.py",
    ),
    "nobody watches whether a role moves": Mutation(
        "pipeline/kafka/watchdog.py",
        "        if stuck:\n",
        "        if False:\n",
        "tests/faults/test_stuck.py -k embedded",
    ),
}


@contextmanager
def mutated(mutation: Mutation) -> Iterator[Path]:
    """Give a folder with a copy of the code in which the protection is switched off."""
    with tempfile.TemporaryDirectory(prefix="mutated-") as name:
        folder = Path(name)
        for part in _COPIED:
            source, target = ROOT / part, folder / part
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        (folder / ".cache").symlink_to(ROOT / ".cache")
        file = folder / mutation.file
        file.write_text(replaced(file.read_text(encoding="utf-8"), mutation), encoding="utf-8")
        yield folder


def replaced(text: str, mutation: Mutation) -> str:
    """Switch the protection off; ValueError if it is not, or not only, where it is looked for."""
    if text.count(mutation.old) != 1:
        raise ValueError(f"{mutation.file}: not there once: {mutation.old!r}")
    return text.replace(mutation.old, mutation.new)


def noticed(mutation: Mutation) -> tuple[bool, str]:
    """Tell whether its tests fail without the protection, and by which one."""
    with mutated(mutation) as folder:
        ended = subprocess.run(
            [*_PYTEST, *mutation.tests.split()],
            cwd=folder,
            env=os.environ | {"HYPOTHESIS_PROFILE": "unshrunk"},
            capture_output=True,
            text=True,
            check=False,
        )
    failed = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    name = failed[0].partition("::")[2].partition(" ")[0] if failed else ended.stdout[-300:]
    return ended.returncode == _FAILED and failed[0].startswith("FAILED"), name


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Switch each protection off, or those whose name has one of NAMES in it."""
    chosen = {
        name: mutation
        for name, mutation in MUTATIONS.items()
        if not names or any(each in name for each in names)
    }
    table = Table(title="Protections switched off")
    for column in ("without it", "s", "noticed by"):
        table.add_column(column, overflow="fold")
    missed = 0
    for name, mutation in track(chosen.items(), "Switching off", console=Console(stderr=True)):
        began = time.monotonic()
        is_noticed, by = noticed(mutation)
        missed += not is_noticed
        took = f"{time.monotonic() - began:.0f}"
        table.add_row(name, took, by if is_noticed else f"NOBODY: {by}")
    Console(width=140).print(table)
    if missed:
        raise SystemExit(f"{missed} of {len(chosen)} protections may be lost without notice")
    click.echo(f"all {len(chosen)} are noticed")


if __name__ == "__main__":
    main()
