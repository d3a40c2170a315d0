"""An import of rows, cut into runs in any way, as what comes of it in the tables, without Kafka."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Mapping_
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from zlib import crc32

from clickhouse_connect.driver.client import Client
from rich.progress import Progress

from pipeline.importer.mapping import Mapping
from pipeline.importer.send import import_files
from pipeline.journey.rules import Rules
from pipeline.kafka.in_memory import MemoryBroker
from pipeline.operations.comparison import Tables, compare
from pipeline.operations.oracle import expected_tables
from schemas.topics import RAW
from tests.support.journeys import RULES
from tests.support.tracker import Log, Worker

Row = dict[str, Any]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def tables_of(
    runs: Sequence[Sequence[Row]], mapping: Mapping, rules: Rules = RULES, files: int = 1
) -> Tables:
    """Import `runs` one after the other; give what the tables hold, which the oracle has found.

    Each run has its rows in so many `files`; those of a visitor are in one of them.
    """
    log = Log()
    for rows in runs:
        broker = MemoryBroker(partition_count=1)
        await _import(_in_files(rows, files), mapping, broker)
        for record in broker.log[RAW.name, 0]:
            log.add(record.value, record.timestamp_ms, record.key)
    worker = Worker(log, rules)
    worker.finish()
    expected = expected_tables([log.records], rules)
    assert compare(cast("Client", worker.tables), expected, [len(log.records)]) == []
    return expected


def visitor_in(row: Row) -> str:
    """Give what names the visitor of a row."""
    return str(row.get("who") or row.get("client_id") or row.get("clientId"))


def _in_files(rows: Sequence[Row], files: int) -> dict[Path, list[Row]]:
    cut: dict[Path, list[Row]] = {Path(f"{number}.csv"): [] for number in range(files)}
    for row in rows:
        cut[Path(f"{crc32(visitor_in(row).encode()) % files}.csv")].append(row)
    return {path: found for path, found in cut.items() if found}


async def _import(
    files: Mapping_[Path, Sequence[Row]], mapping: Mapping, broker: MemoryBroker
) -> None:
    def read(path: Path, _format: object) -> Iterator[Row]:
        yield from files[path]

    await import_files(
        list(files),
        mapping,
        broker,
        site="shop",
        now=lambda: NOW,
        progress=Progress(disable=True),
        read=read,
    )
