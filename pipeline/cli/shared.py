"""Shared by the commands: options, settings, a client, readable errors."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import click
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import RenderableType

from pipeline.settings import BadSettings, Settings
from pipeline.settings.sources import example_of
from pipeline.terminal import print_whole
from schemas.dead_letter import Reason, Stage
from schemas.fields import Language

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from pipeline.reports.span import Span


SITE = click.option("--site", default="", help="One site only; default: all.")


LANG = click.option(
    "--lang",
    type=click.Choice(["en", "de"]),
    help="Language of labels; default: TOUCHSTREAM_LANGUAGE.",
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


ABOVE_0 = click.FloatRange(min=0, min_open=True)


AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


Option = Callable[[Callable[..., None]], Callable[..., None]]


def options(*options: Option) -> Option:
    """Give several commands the same options, in this order."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


of_span = options(
    SITE,
    click.option("--from", "start", type=click.DateTime(), help="UTC, e.g. 2025-02-23."),
    click.option("--to", "end", type=click.DateTime(), help="UTC, not included."),
    AS_JSON,
)


def read_settings() -> Settings:
    """Read the settings.

    Raises:
        BadSettings: a value is invalid.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [_complaint(*one["loc"], message=one["msg"]) for one in error.errors()]
        raise BadSettings(
            "invalid settings (`touchstream settings` lists all of them):\n" + "\n".join(lines)
        ) from None
    except SettingsError as error:
        raise BadSettings(f"the settings are not readable: {error}") from None


def _complaint(name: str | int, *within: str | int, message: str) -> str:
    where = ".".join(map(str, (name, *within))).upper()
    field = Settings.model_fields.get(str(name))
    if "timedelta" in message or "duration" in message:
        message = "write a duration in seconds, or as PT30M or P2D"
    example = example_of(field) if field and len(within) < 2 else ""  # noqa: PLR2004
    return f"  TOUCHSTREAM_{where}: {message}{example}"


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


def _sites_of(settings: Settings) -> set[str]:
    sites = {key.site for key in settings.write_keys.values()}
    sites |= {place.partition("/")[2] for place in settings.provider_secrets}
    return sites.union(settings.site_hosts, settings.server_secrets, settings.site_time_zones)


def span_of(site: str, start: datetime | None, end: datetime | None) -> "Span":
    """Give the span that the options name; without options, all time."""
    from pipeline.reports.span import BEGINNING, END, Span

    return Span(
        site=site,
        start=start.replace(tzinfo=UTC) if start else BEGINNING,
        end=end.replace(tzinfo=UTC) if end else END,
    )


def show(found: object, render: Callable[[Any], RenderableType], as_json: bool) -> None:
    """Print an answer as JSON, or as `render` lays it out."""
    from pipeline.reports.span import as_json as written

    if as_json:
        click.echo(written(found).decode())
    else:
        print_whole(render(found))


def labels_in(lang: Language | None) -> Language:
    """Give the language of labels: `lang`, or that of the settings."""
    return lang or read_settings().language


def verdict(count: int, what: str) -> None:
    """Print how many differ; exit with 1 if any do."""
    click.echo(f"{count:,} {what}")
    if count:
        sys.exit(1)
