"""Where people are now, counted as in `touchstream report`, and how that developed."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, question
from pipeline.reports.live.view import SLICES, View

# ruff: noqa: S608 - all values are parameters of the server; only our own text is formatted in.

_EVER = "fromUnixTimestamp64Milli(0)"
_LATELY = f"fromUnixTimestamp64Milli({{end:Int64}} - {{slice:Int64}} * 3 * {SLICES})"

_NOW = f"""
SELECT phase, count() AS people
FROM
(
    SELECT argMax(to_phase, (at, turn, touchpoint_id)) AS phase
    FROM {question("people_transitions", start=_EVER)}
    GROUP BY person_id
)
GROUP BY phase"""

# Recent moves; an empty phase means none.
_MOVES = f"""
SELECT from_phase, to_phase,
    intDiv({{end:Int64}} - 1 - toUnixTimestamp64Milli(at), 3 * {{slice:Int64}}) AS ago,
    count() AS people
FROM {question("people_transitions", start=_LATELY)}
GROUP BY from_phase, to_phase, ago"""

_STAYS = f"""
SELECT phase, uniqExact(person_id) AS came, uniqExactIf(person_id, moved_on) AS went_on,
    if(
        countIf(left_at IS NOT NULL) = 0, NULL, medianExactIf(
            dateDiff('second', entered_at, left_at), left_at IS NOT NULL
        )
    ) AS median_seconds
FROM {question("stays_in")}
WHERE entered_at >= fromUnixTimestamp64Milli({{start:Int64}})
GROUP BY phase"""


@dataclass(frozen=True, kw_only=True)
class PhaseNow:
    """A phase: `people` are there now. In the span `came` people entered it, and `went_on` of them
    went on to a later phase. They stayed for `median_seconds`; None: nobody left.

    `line` is how many people were there, from three spans ago until now.
    """

    phase: str
    people: int
    came: int
    went_on: int
    median_seconds: int | None
    line: tuple[int, ...]


def read_phases(client: Client, view: View) -> tuple[PhaseNow, ...]:
    """Count people by phase; only phases that somebody is in or entered."""
    now = {row["phase"]: row["people"] for row in ask(client, view, _NOW)}
    moves = list(ask(client, view, _MOVES))
    stays = {row["phase"]: row for row in ask(client, view, _STAYS)}
    return tuple(
        PhaseNow(
            phase=phase,
            people=now.get(phase, 0),
            came=stays.get(phase, {}).get("came", 0),
            went_on=stays.get(phase, {}).get("went_on", 0),
            median_seconds=stays.get(phase, {}).get("median_seconds"),
            line=_line(phase, now.get(phase, 0), moves),
        )
        for phase in sorted(now.keys() | stays.keys())
    )


def _line(phase: str, people: int, moves: list[dict[str, object]]) -> tuple[int, ...]:
    """Go back in time from `people`, undoing the moves of each slice."""
    line = [people]
    for ago in range(SLICES - 1):
        came = _moved(moves, ago, "to_phase", phase) - _moved(moves, ago, "from_phase", phase)
        line.append(line[-1] - came)
    return tuple(reversed(line))


def _moved(moves: list[dict[str, object]], ago: int, end: str, phase: str) -> int:
    return sum(int(str(m["people"])) for m in moves if m["ago"] == ago and m[end] == phase)
