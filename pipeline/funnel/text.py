"""A funnel for a terminal. Lays out what was read; computes nothing."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.funnel.answer import Answer, Reached

_BAR = 20
_HEADINGS = ("reach", "count", "of first", "of previous", "lost", "median", "p90")
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


def _title(answer: Answer) -> Text:
    site = answer.span.site or "all sites"
    window = duration(answer.window_seconds)
    return Text(f"{site}, by {answer.unit}, {_MEANING[answer.order]}, within {window}")


def _table(title: str, steps: tuple[Reached, ...]) -> Table:
    table = Table(title=title or None, title_justify="left")
    table.add_column("step")
    table.add_column("", width=_BAR)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right")
    for step in steps:
        table.add_row(step.step, _bar(step.count, steps[0].count), *_cells(step))
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


def _bar(part: int, whole: int) -> str:
    return "█" * round(_BAR * part / whole) if whole else ""


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}".replace("%", " %")


def duration(seconds: float | None) -> str:
    """Say a time in its two largest units: `2 d 3 h`, `5 min 10 s`, `0.4 s`."""
    if seconds is None:
        return ""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{round(seconds, 1):g} s"
    rest = round(seconds)
    for size, unit, smaller_size, smaller in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if rest >= size:
            more = rest % size // smaller_size
            return f"{rest // size} {unit}" + (f" {more} {smaller}" if more else "")
    return f"{rest} s"
