"""The questions asked of ClickHouse."""

import sys
from collections.abc import Iterable
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, get_args

import click

from pipeline.cli.shared import (
    LANG,
    SPAN,
    clickhouse,
    labels_in,
    read_settings,
    show,
    span_asked,
)
from pipeline.settings import Settings
from pipeline.terminal import without_controls
from schemas.fields import Channel, Language

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from pipeline.reports.attribution.answer import By, Model
    from pipeline.reports.funnel.question import Step


@click.command()
@SPAN
@LANG
def report(site: str, fmt: str, lang: Language | None, **of: Any) -> None:
    """Print sessions, visitors, three kinds of funnel, abandonment, phases and dead letters."""
    from pipeline.reports.overview import answer as report_
    from pipeline.reports.overview.text import render, rows
    from schemas.journeys import load_models

    known = read_settings()
    span = span_asked(known, site, of)
    with clickhouse(known, site) as client:
        models = load_models(known.journey_models)
        found = report_.read_report(client, span, steps=models[0].funnel, models=models)
    show(known, found, fmt, partial(render, lang=labels_in(lang)), rows)


_MODELS = (
    *("first", "last", "last_non_direct", "linear", "position_based", "time_decay"),
    "markov",
)


@click.command()
@SPAN
@click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Choice(_MODELS),
    help="Repeat it for several; default: all.",
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
    help="A visit counts if it began at most this many days before the order.",
)
def attribution(
    site: str, models: "tuple[Model, ...]", by: "By", lookback: int, fmt: str, **of: Any
) -> None:
    """Credit the orders of a span to the visits that led to them, by several models side by side.

    docs/attribution.md defines the models.
    """
    from pipeline.reports.attribution import answer as attribution_
    from pipeline.reports.attribution.text import render, rows
    from pipeline.reports.compared import site_of

    known = read_settings()
    with clickhouse(known, site) as client:
        found = attribution_.read_attribution(
            client,
            span_asked(known, site_of(client, site), of),
            by=by,
            models=models or attribution_.MODELS,
            lookback_days=lookback,
        )
    show(known, found, fmt, render, rows)


@click.command("map")
@click.option("--model", help="Journey model; default: the first of TOUCHSTREAM_JOURNEY_MODELS.")
@click.option("--segment", default="", help="One segment only; default: everybody.")
@SPAN
@LANG
def map_(
    *, model: str | None, segment: str, site: str, fmt: str, lang: Language | None, **of: Any
) -> None:
    """Print the journey map: phases × channels, with people, conversion, time and pain points."""
    from pipeline.reports.compared import site_of
    from pipeline.reports.journey_map import answer as journey_map
    from pipeline.reports.journey_map.text import render, rows
    from pipeline.reports.known import refuse_unknown, segments
    from schemas.journeys import load_models

    known = read_settings()
    with clickhouse(known, site) as client:
        span = span_asked(known, site_of(client, site), of)
        if segment:
            refuse_unknown("segment", segment, segments(client, site))
        chosen = model or load_models(known.journey_models)[0].id
        found = journey_map.read_map(client, span, model=chosen, segment=segment)
    show(known, found, fmt, partial(render, lang=labels_in(lang)), rows)


@click.command()
@click.argument("steps")
@click.option(
    "--order",
    type=click.Choice(["strict", "ordered", "unordered"]),
    default="ordered",
    show_default=True,
    help="strict: no other touchpoint in between; unordered: in any order.",
)
@click.option(
    "--unit",
    type=click.Choice(["person", "visitor", "session"]),
    default="person",
    show_default=True,
    help="Who goes through the funnel; a person is the one known now.",
)
@click.option(
    "--window",
    default="14d",
    show_default=True,
    help="Longest time from the first to the last step.",
)
@click.option("--by", default="", help="Break down by the value at the first step.")
@SPAN
def funnel(
    *, steps: str, order: Any, unit: Any, window: str, by: str, site: str, fmt: str, **of: Any
) -> None:
    """Print how many people get how far through STEPS, how fast, and where they are lost.

    \b
    touchstream funnel "Product Viewed > Product Added > Order Completed" --by channel
    touchstream funnel "Page Viewed[path=/sale] > Order Completed" --window 2h --unit session

    Filters and --by take any column of touchpoints, or a property as properties.NAME.
    docs/funnels.md explains each order.
    """
    from pipeline.reports.funnel import answer, question, text

    asked = question.Question(
        steps=question.parse_steps(steps),
        order=order,
        unit=unit,
        window=question.parse_window(window),
        by=by,
    )
    known = read_settings()
    span = span_asked(known, site, of)
    with clickhouse(known, site) as client:
        _refuse_unknown_steps(client, known, site, asked.steps)
        found = answer.read_funnel(client, span, asked)
    show(known, found, fmt, text.render, text.rows)


def _refuse_unknown_steps(
    client: "Client", known: Settings, site: str, steps: "Iterable[Step]"
) -> None:
    """Raise Unknown for a name that no touchpoint has had, no model and no specification names."""
    from pipeline.collector.vocabularies.segment import SPECIFIED
    from pipeline.reports.known import refuse_unknown, touchpoint_names
    from schemas.journeys import load_models

    names = SPECIFIED | touchpoint_names(client, site)
    names = names.union(*(model.names for model in load_models(known.journey_models)))
    for step in steps:
        refuse_unknown("touchpoint", step.name, names)
        for filter_ in step.filters:
            if filter_.field == "channel":
                refuse_unknown("channel", filter_.value, get_args(Channel))


@click.command()
@click.argument("sql")
@click.option("--format", "fmt", help="Any ClickHouse format; default: a table, or TSV in a pipe.")
def query(sql: str, fmt: str | None) -> None:
    """Run SQL against the configured ClickHouse."""
    from pipeline.reports.query import default_format, run_query

    with clickhouse(read_settings()) as client:
        is_terminal = sys.stdout.isatty()
        chosen = fmt or default_format(is_terminal)
        if not is_terminal:
            sys.exit(run_query(client, sql, chosen, sys.stdout.buffer, sys.stderr))
        out = BytesIO()
        code = run_query(client, sql, chosen, out, sys.stderr)
    click.echo(without_controls(out.getvalue().decode(errors="replace")), nl=False)
    sys.exit(code)
