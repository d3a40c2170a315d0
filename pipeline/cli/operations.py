"""Commands to set up, check and repair."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.shared import (
    MOMENT,
    REASON,
    SITE,
    STAGE,
    clickhouse,
    read_settings,
    span_of,
    verdict,
)
from pipeline.settings import Settings
from pipeline.terminal import without_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clickhouse_connect.driver.client import Client

    from pipeline.collector.mail_providers.receive import Webhooks
    from pipeline.operations.dead_letters import Reader
    from pipeline.reports.span import Span
    from schemas.dead_letter import DeadLetter
    from schemas.touchpoint import Touchpoint


SHOW = click.option(
    "--show",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="How many differences to print.",
)


@click.command()
def migrate() -> None:
    """Bring ClickHouse's tables up to date, with their retention and the journey models."""
    from pipeline.clickhouse import bring_up_to_date

    known = read_settings()
    with clickhouse(known) as client:
        applied, altered = bring_up_to_date(client, known)
    for migration in applied:
        click.echo(f"applied {migration.number:04} {migration.name}")
    for table, how_long in altered.items():
        click.echo(f"retention of {table}: {how_long or 'for ever'}")
    click.echo(f"{len(applied)} applied; the tables are up to date")


@click.command()
def topics() -> None:
    """Create the Kafka topics that are missing, with their retention and compaction."""
    from pipeline.kafka.topics import create_topics, other_retention

    known = read_settings()
    created = asyncio.run(create_topics(known))
    click.echo(f"created: {', '.join(created)}" if created else "all topics are there")
    for sentence in asyncio.run(other_retention(known)):
        click.echo(sentence, err=True)


@click.group()
def replay() -> None:
    """Send dead letters again, or read a whole topic again."""


@replay.command("dead-letters")
@SITE
@STAGE
@REASON
@click.option(
    "--mapping", type=click.Path(path_type=Path), help="Mapping file; needed for rows of an import."
)
def dead_letters(site: str, stage: str, reason: str, mapping: Path | None) -> None:
    """Send dead letters again, once their cause is gone; those that are still wrong stay."""
    from pipeline.kafka import clients
    from pipeline.operations.dead_letters import read_record, replay_dead_letters, row_reader
    from pipeline.privacy.masking import Masks
    from schemas.topics import RAW, TABLES

    known = read_settings()
    readers = {"track": read_record, "collect": _call_reader(known)}
    if mapping is not None:
        from pipeline.importer.send import load_mapping

        chosen = load_mapping(mapping).with_placeholders(known.placeholders.get(site, ()))
        readers["import"] = row_reader(chosen, datetime.now(UTC))

    async def run(client: "Client") -> Any:
        async with clients.producer(known, RAW.name, *TABLES) as producer:
            return await replay_dead_letters(
                client,
                producer,
                readers,
                site=site,
                stage=stage,
                reason=reason,
                now=lambda: datetime.now(UTC),
                masks=Masks(known.property_rules),
            )

    with clickhouse(known, site) as client:
        summary = asyncio.run(run(client))
    click.echo(f"{summary.sent} sent")
    for why, count in summary.refused.items():
        click.echo(f"{count} still refused: {why}")
    for where, count in summary.left.items():
        click.echo(f"{count} left: dead letters of the stage {where} need --mapping")


def _call_reader(known: Settings) -> "Reader":
    from pipeline.collector.intake import Intake, Limits
    from pipeline.collector.letters import Letters
    from pipeline.operations.dead_letters import raw_of

    intake = Intake(
        Limits(known.collector_max_event, known.collector_max_depth, known.collector_max_age),
        placeholders=known.placeholders,
    )

    letters = Letters(intake, _mails(known))

    def read_call(letter: "DeadLetter") -> "Sequence[Touchpoint]":
        return letters.read(letter, raw_of(letter))

    return read_call


def _mails(known: Settings) -> "Webhooks | None":
    from pipeline.collector.mail_providers.receive import Webhooks
    from pipeline.privacy.pseudonyms import Pseudonyms

    salt, most = known.site_salt.get_secret_value(), known.collector_max_event
    if not salt:  # without one there are no mail providers, nor letters of theirs
        return None
    return Webhooks({}, Pseudonyms(salt), most, 1, placeholders=known.placeholders)


@replay.command("topic")
@click.argument("topics", nargs=-1, required=True, metavar="TOPIC...")
@click.option("--from", "since", type=MOMENT, help="UTC; default: the beginning.")
def topic_(topics: tuple[str, ...], since: datetime | None) -> None:
    """Read topics again: touchpoints.raw by the tracker, the others by the sink.

    Stop the topics' readers first and start them again afterwards. Rows keep their ids: correct
    rows in ClickHouse stay as they are, missing ones come back.
    """
    from pipeline.operations.outdated import said
    from pipeline.operations.rewind import rewind

    known = read_settings()
    for name in topics:
        done = asyncio.run(rewind(known, name, since))
        click.echo(f"{done.records} records of {name} will be read again")
        if sentence := said(done.taken_back):
            click.echo(sentence)


