"""A person's data: export it, erase it."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING

import click

from pipeline.cli.shared import SITE, clickhouse, options, read_settings
from pipeline.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from pipeline.personal.find import Named


_whom = options(
    click.option("--person", default="", help="A person_id, a user id or a visitor_id."),
    click.option("--visitor", default="", help="A visitor_id: the person it belongs to."),
    click.option("--identifier", default="", help="E.g. user:7, customer:12 or subscriber:3."),
    SITE,
)


def _person(client: "Client", **named: str) -> "Named":
    from pipeline.personal.find import find_person

    if sum(bool(named[way]) for way in ("person", "visitor", "identifier")) != 1:
        raise click.UsageError("give one of --person, --visitor and --identifier")
    return find_person(client, **named)


@click.command()
@_whom
@click.option("--to", "out", type=click.File("wb"), default="-", help="A file; default: stdout.")
def export(out: IO[bytes], **whom: str) -> None:
    """Write everything that ClickHouse has about a person, as lines of JSON.

    Each line is a row, with the name of its table. docs/privacy.md says what is stored elsewhere.
    """
    from pipeline.personal.find import export_person

    with clickhouse(read_settings(), whom["site"]) as client:
        export_person(client, _person(client, **whom), out)


@click.command()
@_whom
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--again",
    is_flag=True,
    help="Erase nobody new; delete what came back, for example by a replay.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="How many seconds to wait for tracker and sink.",
)
def erase(yes: bool, again: bool, wait: float, **whom: str) -> None:
    """Erase a person from the tracker's memory and from ClickHouse, after asking.

    It first shows what will be deleted. Kafka's log keeps the person's records until its retention
    ends: see docs/privacy.md.
    """
    from pipeline.personal.announce import until_read, write_erasure

    known = read_settings()
    since = None if again else datetime.now(UTC) - timedelta(minutes=5)
    with clickhouse(known, whom["site"]) as client:
        if again == any(whom[way] for way in ("person", "visitor", "identifier")):
            raise click.UsageError("give --again, or a person")
        if not again:
            named = _named_to_erase(client, yes, **whom)
            asyncio.run(write_erasure(known, named, lambda: datetime.now(UTC)))
        _erase_rows(client, known, since)
        if asyncio.run(until_read(known, wait)):
            _erase_rows(client, known, since)
            click.echo("erased; Kafka's log still holds it (docs/privacy.md)")
        else:
            click.echo(
                f"erased, but tracker or sink have not read on for {wait:g} seconds: run "
                "`touchstream erase --again` when they have"
            )
            sys.exit(1)


def _named_to_erase(client: "Client", yes: bool, **whom: str) -> "Named":
    from pipeline.personal.find import count_rows

    named = _person(client, **whom)
    click.echo(f"{named.site}: {', '.join(named.names)}")
    for table, rows in count_rows(client, named).items():
        click.echo(f"{rows:>9,} {table}")
    if not yes:
        click.confirm("Erase all of this? It cannot be undone", abort=True)
    return named


def _erase_rows(client: "Client", known: Settings, since: datetime | None) -> None:
    from pipeline.personal.announce import read_erasures
    from pipeline.personal.delete import erase_rows

    for erased in asyncio.run(read_erasures(known, since)):
        erase_rows(client, erased, known.kafka_partitions)
