"""`touchstream`: one command per role. The only place that wires roles, settings and outside
together; every other module gets what it needs as an argument.

Imports of roles stand inside their commands: a collector needs no Faust, `--help` needs nothing.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click
from pydantic import BaseModel, ValidationError
from rich.console import Console, RenderableType

from pipeline.settings import Settings
from pipeline.signals import until_told

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from pipeline.collector.newsletter.mailing import Mailing
    from pipeline.importer.mapping import Mapping
    from pipeline.importer.send import Read
    from pipeline.operations.dead_letters import Reader
    from pipeline.personal.find import Named
    from pipeline.reports.attribution.answer import By, Model
    from pipeline.reports.span import Span

T = TypeVar("T")
SITE = click.option("--site", default="", help="One site only; default: all.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")

Option = Callable[[Callable[..., None]], Callable[..., None]]


def _options(*options: Option) -> Option:
    """Give several commands the same options, in this order."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_of_span = _options(
    SITE,
    click.option("--from", "start", type=click.DateTime(), help="UTC, e.g. 2025-02-23."),
    click.option("--to", "end", type=click.DateTime(), help="UTC, not included."),
    AS_JSON,
)


class Failed(click.ClickException):
    """An error whose text says what to do."""

    exit_code = 1


def _settings() -> Settings:
    try:
        with _sentences():
            return Settings()
    except ValidationError as error:
        lines = [
            f"  TOUCHSTREAM_{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}"
            for e in error.errors()
        ]
        raise Failed(
            "settings that cannot be used (see `touchstream settings`):\n" + "\n".join(lines)
        ) from error


def _run(work: Coroutine[Any, Any, T]) -> T:
    with _sentences():
        return asyncio.run(work)


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn the errors that are meant for people into a line and exit code 1."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except Exception as error:
        if type(error).__name__ in _FOR_PEOPLE:
            raise Failed(str(error)) from error
        raise


_FOR_PEOPLE = frozenset(
    {
        "BadFunnel",
        "BadLink",
        "BadMapping",
        "BadModel",
        "BadSettings",
        "BadSources",
        "ClickHouseUnavailable",
        "CollectorFailed",
        "DemoFailed",
        "EmbeddedError",
        "EraseRefused",
        "ForgetFailed",
        "ImportFailed",
        "MapFailed",
        "MigrationRefused",
        "NobodyFound",
        "NotAcknowledged",
        "ReplayFailed",
        "SeveralPeople",
        "SimulationFailed",
        "StackFailed",
        "TopicsFailed",
        "WebhookFailed",
    }
)


@contextmanager
def _client(settings: Settings) -> Iterator["Client"]:
    from pipeline.clickhouse import connect

    with _sentences():
        client = connect(settings)
        try:
            yield client
        finally:
            client.close()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, not only what goes wrong.")
