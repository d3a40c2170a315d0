"""An import of rows, cut into runs in any way, as what comes of it in the tables, without Kafka."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from clickhouse_connect.driver.client import Client
from rich.progress import Progress

from pipeline.importer.mapping import Mapping
from pipeline.importer.send import import_files
from pipeline.journey.rules import Rules
from pipeline.kafka.in_memory import MemoryBroker
from pipeline.operations.oracle import Tables, compare, expected_tables
from schemas.topics import RAW
from tests.support.journeys import RULES
from tests.support.tracker import Log, Worker

Row = dict[str, Any]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def tables_of(
    runs: Sequence[Sequence[Row]], mapping: Mapping, rules: Rules = RULES
) -> Tables:
    """Import `runs` one after the other; give what the tables hold, which the oracle has found."""
    log = Log()
    for rows in runs:
        broker = MemoryBroker(partition_count=1)
        await _import(rows, mapping, broker)
        for record in broker.log[RAW.name, 0]:
            log.add(record.value, record.timestamp_ms, record.key)
    worker = Worker(log, rules)
    worker.finish()
    expected = expected_tables([log.records], rules)
    assert compare(cast("Client", worker.tables), expected, [len(log.records)]) == []
    return expected


async def _import(rows: Sequence[Row], mapping: Mapping, broker: MemoryBroker) -> None:
    def read(_path: Path, _format: object) -> Iterator[Row]:
        yield from rows

    await import_files(
        [Path("rows.csv")],
        mapping,
        broker,
        site="shop",
        now=lambda: NOW,
        progress=Progress(disable=True),
        read=read,
    )
