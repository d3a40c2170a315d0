"""Files in."""

import asyncio
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


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mapping", type=click.Path(path_type=Path), help="A mapping file.")
@click.option(
    "--format", "fmt", type=click.Choice(["access-log"]), help="A known format, instead of it."
)
@click.option("--site", default="shop", show_default=True, help="The site the rows belong to.")
def import_(files: tuple[Path, ...], mapping: Path | None, fmt: str | None, site: str) -> None:
    """Import CSV, JSON lines or Parquet files by a mapping file, or a web server's access log.

    All of them plain or gzip.

    Importing the same rows again changes nothing. docs/import.md explains mapping files.
    """
    from pipeline.importer.send import import_files, summary_table
    from pipeline.kafka.producer import KafkaProducer
    from pipeline.privacy.masking import Masks
    from pipeline.terminal import progress_bar
    from schemas.topics import DEAD_LETTERS, RAW

    if (mapping is None) == (fmt is None):
        raise click.UsageError("give --mapping, or --format")
    known, console = read_settings(), Console()
    chosen, read = _read_by(mapping, known, site)
    chosen = chosen.with_placeholders(known.placeholders.get(site, ()))

    async def run() -> Any:
        producer = KafkaProducer(known)
        await producer.start([RAW.name, DEAD_LETTERS.name])
        try:
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
        finally:
            await producer.stop()

    console.print(summary_table(asyncio.run(run())))


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
