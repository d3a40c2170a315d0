"""Importing files."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from pipeline.cli.shared import clickhouse, read_settings, site_name
from pipeline.importer.rows import ImportFailed
from pipeline.settings import BadSettings, Settings

if TYPE_CHECKING:
    from rich.progress import Progress

    from pipeline.importer.join import Read
    from pipeline.importer.mapping import Mapping
    from pipeline.importer.send import ImportSummary
    from pipeline.kafka.producer import Producer
    from schemas.touchpoint import Touchpoint


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mapping", type=click.Path(path_type=Path), help="A mapping file.")
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["access-log"]),
    help="A known format, instead of a mapping.",
)
@click.option(
    "--site",
    default="shop",
    show_default=True,
    callback=site_name,
    help="The site the rows belong to.",
)
@click.option("--dry-run", is_flag=True, help="Read and check everything, send nothing.")
@click.option("--replace", is_flag=True, help="Replace the earlier import of these rows.")
@click.option("--take-back", is_flag=True, help="Delete what was imported from these rows.")
@click.option(
    "--was",
    type=click.Path(path_type=Path),
    help="The mapping of the earlier import, if --mapping reads other columns.",
)
def import_(
    *,
    files: tuple[Path, ...],
    mapping: Path | None,
    fmt: str | None,
    site: str,
    dry_run: bool,
    replace: bool,
    take_back: bool,
    was: Path | None,
) -> None:
    """Import CSV, JSON lines or Parquet files with a mapping file, or web servers' access logs.

    Files may be plain or gzipped. Importing the same rows again changes nothing; --replace applies
    a corrected mapping to them, --take-back undoes their import. docs/import.md explains mapping
    files.
    """
    from pipeline.importer.send import summary_table

    _refuse_pairs(mapping, fmt, was, replace=replace, take_back=take_back)
    _refuse_absent(files)
    known, console = read_settings(), Console()
    chosen, read = _read_by(mapping, known, site)
    chosen = chosen.with_placeholders(known.placeholders.get(site, ()))

    if replace or take_back:
        before = chosen
        if was is not None:
            before = _read_by(was, known, site)[0]
            before = before.with_placeholders(known.placeholders.get(site, ()))
        _replace(files, before, chosen if replace else None, read, site, known)
        return
    newest = None if dry_run else _newest(known, site)
    summary = asyncio.run(_import(files, chosen, read, site, known, console, dry_run=dry_run))
    console.print(summary_table(summary), soft_wrap=True)
    if dry_run:
        console.print("A dry run: nothing was sent.")
    _say_what_is_wrong(summary, newest, known, site, is_sent=not dry_run)


def _refuse_pairs(
    mapping: Path | None, fmt: str | None, was: Path | None, *, replace: bool, take_back: bool
) -> None:
    """Raise UsageError for options that do not go together."""
    if (mapping is None) == (fmt is None):
        raise click.UsageError("give --mapping or --format")
    if replace and take_back:
        raise click.UsageError("give --replace or --take-back")
    if was is not None and not replace:
        raise click.UsageError("--was goes with --replace; --take-back takes the earlier --mapping")


def _refuse_absent(files: tuple[Path, ...]) -> None:
    """Raise ImportFailed for a file that cannot be opened, before anybody waits for Kafka."""
    for file in files:
        try:
            file.open("rb").close()
        except OSError as error:
            raise ImportFailed(f"{file}: {error.strerror}") from error


async def _import(
    files: tuple[Path, ...],
    mapping: "Mapping",
    read: "Read",
    site: str,
    known: Settings,
    console: Console,
    *,
    dry_run: bool,
) -> "ImportSummary":
    from pipeline.importer.send import import_files
    from pipeline.privacy.masking import Masks
    from pipeline.terminal import progress_bar

    async with _producer(known, dry_run=dry_run) as producer:
        with progress_bar(console) as progress:
            return await import_files(
                files,
                mapping,
                producer,
                site=site,
                now=lambda: datetime.now(UTC),
                progress=progress,
                read=read,
                masks=Masks(known.property_rules),
            )


_PATIENCE_SECONDS = 10.0
"""How long an import waits for what was sent before it, to know whether it comes late."""
_STILL_WAITS = (
    "What was sent before is not in the tables yet. If it is newer than these rows, they are kept "
    "as late: then run touchstream rebuild --site {site}"
)


def _newest(known: Settings, site: str) -> datetime | None:
    """Give the time of the site's newest touchpoint, if ClickHouse answers.

    First it waits for what was sent before and is still on its way.
    """
    from aiokafka.errors import KafkaError
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from pipeline.kafka.lag import is_all_read
    from schemas.errors import Unavailable

    try:
        with clickhouse(known) as client:
            with suppress(KafkaError):  # also where the login may not ask how far others are
                if not asyncio.run(is_all_read(known, _PATIENCE_SECONDS)):
                    click.echo(_STILL_WAITS.format(site=site), err=True)
            [(newest, count)] = client.query(
                "SELECT max(occurred_at), count() FROM touchpoints WHERE site = {site:String}",
                parameters={"site": site},
            ).result_rows
    except (Unavailable, ClickHouseError):
        return None
    return newest.replace(tzinfo=UTC) if count else None


def _say_what_is_wrong(
    summary: "ImportSummary",
    newest: datetime | None,
    known: Settings,
    site: str,
    *,
    is_sent: bool,
) -> None:
    for name in summary.unknown:
        click.echo(f"The mapping names what no row has: {name}", err=True)
    for doubt in summary.doubts:
        click.echo(f"{doubt}, and import with --replace" if is_sent else doubt, err=True)
    if newest is not None and summary.first < newest - known.allowed_lateness:
        click.echo(
            f"{site} has touchpoints until {newest:%Y-%m-%d %H:%M} UTC: of what is new here, "
            "whatever is older by more than the allowed lateness is kept as late. To have it "
            f"count, run: touchstream rebuild --site {site}",
            err=True,
        )
    if summary.lost:
        raise ImportFailed(
            f"not a single row of {', '.join(summary.lost)} could be used: is it another kind of "
            "file than the others?"
        )


@asynccontextmanager
async def _producer(known: Settings, *, dry_run: bool) -> "AsyncIterator[Producer]":
    """Give the broker the import sends to: Kafka, or for a dry run one that forgets."""
    from pipeline.kafka import clients
    from pipeline.kafka.in_memory import MemoryBroker
    from pipeline.kafka.rights import check_rights
    from schemas.topics import DEAD_LETTERS, RAW

    if dry_run:
        yield MemoryBroker(known.kafka_partitions)
        return
    async with clients.producer(known, RAW.name, DEAD_LETTERS.name) as producer:
        await check_rights(known, "import")
        yield producer


def _replace(
    files: tuple[Path, ...],
    before: "Mapping",
    now: "Mapping | None",
    read: "Read",
    site: str,
    known: Settings,
) -> None:
    from pipeline.importer.send import read_files
    from pipeline.operations.rebuild.command import replace_touchpoints, said
    from pipeline.privacy.masking import Masks
    from pipeline.terminal import progress_bar

    async def touchpoints_by(mapping: "Mapping", progress: "Progress") -> "list[Touchpoint]":
        return await read_files(
            files,
            mapping,
            site=site,
            now=datetime.now(UTC),
            progress=progress,
            read=read,
            masks=Masks(known.property_rules),
        )

    async def run() -> str:
        with progress_bar(Console(stderr=True)) as progress:
            gone = await touchpoints_by(before, progress)
            told = gone if now is before else await touchpoints_by(now, progress) if now else []
        return said(await replace_touchpoints(known, site, gone, told))

    click.echo(asyncio.run(run()))


def _read_by(mapping: Path | None, known: Settings, site: str) -> "tuple[Mapping, Read]":
    """Give the mapping and the reader of the files; without a mapping they are access logs."""
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