@click.command()
@click.option("--site", default="", help="The site to recompute.")
@click.option("--from", "start", type=MOMENT, help="Only people seen since then; UTC.")
@click.option("--to", "end", type=MOMENT, help="Only people seen before then; UTC.")
@click.option(
    "--from-database",
    "source",
    default="",
    metavar="NAME",
    help="First bring the site from this database, which belongs to another log.",
)
@click.option("--lost-log", is_flag=True, help="Every site: Kafka's log is a new one.")
def rebuild(
    site: str, start: datetime | None, end: datetime | None, source: str, *, lost_log: bool
) -> None:
    """Recompute a site from its touchpoints, while live ones continue to arrive.

    Afterwards late touchpoints, changed models and rules, and the touchpoints of a lost log count,
    and no outdated fact is left. With --from or --to only people who were seen in that span are
    recomputed, from everything they did. Tracker and sink must be running. You can interrupt it and
    run it again.

    With --lost-log all facts are deleted first, since they were written from a log that is gone.
    """
    from pipeline.operations.rebuild.command import forget, rebuild_site, said

    known = read_settings()
    if lost_log == bool(site) or (lost_log and (start or end or source)):
        raise click.UsageError("give --site, or --lost-log alone for every site")
    if source and (start or end):
        raise click.UsageError("--from-database brings a whole site: leave out --from and --to")
    for one in forget(known) if lost_log else [site]:
        done = asyncio.run(rebuild_site(known, span_of(one, start, end), source))
        click.echo(f"{one}: {said(done)}" if lost_log else said(done))


@click.command()
@SITE
@click.option("--from", "start", type=MOMENT, help="Compare every row since then; UTC.")
@click.option("--to", "end", type=MOMENT, help="Compare every row before then; UTC.")
@click.option("--fix", is_flag=True, help="Repair what differs from the log, with a rebuild.")
@SHOW
def verify(site: str, start: datetime | None, end: datetime | None, fix: bool, show: int) -> None:
    """Compare the sessions with those that plain SQL computes from the touchpoints.

    With --from, --to or --fix, every row of the tables is compared with the replayed log, while
    touchpoints arrive. Tracker and sink must be running.
    """
    if start or end or fix:
        _verify_span(span_of(site, start, end), fix, show)
    else:
        _verify_sessions(site, show)


def _verify_sessions(site: str, show: int) -> None:
    from pipeline.operations.verify import count_touchpoints, differences

    known = read_settings()
    with clickhouse(known, site) as client:
        touchpoints = count_touchpoints(client, site)
        found = differences(client, gap=known.session_gap, site=site)
    where = known.clickhouse_url
    click.echo(f"Compared with {touchpoints:,} touchpoints of {site or 'all sites'} at {where}")
    if not touchpoints:
        raise click.ClickException("there are no touchpoints to compare with")
    _print(found, show)
    verdict(len(found), "sessions that differ")


def _verify_span(span: "Span", fix: bool, show: int) -> None:
    from pipeline.operations.live_check import check, repair
    from pipeline.operations.rebuild.command import said

    known = read_settings()
    with clickhouse(known, span.site) as client:
        checked = asyncio.run(check(known, client, span))
        click.echo(f"Compared with {sum(map(len, checked.log)):,} records of touchpoints.raw")
        _print(checked.differences, show)
        if fix and checked.differences:
            click.echo(f"{len(checked.differences):,} differences")
            for of, done in asyncio.run(repair(known, checked)).items():
                click.echo(f"{of}: {said(done)}")
            checked = asyncio.run(check(known, client, span))
            _print(checked.differences, show)
    verdict(len(checked.differences), "differences")


def _print(found: "Sequence[object]", show: int) -> None:
    for difference in found[:show]:
        click.echo(without_controls(str(difference)))


@click.command()
@SHOW
def oracle(show: int) -> None:
    """Replay the whole log and compare every row of the tables with the result."""
    from pipeline.operations.comparison import compare
    from pipeline.operations.oracle import ends_of, expected_tables, read_log
    from pipeline.tracker.rules import rules_of
    from schemas.topics import RAW

    known = read_settings()
    records = asyncio.run(read_log(known))
    ends = ends_of(records)
    count = sum(map(len, records))
    click.echo(
        f"Log: {RAW.name} at {known.kafka_bootstrap_servers}, {count:,} records, up to {ends}"
    )
    if not count:
        raise click.ClickException("the log is empty; there is nothing to compare the tables with")
    expected = expected_tables(records, rules_of(known))
    with clickhouse(known) as client:
        found = compare(client, expected, ends)
    _print(found, show)
    for table, rows in expected.items():
        click.echo(f"{table}: {len(rows):,} rows expected")
    verdict(len(found), "differences")
