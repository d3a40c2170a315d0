"""Files in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from pipeline.cli.shared import read_settings
from pipeline.settings import BadSettings, Settings

if TYPE_CHECKING:
    from pipeline.importer.mapping import Mapping
    from pipeline.importer.send import Read
    from pipeline.kafka.producer import Producer


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mapping", type=click.Path(path_type=Path), help="A mapping file.")
@click.option(
    "--format", "fmt", type=click.Choice(["access-log"]), help="A known format, instead of it."
)
@click.option("--site", default="shop", show_default=True, help="The site the rows belong to.")
@click.option("--dry-run", is_flag=True, help="Read and check everything, send nothing.")
def import_(
    files: tuple[Path, ...], mapping: Path | None, fmt: str | None, site: str, dry_run: bool
) -> None:
    """Import CSV, JSON lines or Parquet files by a mapping file, or a web server's access log.

    All of them plain or gzip.

    Importing the same rows again changes nothing. docs/import.md explains mapping files.
    """
    from pipeline.importer.send import import_files, summary_table
    from pipeline.privacy.masking import Masks
    from pipeline.terminal import progress_bar

    if (mapping is None) == (fmt is None):
        raise click.UsageError("give --mapping, or --format")
    known, console = read_settings(), Console()
    chosen, read = _read_by(mapping, known, site)
    chosen = chosen.with_placeholders(known.placeholders.get(site, ()))

    async def run() -> Any:
        async with _producer(known, dry_run=dry_run) as producer:
            with progress_bar(console) as progress:
                return await import_files(
                    files,
                    chosen,
                    producer,
                    site=site,
                    now=lambda: datetime.now(UTC),
                    progress=progress,
                    read=read,
                    masks=Masks(known.property_rules),
                )

    console.print(summary_table(asyncio.run(run())))
    if dry_run:
        console.print("A dry run: nothing was sent.")


@asynccontextmanager
async def _producer(known: Settings, *, dry_run: bool) -> "AsyncIterator[Producer]":
    """Give what the import sends to: Kafka, or for a dry run a broker that forgets."""
    from pipeline.kafka.in_memory import MemoryBroker
    from pipeline.kafka.producer import KafkaProducer
    from schemas.topics import DEAD_LETTERS, RAW

    if dry_run:
        yield MemoryBroker(known.kafka_partitions)
        return
    producer = KafkaProducer(known)
    await producer.start([RAW.name, DEAD_LETTERS.name])
    try:
        yield producer
    finally:
        await producer.stop()


def _read_by(mapping: Path | None, known: Settings, site: str) -> "tuple[Mapping, Read]":
    """Give the mapping, and what reads the files: without a mapping they are access logs."""
    from pipeline.importer import access_log
    from pipeline.importer.files import log_lines, rows_of
    from pipeline.importer.send import load_mapping
    from pipeline.privacy.pseudonyms import Pseudonyms

    if mapping is not None:
        return load_mapping(mapping), rows_of
    if not known.site_salt.get_secret_value():
        raise BadSettings(
            "IP addresses are hashed: set TOUCHSTREAM_SITE_SALT (openssl rand -hex 32)"
        )
    named = partial(Pseudonyms(known.site_salt.get_secret_value()).network_address, site)
    hosts = known.site_hosts.get(site, [])
    base = f"https://{hosts[0]}" if hosts else ""
    row_of = partial(access_log.row_of, visitor_of=named, base=base)
    return access_log.MAPPING, partial(log_lines, row_of=row_of)