@click.version_option(package_name="touchstream")
def main(verbose: bool) -> None:
    """Customer journeys, live from the stream.

    \b
    See it work:            touchstream demo
    Everything, one machine: touchstream up
    One role, one process:  touchstream collect | track | sink | watch | webhook | drain
    Look at the numbers:    touchstream report | map | funnel | attribution

    Settings come from TOUCHSTREAM_* variables or from touchstream.toml; `touchstream settings`
    lists them.
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


@main.command()
def settings() -> None:
    """List every setting: name, value in force, what it is for."""
    known = _settings()
    for name, field in Settings.model_fields.items():
        click.echo(f"TOUCHSTREAM_{name.upper()}={_shown(getattr(known, name))}")
        click.echo(f"    {field.description}")


def _shown(value: object) -> str:
    return json.dumps(value, default=_plain) if isinstance(value, dict | list) else str(value)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    return str(value)


@main.command()
def collect() -> None:
    """Take touchpoints over HTTP and put them into Kafka (Segment's tracking API)."""
    from pipeline.collector.server import serve

    with _sentences():
        serve(_settings())


@main.command()
def openapi() -> None:
    """Print the OpenAPI document of the collector's HTTP API."""
    from pipeline.collector.server import openapi as openapi_

    click.echo(openapi_())


@main.command()
def track() -> None:
    """Turn touchpoints into sessions, transitions and abandonments (a Faust worker)."""
    from pipeline.tracker.app import run

    with _sentences():
        run(_settings())


@main.command()
def drain() -> None:
    """Bring back what write keys sent beyond their share, at a bounded rate (docs/limits.md)."""
    from pipeline.roles.drain import run

    _run(until_told(run(_settings())))


@main.command()
def sink() -> None:
    """Write the topics into ClickHouse."""
    from pipeline.roles.sink import run

    _run(run(_settings()))


@main.command()
def watch() -> None:
    """Watch the funnel and export a metric when a step drops off."""
    from pipeline.roles.watch.loop import watch as watch_

    known = _settings()
    with _client(known) as client:
        _run(until_told(watch_(client, known)))


@main.command()
def webhook() -> None:
    """Post transitions and abandonments to other systems, signed (docs/webhooks.md)."""
    from pipeline.roles.webhook.role import run

    _run(until_told(run(_settings())))


@main.command(hidden=True)
@click.option("--port", type=int, default=8123)
@click.option("--host", default="127.0.0.1")
def engine(port: int, host: str) -> None:
    """Run the embedded ClickHouse engine."""
    from pipeline.local.embedded.clickhouse import serve

    _run(until_told(serve(_settings().embedded_path / "clickhouse", host, port)))


@main.command()
@click.option("--kafka", help="A broker to use instead of the embedded one, host:port.")
@click.option("--clickhouse", help="A ClickHouse URL to use instead of the embedded engine.")
def up(kafka: str | None, clickhouse: str | None) -> None:
    """Run everything on this machine: broker, engine, collector, tracker, sink, watch.

    With shares of write keys also what drains the overflow lane.
    """
    from pipeline.local.stack import up as up_

    _run(up_(_settings(), kafka=kafka, clickhouse=clickhouse))


@main.command()
@click.option("--once", is_flag=True, help="End after the report. Also: ONCE=1, or no terminal.")
@click.option("--people", default=2000, show_default=True, help="How many people to simulate.")
def demo(once: bool, people: int) -> None:
    """Start everything, simulate shoppers, print what came of them."""
    from pipeline.demo.run import run

    alone = once or os.environ.get("ONCE") == "1" or not sys.stdout.isatty()
    _run(run(once=alone, people=people, console=Console()))


@main.command()
@click.option("--url", help="The collector; default: the one of the settings.")
@click.option("--write-key", help="Default: the first of TOUCHSTREAM_WRITE_KEYS.")
@click.option("--people", default=2000, show_default=True)
@click.option("--seed", default=1, show_default=True, help="The same seed, the same journeys.")
@click.option("--hours", default=6.0, show_default=True, help="Spread over the last N hours.")
@click.option("--follow", type=float, help="Go on live with N touchpoints a second.")
def simulate(
    url: str | None,
    write_key: str | None,
    people: int,
    seed: int,
    hours: float,
    follow: float | None,
) -> None:
    """Send generated multi-channel journeys through the HTTP collector."""
    from pipeline.demo.simulate import simulate as simulate_
    from pipeline.terminal import progress_bar

    known = _settings()
    key = write_key or next(iter(known.write_keys), None)
    if key is None:
        raise Failed("no write key: give --write-key or set TOUCHSTREAM_WRITE_KEYS")
    with progress_bar(Console()) as progress:
        summary = _run(
            simulate_(
                url or f"http://{known.collector_host}:{known.collector_port}",
                key,
                people=people,
                seed=seed,
                hours=hours,
                follow_rate=follow,
                progress=progress,
            )
        )
    click.echo(str(summary))


@main.command("import")
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
    known, console = _settings(), Console()
    with _sentences():
        chosen, read = _read_by(mapping, known, site)

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

    console.print(summary_table(_run(run())))


def _read_by(mapping: Path | None, known: Settings, site: str) -> "tuple[Mapping, Read]":
    """Give the mapping, and what reads the files: without a mapping they are access logs."""
    from pipeline.importer import access_log
    from pipeline.importer.files import log_lines, rows_of
    from pipeline.importer.send import load_mapping
    from pipeline.privacy.pseudonyms import Pseudonyms

    if mapping is not None:
        return load_mapping(mapping), rows_of
    if not known.site_salt.get_secret_value():
        raise Failed("IP addresses are hashed: set TOUCHSTREAM_SITE_SALT (openssl rand -hex 32)")
    named = partial(Pseudonyms(known.site_salt.get_secret_value()).network_address, site)
    hosts = known.site_hosts.get(site, [])
    base = f"https://{hosts[0]}" if hosts else ""
    row_of = partial(access_log.row_of, visitor_of=named, base=base)
    return access_log.MAPPING, partial(log_lines, row_of=row_of)


@main.command()
@_of_span
def report(site: str, start: datetime | None, end: datetime | None, as_json: bool) -> None:
    """Print sessions, visitors, the funnel in three readings, abandonment, phases, dead letters."""
    from pipeline.reports.overview import answer as report_
    from pipeline.reports.overview.text import render
    from schemas.journeys import load_models

    known = _settings()
    with _client(known) as client:
        models = load_models(known.journey_models)
        span = _span(site, start, end)
        found = report_.read_report(client, span, steps=models[0].funnel, models=models)
    _show(found, render, as_json)


def _span(site: str, start: datetime | None, end: datetime | None) -> "Span":
    from pipeline.reports.span import BEGINNING, END, Span

    return Span(
        site=site,
        start=start.replace(tzinfo=UTC) if start else BEGINNING,
        end=end.replace(tzinfo=UTC) if end else END,
    )


def _show(found: object, render: Callable[[Any], RenderableType], as_json: bool) -> None:
    from pipeline.reports.span import as_json as written

    if as_json:
        click.echo(written(found).decode())
    else:
        Console().print(render(found))


_MODELS = (
    *("first", "last", "last_non_direct", "linear", "position_based", "time_decay"),
    "markov",
)


@main.command()
@SITE
@click.option(
    "--model", "models", multiple=True, type=click.Choice(_MODELS), help="May repeat; default: all."
)
@click.option(
    "--by",
    type=click.Choice(["channel_group", "source", "campaign"]),
    default="channel_group",
    show_default=True,
)
@click.option(
    "--lookback",
    default=30,
    show_default=True,
    type=click.IntRange(1, 365),
    help="How many days before an order a visit may have led to it.",
)
@click.option("--from", "start", type=click.DateTime(), help="Orders since; UTC.")
@click.option("--to", "end", type=click.DateTime(), help="Orders until; UTC, not included.")
@AS_JSON
def attribution(
    site: str,
    models: "tuple[Model, ...]",
    by: "By",
    lookback: int,
    start: datetime | None,
    end: datetime | None,
    as_json: bool,
) -> None:
    """Give the orders to what led to them, by several models side by side.

    docs/attribution.md defines the models.
    """
    from pipeline.reports.attribution import answer as attribution_
    from pipeline.reports.attribution.text import render

    known = _settings()
    with _client(known) as client:
        found = attribution_.read_attribution(
            client,
            _span(site, start, end),
            by=by,
            models=models or attribution_.MODELS,
            lookback_days=lookback,
        )
    _show(found, render, as_json)


@main.command("map")
@click.option("--model", help="Default: the first of TOUCHSTREAM_JOURNEY_MODELS.")
@click.option("--segment", default="", help="One segment only; default: everybody.")
@_of_span
def map_(
    model: str | None,
    segment: str,
    site: str,
    start: datetime | None,
    end: datetime | None,
    as_json: bool,
) -> None:
    """Print the journey map: phases × channels, with people, conversion, time and pain points."""
    from pipeline.reports.journey_map import answer as journey_map
    from pipeline.reports.journey_map.text import render
    from schemas.journeys import load_models

    known = _settings()
    span = _span(site, start, end)
    with _client(known) as client:
        chosen = model or load_models(known.journey_models)[0].id
        found = journey_map.read_map(client, span, model=chosen, segment=segment)
    _show(found, render, as_json)


@main.command()
@click.argument("steps")
@click.option(
    "--order",
    type=click.Choice(["strict", "ordered", "unordered"]),
    default="ordered",
    show_default=True,
    help="strict: no other touchpoint between; unordered: in any order.",
)
@click.option(
    "--unit",
    type=click.Choice(["person", "visitor", "session"]),
    default="person",
    show_default=True,
    help="Who goes through it; a person is the one known now.",
)
@click.option("--window", default="14d", show_default=True, help="From first to last step.")
@click.option("--by", default="", help="Break down by the value at the first step.")
@_of_span
def funnel(
    *,
    steps: str,
    order: Any,
    unit: Any,
    window: str,
    by: str,
    site: str,
    start: datetime | None,
    end: datetime | None,
    as_json: bool,
) -> None:
    """How many come how far through STEPS, how fast, and where they are lost.

    \b
    touchstream funnel "Product Viewed > Product Added > Order Completed" --by channel
    touchstream funnel "Page Viewed[path=/sale] > Order Completed" --window 2h --unit session

    Filters and --by take any column of touchpoints, or a property as properties.NAME.
    docs/funnels.md says how each order is read.
    """
    from pipeline.reports.funnel import answer, question, text

    with _sentences():
        asked = question.Question(
            steps=question.parse_steps(steps),
            order=order,
            unit=unit,
            window=question.parse_window(window),
            by=by,
        )
    with _client(_settings()) as client:
        found = answer.read_funnel(client, _span(site, start, end), asked)
    _show(found, text.render, as_json)


@main.command()
@click.argument("sql")
@click.option("--format", "fmt", help="Any ClickHouse format; default: a table, or TSV in a pipe.")
def query(sql: str, fmt: str | None) -> None:
    """Run SQL against the configured ClickHouse."""
    from pipeline.reports.query import default_format, run_query

    with _client(_settings()) as client:
        chosen = fmt or default_format(sys.stdout.isatty())
        sys.exit(run_query(client, sql, chosen, sys.stdout.buffer, sys.stderr))


@main.command()
def migrate() -> None:
    """Bring ClickHouse's tables up to date, with their retention and the journey models."""
    from pipeline.clickhouse import bring_up_to_date

    known = _settings()
    with _client(known) as client:
        applied, altered = bring_up_to_date(client, known)
    for migration in applied:
        click.echo(f"applied {migration.number:04} {migration.name}")
    for table, how_long in altered.items():
        click.echo(f"retention of {table}: {how_long or 'for ever'}")
    click.echo(f"{len(applied)} applied; the tables are up to date")


@main.command()
def topics() -> None:
    """Create the Kafka topics that are missing, with their retention and compaction."""
    from pipeline.kafka.topics import create_topics

    created = _run(create_topics(_settings()))
    click.echo(f"created: {', '.join(created)}" if created else "all topics are there")


@main.group()
def replay() -> None:
    """Send again what did not get through, or everything."""


@replay.command("dead-letters")
@SITE
@click.option("--stage", default="", help="collect, import, track, sink or webhook; default: all.")
@click.option("--reason", default="", help="One reason only, e.g. no_visitor_id.")
@click.option("--mapping", type=click.Path(path_type=Path), help="For rows of an import.")
def dead_letters(site: str, stage: str, reason: str, mapping: Path | None) -> None:
    """Send dead letters again, now that their cause is gone; what is still wrong stays."""
    from pipeline.kafka.producer import KafkaProducer
    from pipeline.operations.dead_letters import read_record, replay_dead_letters, row_reader
    from pipeline.privacy.masking import Masks
    from schemas.topics import RAW, TABLES

    known = _settings()
    readers = {"track": read_record, "collect": _call_reader(known)}
    if mapping is not None:
        from pipeline.importer.send import load_mapping

        with _sentences():
            readers["import"] = row_reader(load_mapping(mapping), datetime.now(UTC))

    async def run(client: "Client") -> Any:
        producer = KafkaProducer(known)
        await producer.start([RAW.name, *TABLES])
        try:
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
        finally:
            await producer.stop()

    with _client(known) as client:
        summary = _run(run(client))
    click.echo(f"{summary.sent} sent")
    for why, count in summary.refused.items():
        click.echo(f"{count} still refused: {why}")
    for where, count in summary.left.items():
        click.echo(f"{count} left: letters of the stage {where} need --mapping")


def _call_reader(known: Settings) -> "Reader":
    from pipeline.collector.arrival import Arrival
    from pipeline.collector.intake import Intake, Limits

    intake = Intake(
        Limits(known.collector_max_event, known.collector_max_depth, known.collector_max_age)
    )
    return lambda letter: intake.touchpoint(letter.raw(), Arrival(letter.site, letter.at))


@replay.command("topic")
@click.argument("topic")
@click.option("--from", "since", type=click.DateTime(), help="UTC; default: the beginning.")
def topic_(topic: str, since: datetime | None) -> None:
    """Have a topic read again: touchpoints.raw by the tracker, the others by the sink.

    Stop its readers first and start them again afterwards. Rows keep their ids: what was right
    in ClickHouse stays as it is, what is missing comes back.
    """
    from pipeline.operations.rewind import rewind

    records = _run(rewind(_settings(), topic, since.replace(tzinfo=UTC) if since else None))
    click.echo(f"{records} records of {topic} will be read again")


@main.command()
@SITE
def verify(site: str) -> None:
    """Compare the sessions with those that plain SQL makes of the touchpoints."""
    from pipeline.operations.verify import differences

    known = _settings()
    with _client(known) as client:
        found = differences(client, gap=known.session_gap, site=site)
    for difference in found:
        click.echo(str(difference))
    _verdict(len(found), "sessions that differ")


@main.command()
@click.option("--show", default=20, show_default=True, help="How many differences to print.")
def oracle(show: int) -> None:
    """Replay the log in one go and compare every row of the tables with the result."""
    from pipeline.kafka.topics import read_topic
    from pipeline.operations.oracle import by_partition, compare, expected_tables
    from pipeline.tracker.rules import rules_of
    from schemas.topics import RAW

    known = _settings()

    async def log_of_touchpoints() -> list[Any]:
        return [record async for record in read_topic(known, RAW.name)]

    records = by_partition(_run(log_of_touchpoints()), known.kafka_partitions)
    ends = [partition[-1].offset + 1 if partition else 0 for partition in records]
    expected = expected_tables(records, rules_of(known))
    with _client(known) as client:
        found = compare(client, expected, ends)
    for difference in found[:show]:
        click.echo(str(difference))
    for table, rows in expected.items():
        click.echo(f"{table}: {len(rows)} rows expected")
    _verdict(len(found), "differences")


@main.group()
def journeys() -> None:
    """Look at journey models, and why a person is in a phase."""


@journeys.command("list")
def list_() -> None:
    """List the models, shipped and enabled; the first one enabled is the default."""
    from pipeline.reports.moves.text import render_models
    from schemas.journeys import SHIPPED, load_model, load_models

    with _sentences():
        enabled = load_models(_settings().journey_models)
        uses = {model.id: "enabled" for model in enabled} | {enabled[0].id: "enabled, the default"}
        shipped = [load_model(path.stem) for path in sorted(SHIPPED.glob("*.toml"))]
    others = [(model, "not enabled") for model in shipped if model.id not in uses]
    Console().print(render_models([*((model, uses[model.id]) for model in enabled), *others]))


@journeys.command()
@click.argument("file")
def check(file: str) -> None:
    """Say what is wrong with a model file, or list its phases and rules.

    FILE is a path, or the name of a shipped model. docs/journeys.md explains model files.
    """
    from pipeline.reports.moves.text import render_model
    from schemas.journeys import load_model

    with _sentences():
        model = load_model(file)
    Console().print(render_model(model))


@journeys.command()
@SITE
@click.option("--person", default="", help="A person_id, or a user id.")
@click.option("--visitor", default="", help="A visitor_id: the person it belongs to.")
@click.option("--model", default="", help="One model only; default: all.")
def explain(site: str, person: str, visitor: str, model: str) -> None:
    """Say why a person is in a phase: each move with its touchpoint and its rule."""
    from pipeline.reports.moves.answer import read_moves
    from pipeline.reports.moves.text import render_moves
    from pipeline.tracker.rules import rules_of

    if bool(person) == bool(visitor):
        raise click.UsageError("give either --person or --visitor")
    known = _settings()
    with _client(known) as client:
        rules = rules_of(known)
        moves = read_moves(client, person=person, visitor=visitor, model=model, site=site)
    models = [ready.model for ready in rules.models]
    Console().print(render_moves(moves, models, rules.version))


_whom = _options(
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


@main.command()
@_whom
@click.option("--to", "out", type=click.File("wb"), default="-", help="A file; default: stdout.")
def export(out: IO[bytes], **whom: str) -> None:
    """Write all that ClickHouse holds of a person, as lines of JSON.

    Each line is a row, with the name of its table. docs/privacy.md says what is held elsewhere.
    """
    from pipeline.personal.find import export_person

    with _client(_settings()) as client:
        export_person(client, _person(client, **whom), out)


@main.command()
@_whom
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--again", is_flag=True, help="Nobody new: what came back, as by a replay.")
@click.option(
    "--wait", default=60.0, show_default=True, help="Seconds that tracker and sink may take."
)
def erase(yes: bool, again: bool, wait: float, **whom: str) -> None:
    """Erase a person from the tracker's memory and from ClickHouse: shows what will go, and asks.

    The log in Kafka holds the person until its retention ends. docs/privacy.md tells more.
    """
    from pipeline.personal.announce import tell, until_read

    known = _settings()
    since = None if again else datetime.now(UTC) - timedelta(minutes=5)
    with _client(known) as client:
        if again == any(whom[way] for way in ("person", "visitor", "identifier")):
            raise click.UsageError("give --again, or a person")
        if not again:
            named = _named_to_erase(client, yes, **whom)
            _run(tell(known, named, lambda: datetime.now(UTC)))
        _erase_told(client, known, since)
        if _run(until_read(known, wait)):
            _erase_told(client, known, since)
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


def _erase_told(client: "Client", known: Settings, since: datetime | None) -> None:
    from pipeline.personal.announce import told
    from pipeline.personal.delete import erase_rows

    with _sentences():
        for erased in _run(told(known, since)):
            erase_rows(client, erased, known.kafka_partitions)


@main.group()
def links() -> None:
    """Sign the links of a newsletter, so that opens and clicks come in (docs/newsletter.md)."""


_of_mailing = _options(
    click.option("--site", default="shop", show_default=True, help="The site it is sent for."),
    click.option("--campaign", required=True, help="The mailing, e.g. spring-2026."),
    click.option("--subscriber", required=True, help="A number of yours, never an address."),
)


@links.command("sign")
@click.argument("url")
@_of_mailing
def sign_link(url: str, site: str, campaign: str, subscriber: str) -> None:
    """Print the link that counts a click and leads to URL."""
    with _sentences():
        click.echo(_mailing(site, campaign, subscriber).click(url))


@links.command("rewrite")
@click.argument("body", type=click.File("rb"), default="-")
@_of_mailing
def rewrite_links(body: IO[bytes], site: str, campaign: str, subscriber: str) -> None:
    """Sign every link of a mail's HTML and append the pixel; the HTML goes to standard output.

    The headers for one-click unsubscription (RFC 8058) go to standard error.
    """
    from pipeline.collector.newsletter.mail_body import rewritten

    with _sentences():
        mailing = _mailing(site, campaign, subscriber)
        # What is not UTF-8, and how lines end, is passed on as it came.
        text = body.read().decode("utf-8", "surrogateescape")
        html = rewritten(text, mailing.click, mailing.pixel())
    click.echo(html.encode("utf-8", "surrogateescape"), nl=False)
    for name, value in mailing.headers():
        click.echo(f"{name}: {value}", err=True)


def _mailing(site: str, campaign: str, subscriber: str) -> "Mailing":
    from pipeline.collector.newsletter.mailing import Mailing

    known = _settings()
    if not known.link_keys:
        raise Failed("no key to sign with: set TOUCHSTREAM_LINK_KEYS (see docs/newsletter.md)")
    return Mailing(
        url=known.public_url,
        keys=[key.get_secret_value() for key in known.link_keys],
        site=site,
        campaign_id=campaign,
        subscriber_id=subscriber,
        expires=datetime.now(UTC) + known.link_lifetime,
    )


def _verdict(count: int, what: str) -> None:
    click.echo(f"{count} {what}")
    if count:
        sys.exit(1)


if __name__ == "__main__":
    main()
