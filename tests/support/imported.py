"""Foreign files as the touchpoints that an import makes of them, without Kafka."""

from datetime import UTC, datetime

from rich.progress import Progress

from pipeline.importer.send import import_files, load_mapping
from pipeline.kafka.in_memory import MemoryBroker
from schemas.topics import RAW
from schemas.touchpoint import Touchpoint
from tests.support.database import touchpoints_in
from tests.support.puffy import MAPPINGS, data_files


async def imported(name: str, pattern: str) -> list[Touchpoint]:
    """Import the files of real data by the mapping of `name`, or skip the test."""
    broker = MemoryBroker(partition_count=1)
    await import_files(
        data_files(pattern),
        load_mapping(MAPPINGS / f"{name}.toml"),
        broker,
        site=name,
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        progress=Progress(disable=True),
    )
    return touchpoints_in(broker.records(RAW.name))
