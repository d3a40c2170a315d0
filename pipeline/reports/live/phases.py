"""Where people are now, and when they came there."""

from dataclasses import dataclass, replace

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, fitting
from pipeline.reports.live.view import SLICES, View

_LINE_SPANS = 3


@dataclass(frozen=True, kw_only=True)
class PhaseNow:
    """A phase: `people` who were seen in the span are there at its end.

    In the span `came` people entered it, and `went_on` of them went on to a later phase. They
    stayed for `median_seconds`; None: nobody left. `line` is how many people came into it, from
    three spans ago until now.
    """

    phase: str
    people: int
    came: int
    went_on: int
    median_seconds: int | None
    line: tuple[int, ...]


def read_phases(client: Client, view: View) -> tuple[PhaseNow, ...]:
    """Count people by phase, in the order of the model."""
    lately = replace(view, start=view.end - _LINE_SPANS * view.length)
    step = max(1, int(lately.length.total_seconds()) // SLICES)
    lines: dict[str, list[int]] = {}
    for row in ask(client, lately, "phases_over_time", step=step):
        line = lines.setdefault(row["phase"], [0] * SLICES)
        line[lately.slice_at(row["time"])] += row["people"]
    return tuple(
        PhaseNow(
            **fitting(PhaseNow, row),
            line=tuple(lines.get(row["phase"], [0] * SLICES)),
        )
        for row in ask(client, view, "people_by_phase")
    )
