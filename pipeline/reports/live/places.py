"""Weak points, where people give up, ask for help or complain; and changes of channel."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import question, rows_of
from pipeline.reports.live.view import View

# ruff: noqa: S608 - all values are parameters of the server; only our own text is formatted in.

# Counts as the question `weak_points` does, but in people. A step says more than its pages; a phase
# says less.
_WEAK = f"""
SELECT kind, place,
    uniqExactIf(person_id, what != 'feedback') AS people,
    uniqExactIf(person_id, what = 'abandonment') AS lost,
    countIf(what = 'support') AS asked,
    countIf(what = 'complaint') AS complained,
    countIf(what = 'feedback') AS noted,
    sum(seconds) / greatest(people, 1) AS seconds_lost
FROM {question("friction")}
WHERE kind IN ('step', 'page')
GROUP BY kind, place
HAVING lost + asked + complained + noted > 0
ORDER BY (lost + asked + complained + noted) / greatest(people, 10) DESC, people DESC, place
LIMIT 12"""

# Counts as the question `channel_changes` does.
_CROSSINGS = f"""
SELECT from_channel, to_channel, uniqExact(person_id) AS people, count() AS crossings,
    medianExact(dateDiff('second', left_at, arrived_at)) AS median_seconds,
    uniqExactIf(
        person_id, is_last AND person_id NOT IN (SELECT person_id FROM {question("buyers_of")})
    ) AS lost
FROM {question("channel_crossings")}
WHERE from_channel != ''
GROUP BY from_channel, to_channel
ORDER BY people DESC, from_channel, to_channel
LIMIT 12"""


@dataclass(frozen=True, kw_only=True)
class WeakPoint:
    """A step or page: `lost` of the `people` there gave up; `seconds_lost` is a mean per person."""

    kind: str
    place: str
    people: int
    lost: int
    asked: int
    complained: int
    noted: int
    seconds_lost: float


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """A change from one channel to another; `lost` people crossed, then went no further and never
    ordered.
    """

    from_channel: str
    to_channel: str
    people: int
    crossings: int
    median_seconds: int
    lost: int


def read_weak_points(client: Client, view: View) -> tuple[WeakPoint, ...]:
    """Rank the steps and pages, the weakest first."""
    return rows_of(WeakPoint, client, view, _WEAK)


def read_crossings(client: Client, view: View) -> tuple[Crossing, ...]:
    """Count how people changed channel, the most frequent first."""
    return rows_of(Crossing, client, view, _CROSSINGS)
