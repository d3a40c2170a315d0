"""What the roles cost, and what touchpoints take on disks: measured, beside `touchstream capacity`.

    python -m tests.bench.capacity [--sizes 20000:4000,80000:16000]

Each size is a number of touchpoints and of visitors, sent in batches through the collector, Apache
Kafka, tracker, sink and the embedded engine. Processor time and bytes hardly depend on what else
the machine does, unlike the time that passes. The tracker's memory is that of the whole process.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.operations import capacity as plan
from schemas.topics import RAW, TABLES
from tests.faults.stage import Stage, staged

_ROLES = ("collect", "track", "sink")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


async def measure(touchpoints: int, visitors: int) -> dict[str, float]:
    """Give seconds of processor time, and bytes, for one touchpoint; and the tracker's memory."""
    with tempfile.TemporaryDirectory() as name:
        async with staged(Path(name), nodes=1, seed=1, visitors=visitors) as stage:
            idle = {role: _cpu(stage.line.pid(role)) for role in _ROLES}
            empty = _kafka(stage)
            await stage.sender.run(touchpoints, 0)
            await stage.line.settle(1200)
            found = {role: _cpu(stage.line.pid(role)) - idle[role] for role in _ROLES}
            found |= {"kafka": _kafka(stage) - empty, "clickhouse": _clickhouse(stage)}
            memory = _memory(stage.line.pid("track"))
    return {what: amount / touchpoints for what, amount in found.items()} | {"memory": memory}


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def _kafka(stage: Stage) -> int:
    """Sum up the logs that touchpoints and facts are in; the tracker's memory is compacted."""
    topics = {RAW.name, *TABLES}
    return sum(
        path.stat().st_size
        for path in stage.cluster.folder.rglob("*.log")
        if path.parent.name.rpartition("-")[0] in topics
    )


def _clickhouse(stage: Stage) -> int:
    for (table,) in stage.client.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() "
        "AND engine LIKE '%MergeTree'"
    ).result_rows:
        stage.client.command(f"OPTIMIZE TABLE {table} FINAL")
    sql = (
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()"
    )
    return int(stage.client.query(sql).result_rows[0][0])


async def compare(sizes: list[tuple[int, int]]) -> None:
    """Print for each size what was measured of a touchpoint, and what the plan counts with."""
    table = Table("touchpoints", "visitors", *_ROLES, "Kafka", "ClickHouse", "memory")
    for touchpoints, visitors in sizes:
        found = await measure(touchpoints, visitors)
        table.add_row(f"{touchpoints:,}", f"{visitors:,}", *_cells(found))
        table.add_row("", "planned", *_cells(planned(touchpoints, visitors)))
    Console().print(table)


def planned(touchpoints: int, visitors: int) -> dict[str, float]:
    """Give what `touchstream capacity` counts with, as `measure` does; calls here are batches."""
    return {
        "collect": plan.SINGLE_SECONDS,
        "track": plan.TRACK_SECONDS,
        "sink": plan.SINK_SECONDS,
        "kafka": plan.KAFKA_BYTES,
        "clickhouse": plan.CLICKHOUSE_BYTES,
        "memory": plan.TRACKER_BYTES
        + plan.EVIDENCE_BYTES * touchpoints
        + plan.VISITOR_BYTES * visitors,
    }


def _cells(found: dict[str, float]) -> list[str]:
    cells = [f"{found[role] * 1e6:,.0f} µs" for role in _ROLES]
    cells += [f"{found[what]:,.0f} B" for what in ("kafka", "clickhouse")]
    return [*cells, f"{found['memory'] / 1e6:,.0f} MB"]


def _sizes(text: str) -> list[tuple[int, int]]:
    pairs = (size.split(":") for size in text.split(","))
    return [(int(touchpoints), int(visitors)) for touchpoints, visitors in pairs]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default="20000:4000,80000:16000")
    asyncio.run(compare(parser.parse_args().sizes))
