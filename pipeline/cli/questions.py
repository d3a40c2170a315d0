"""Questions about a span: KPIs, people, pages, sources, mailings, cohorts, paths."""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import click

from pipeline.cli.shared import (
    LANG,
    Option,
    clickhouse,
    in_span,
    options,
    read_settings,
    waiting_in_kafka,
    zone_of,
)
from pipeline.terminal import print_whole
from schemas.fields import Channel, Language

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_of_span: Callable[[Callable[..., None]], Callable[..., None]] = options(
    in_span("24h"),
    click.option("--channel", default="", help="One channel only."),
    click.option("--segment", default="", help="One segment only."),
    LANG,
)
_MOST: Option = click.option(
    "--most",
    default=50,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="Most rows to print.",
)
_BEFORE: Option = click.option(
    "--before/--no-before", default=True, show_default=True, help="Compare with the span before."
)
_VISIT = ("source", "group", "medium", "campaign", "channel", "device", "country")
_MODEL: Option = click.option(
    "--model", default="", help="Journey model; default: the first configured."
)


@click.command()
@_of_span
@_MODEL
@_BEFORE
@click.option("--kpi", default="", help="One KPI only; default: all. docs/kpis.md defines them.")
@click.option("--wide", is_flag=True, help="Also print levels, observations and formula.")
def kpis(model: str, before: bool, kpi: str, wide: bool, **of: Any) -> None:
    """Print the KPIs of a span on three levels, compared with the span before."""
    number = "value" if before else ""
    without = () if wide else ("levels", "observations", "formula")
    named = {"model": model, "kpi": kpi, "key": ("kpi", "currency"), "number": number}
    _answer("kpis", of, without, **named)


@click.command()
@_of_span
@_MOST
def people(most: int, **of: Any) -> None:
    """Print who was there, latest first; `export --person` and `journeys explain` say more."""
    _answer("people_found", of, most=most)


@click.command()
@_of_span
@_MOST
def pages(most: int, **of: Any) -> None:
    """Print which pages people see, how many do, and where they enter and leave."""
    _answer("pages", of, most=most)


@click.command()
@_of_span
@_MOST
@click.option(
    "--by",
    type=click.Choice((*_VISIT, "entry", "exit")),
    default="source",
    show_default=True,
)
def sources(most: int, by: str, **of: Any) -> None:
    """Print where visits come from, how, and what they bring."""
    _answer("visits_by", of, most=most, by=by)


@click.command()
@_of_span
@_MOST
@_BEFORE
def newsletter(most: int, before: bool, **of: Any) -> None:
    """Print the results of each mailing, from the mail to the order."""
    number = "clicked" if before else ""
    _answer("mailings", of, most=most, key=("campaign",), number=number)


@click.command()
@_of_span
def cohorts(**of: Any) -> None:
    """Print how many people who first ordered in a month order again, month by month."""
    _answer("cohorts", of)


@click.command()
@_of_span
@_MOST
@_BEFORE
def paths(most: int, before: bool, **of: Any) -> None:
    """Print people's paths through channels, and how many of them have ordered."""
    number = "people" if before else ""
    _answer("channel_paths", of, most=most, key=("path",), number=number)


@click.command("ask")
@click.argument("question", default="")
@_of_span
@_MODEL
@_MOST
@click.option(
    "--by",
    type=click.Choice((*_VISIT, "entry", "exit", "phase", "cycle")),
    default="source",
    show_default=True,
)
@click.option("--kpi", default="", help="One KPI only; docs/kpis.md defines them.")
@click.option("--person", default="", help="Whose timeline.")
@click.option(
    "--days",
    default=30,
    show_default=True,
    type=click.IntRange(1, 365),
    help="How long before an order a visit may have led to it.",
)
@click.option(
    "--step", default="1h", show_default=True, help="Time between two points of a line: 5m, 1h, 1d."
)
def ask_(question: str, step: str, **of: Any) -> None:
    """Print the answer of any question of docs/questions.md; without QUESTION, list them.

    \b
    touchstream ask weak_points --last 7d
    touchstream ask kpi_over_time --kpi nps --last 30d --step 1d
    """
    from pipeline.reports.known import refuse_unknown
    from pipeline.reports.span_words import length_of
    from schemas.questions import questions

    known = {name: one for name, one in questions().items() if one.kind == "question"}
    if not question:
        for name, one in known.items():
            click.echo(f"{name:24} {one.asks}")
        return
    refuse_unknown("question", question, known)
    if "person" in known[question].parameters and not of["person"]:
        raise click.UsageError("say whose: --person, with a person of `touchstream people`")
    named = ("model", "most", "by", "kpi", "person", "days")
    given = {name: of.pop(name) for name in named}
    _answer(question, of, step=int(length_of(step).total_seconds()), **given)


def _answer(question: str, of: dict[str, Any], without: Collection[str] = (), **given: Any) -> None:
    """Print the answer; a table is printed `without` some columns, JSON and CSV are whole."""
    from datetime import UTC, datetime

    from pipeline.reports.compared import compared, site_of
    from pipeline.reports.span_words import span_in_words
    from schemas.journeys import load_models

    known = read_settings()
    words = {name: of.pop(name) for name in ("last", "ago", "start", "end")}
    fmt, zone_name, lang = of.pop("fmt"), of.pop("zone"), of.pop("lang")
    if "model" in given:
        given["model"] = given["model"] or load_models(known.journey_models)[0].id
    with clickhouse(known) as client:
        site = site_of(client, of.pop("site"))
        zone = zone_of(known, site, zone_name)
        _refuse_unknown(client, site, of | given)
        span = span_in_words(site, **words, zone=zone, now=datetime.now(UTC))
        found = compared(client, question, span, **of, **given)
    found = replace(found, freshness=replace(found.freshness, waiting=waiting_in_kafka(known)))
    _print(found, fmt, zone, lang or known.language, without)


def _refuse_unknown(client: "Client", site: str, asked: dict[str, Any]) -> None:
    from pipeline.reports.known import kpis, models, refuse_unknown, segments

    refuse_unknown("channel", asked["channel"], get_args(Channel))
    if asked["segment"]:
        refuse_unknown("segment", asked["segment"], segments(client, site))
    if "model" in asked:
        refuse_unknown("model", asked["model"], models(client))
    if asked.get("kpi"):
        refuse_unknown("KPI", asked["kpi"], kpis(client))


def _print(found: Any, fmt: str, zone: Any, lang: Language, without: Collection[str]) -> None:
    from pipeline.reports.written import as_csv, as_json, as_table, notes

    if fmt == "json":
        click.echo(as_json(found).decode())
    elif fmt == "csv":
        click.echo(as_csv(found), nl=False)
        for note in notes(found.freshness, zone):
            click.echo(note, err=True)
    else:
        print_whole(as_table(found, zone, lang, without))
