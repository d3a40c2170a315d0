"""A funnel for a terminal. Lays out what was read; computes nothing."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.bar import Bar
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.reports.funnel.answer import Answer, Reached

_LONGEST_BAR = 24
_NARROWEST_STEP = 16
_HEADINGS = ("reach", "count", "of\nfirst", "of\nprevious", "lost", "median", "p90")
_SCALES = (("d", 86400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1))
_MEANING = {
    "strict": "one directly after the other",
    "ordered": "in this order",
    "unordered": "in any order",
}


def render(answer: Answer) -> RenderableType:
    """Lay out the whole funnel, then one table for each value at its first step."""
    parts = ((f"{answer.by} = {part.value or '(empty)'}", part.steps) for part in answer.parts)
    tables = [_table(*part) for part in (("all" if answer.by else "", answer.steps), *parts)]
    spaced = (piece for table in tables for piece in (Text(), table))
    return Group(_title(answer), *spaced, *_left_out(answer))


def rows(answer: Answer) -> Iterator[dict[str, Any]]:
    """Give the steps for CSV, all together and then of each value; `value` is empty for all."""
    yield from ({"value": ""} | asdict(step) for step in answer.steps)
    for part in answer.parts:
        yield from ({"value": part.value or "(empty)"} | asdict(step) for step in part.steps)


def _title(answer: Answer) -> Text:
    site = answer.span.site or "all sites"
    window = duration(answer.window_seconds)
    return Text(f"{site}, by {answer.unit}, {_MEANING[answer.order]}, within {window}")


def _table(title: str, steps: tuple[Reached, ...]) -> Table:
    named = Text(title) if title else None
    table = Table(
        title=named, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column("step", min_width=_NARROWEST_STEP, overflow="fold")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", max_width=_LONGEST_BAR)
    for step in steps:
        bar = Bar(max(steps[0].count, 1), 0, step.count)
        # As Text, because rich reads the brackets of a filter as markup.
        table.add_row(Text(step.step), *_cells(step), bar)
    return table


def _cells(step: Reached) -> Iterator[str]:
    yield f"{step.reach:,}"
    yield f"{step.count:,}"
    yield _percent(step.of_first)
    yield _percent(step.of_previous)
    yield "" if step.lost is None else f"{step.lost:,}"
    yield duration(step.median_seconds)
    yield duration(step.p90_seconds)


def _left_out(answer: Answer) -> Iterator[Text]:
    if answer.parts_left_out:
        yield Text(f"\n{answer.parts_left_out:,} more values of {answer.by} are left out.")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}".replace("%", " %")


def duration(seconds: float | None) -> str:
    """Write a duration in its two largest units: `2d 3h`, `5m 10s`, `0.4s`."""
    if seconds is None:
        return ""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{round(seconds, 1):g}s"
    rest = round(seconds)
    unit, size, smaller, smaller_size = next(scale for scale in _SCALES if rest >= scale[1])
    more = rest % size // smaller_size
    return f"{rest // size}{unit}" + (f" {more}{smaller}" if more else "")
