"""The KPIs of the span on three levels, with lines over four weeks."""

from dataclasses import dataclass, replace
from datetime import timedelta

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, fitting, rows_of
from pipeline.reports.live.view import SLICES, View

_LINE = timedelta(days=28)
_DAY_SECONDS = 86_400
_MOST = 40


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    """A KPI of the span, from `observations`; `levels` are the phases that it describes."""

    kpi: str
    currency: str
    value: float
    observations: int
    people: int
    unit: str
    levels: tuple[str, ...]
    en: str
    de: str
    formula: str


@dataclass(frozen=True, kw_only=True)
class KeyLine:
    """A KPI on each of the last 28 days on which it was observed."""

    kpi: str
    currency: str
    line: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class TouchpointFigures:
    """The KPIs of one touchpoint on one channel; None: nothing was measured or answered.

    The rates are in %. `times` and `exits` cover the span: how many, and how many of them were the
    last of their visit.
    """

    name: str
    channel: str
    volume: int
    people: int
    exit_rate: float
    median_waiting_seconds: float | None
    satisfaction: float | None
    answers: int
    complaints: int
    next_touchpoint: str
    times: tuple[int, ...]
    exits: tuple[int, ...]


def read_key_figures(client: Client, view: View) -> tuple[KeyFigure, ...]:
    """Compute the KPIs that were observed in the span."""
    return rows_of(KeyFigure, client, view, "kpis", kpi="")


def read_key_lines(client: Client, view: View) -> tuple[KeyLine, ...]:
    """Compute the KPIs of each of the last 28 days."""
    lines: dict[tuple[str, str], list[float]] = {}
    weeks = replace(view, start=view.end - _LINE)
    for row in ask(client, weeks, "kpi_over_time", kpi="", step=_DAY_SECONDS):
        lines.setdefault((row["kpi"], row["currency"]), []).append(row["value"])
    return tuple(
        KeyLine(kpi=kpi, currency=currency, line=tuple(line))
        for (kpi, currency), line in sorted(lines.items())
    )


def read_touchpoint_figures(client: Client, view: View) -> tuple[TouchpointFigures, ...]:
    """Compute the KPIs of every touchpoint, the most frequent first."""
    lines = {
        (row.pop("name"), row.pop("channel")): row
        for row in ask(client, view, "touchpoint_lines", most=_MOST, slices=SLICES)
    }
    nothing = {"times": (0,) * SLICES, "exits": (0,) * SLICES}
    return tuple(
        TouchpointFigures(
            **fitting(TouchpointFigures, row),
            **lines.get((row["name"], row["channel"]), nothing),
        )
        for row in ask(client, view, "touchpoint_kpis", most=_MOST)
    )
