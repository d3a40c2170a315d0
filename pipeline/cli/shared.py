"""Shared by the commands: options, settings, a client, readable errors."""

import asyncio
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import click
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import RenderableType

from pipeline.cli import logs
from pipeline.settings import BadSettings, Settings
from pipeline.settings.complaints import bad_settings
from pipeline.terminal import print_whole
from schemas.dead_letter import Reason, Stage
from schemas.fields import SITE as NAME_OF_A_SITE
from schemas.fields import Language

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from clickhouse_connect.driver.client import Client

    from pipeline.reports.span import Span


_KAFKA_SECONDS = 3.0


def site_name(_context: click.Context, _option: click.Parameter, site: str) -> str:
    """Give the name of a site; a usage error if no site can be called so."""
    if not re.fullmatch(NAME_OF_A_SITE, site):
        raise click.BadParameter(
            f"{site!r} is no name of a site: it has small letters, digits, '.', '_' and '-', and "
            "begins with a letter or a digit"
        )
    return site


SITE = click.option("--site", default="", help="One site only; default: all.")


LANG = click.option(
    "--lang",
    type=click.Choice(["en", "de"]),
    help="Language of phases and KPIs, the rest is English; default: TOUCHSTREAM_LANGUAGE.",
)


STAGE = click.option(
    "--stage", type=click.Choice(["", *get_args(Stage)]), default="", help="Default: all."
)


REASON = click.option(
    "--reason",
    type=click.Choice(["", *Reason]),
    default="",
    metavar="REASON",
    help="One reason only, e.g. no_visitor_id.",
)


COUNT = click.IntRange(min=1)


class _Moment(click.ParamType):
    """A day or a time in ISO 8601, with or without seconds; UTC unless it names its offset."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read it; a usage error says what to write."""
        from pipeline.reports.span_words import BadSpan, moment_of

        try:
            return moment_of(value, UTC).astimezone(UTC)
        except BadSpan as error:
            self.fail(str(error), param, ctx)


MOMENT = _Moment()


ABOVE_0 = click.FloatRange(min=0, min_open=True)


FORMAT = click.option(
    "--format",
    "fmt",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
)


Option = Callable[[Callable[..., None]], Callable[..., None]]


def options(*options: Option) -> Option:
    """Give several commands the same options, in this order."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def in_span(usual: str) -> Option:
    """Give a command the options that name a site, a span and how to print the answer.

    `usual` says which span is meant without options.
    """
    return options(
        SITE,
        click.option(
            "--last", default="", help=f"Length of the span: 90m, 24h, 7d, 2w.  [default: {usual}]"
        ),
        click.option("--ago", default="", help="How long ago the span ended: 7d."),
        click.option("--from", "start", default="", help="Start of the span, e.g. 2026-03-01."),
        click.option(
            "--to", "end", default="", help="End of the span, not included; default: now."
        ),
        click.option(
            "--zone", default="", help="A time zone, e.g. Europe/Berlin; default: the site's."
        ),
        FORMAT,
    )


SPAN = in_span("all time")


def read_settings() -> Settings:
    """Read the settings, and log as they say.

    Raises:
        BadSettings: a value is invalid.
    """
    try:
        known = Settings()
    except ValidationError as error:
        raise bad_settings(error) from None
    except SettingsError as error:
        raise BadSettings(f"the settings are not readable: {error}") from None
    logs.use(known)
    return known


@contextmanager
def clickhouse(settings: Settings, site: str = "") -> Iterator["Client"]:
    """Give a client for the ClickHouse of `settings`.

    Raises:
        Unknown: nothing has come in of the `site` that is asked about, and no setting names it.
    """
    from pipeline.clickhouse import connect
    from pipeline.reports.known import refuse_unknown, sites

    with closing(connect(settings)) as client:
        if site and site not in _sites_of(settings):
            refuse_unknown("site", site, sites(client, site))
        yield client


def waiting_in_kafka(settings: Settings) -> tuple[int, int] | None:
    """Count the records that wait for tracker and sink; None if Kafka does not say so quickly."""
    from pipeline.kafka.lag import still_waiting

    return asyncio.run(still_waiting(settings, _KAFKA_SECONDS))


def _sites_of(settings: Settings) -> set[str]:
    sites = {key.site for key in settings.write_keys.values()}
    sites |= {place.partition("/")[2] for place in settings.provider_secrets}
    return sites.union(settings.site_hosts, settings.server_secrets, settings.site_time_zones)


def span_of(site: str, start: datetime | None, end: datetime | None) -> "Span":
    """Give the span that the options name; without options, all time."""
    from pipeline.reports.span import BEGINNING, END, Span

    return Span(
        site=site,
        start=start or BEGINNING,
        end=end or END,
    )


def zone_of(settings: Settings, site: str, named: str) -> "ZoneInfo":
    """Give the time zone `named`, or else that of the site.

    Raises:
        BadSpan: there is no such zone.
    """
    from pipeline.reports.span_words import zone_named

    return zone_named(named or settings.site_time_zones.get(site, "UTC"))


def span_asked(settings: Settings, site: str, of: dict[str, Any]) -> "Span":
    """Take the words of a span out of the options `of`; without words, all time.

    Raises:
        BadSpan: the words contradict each other, or the end is not after the start.
    """
    from pipeline.reports.span import BEGINNING
    from pipeline.reports.span_words import span_in_words

    words = {name: of.pop(name) for name in ("last", "ago", "start", "end")}
    zone = zone_of(settings, site, of.pop("zone"))
    if not any(words.values()):
        return span_of(site, None, None)
    if words["end"] and not words["start"]:
        words["start"] = BEGINNING.isoformat()
    return span_in_words(site, **words, zone=zone, now=datetime.now(UTC))


def show(
    settings: Settings,
    found: object,
    fmt: str,
    render: Callable[[Any], RenderableType],
    rows: Callable[[Any], Iterable[Mapping[str, Any]]],
) -> None:
    """Print an answer as `render` lays it out, as JSON, or its `rows` as CSV.

    Beside table and CSV it says how much is still waiting in Kafka.
    """
    from pipeline.reports.span import as_json
    from pipeline.reports.written import lines, waits

    if fmt == "json":
        click.echo(as_json(found).decode())
        return
    if fmt == "csv":
        click.echo(lines(rows(found)), nl=False)
    else:
        print_whole(render(found))
    click.echo(waits(waiting_in_kafka(settings)), err=fmt == "csv")


def labels_in(lang: Language | None) -> Language:
    """Give the language of labels: `lang`, or that of the settings."""
    return lang or read_settings().language


def verdict(count: int, what: str) -> None:
    """Print how many differ; exit with 1 if any do."""
    click.echo(f"{count:,} {what}")
    if count:
        sys.exit(1)
