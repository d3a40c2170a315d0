"""Weak points, where people give up, ask for help or complain; and changes of channel."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import rows_of
from pipeline.reports.live.view import View

_MOST = 12


@dataclass(frozen=True, kw_only=True)
class WeakPoint:
    """A step or page: `lost` of the `people` there gave up; the seconds are a mean per person.

    `abandonments` is how often they gave up.
    """

    kind: str
    place: str
    people: int
    lost: int
    abandonments: int
    support_contacts: int
    complaints: int
    feedback: int
    score: float
    seconds_lost_per_person: float


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
    return rows_of(WeakPoint, client, view, "weak_places", most=_MOST)


def read_crossings(client: Client, view: View) -> tuple[Crossing, ...]:
    """Count how people changed channel, the most frequent first."""
    found = rows_of(Crossing, client, view, "channel_changes")
    return tuple(one for one in found if one.from_channel)[:_MOST]
