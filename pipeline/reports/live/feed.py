"""The newest touchpoints: what arrived, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, fitting, rows_of
from pipeline.reports.live.view import View
from schemas.times import milliseconds

Key = tuple[str, str]
"""Visitor and id of a touchpoint: an id belongs to its visitor."""

_MOST = 20
_LONGEST_TEXT = 2_000
_LOOK_BACK = timedelta(days=1)
_JUST_NOW = timedelta(minutes=10)
"""In a busy shop the newest came in here: to look no further saves reading all of a day."""


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A touchpoint, and what became of it.

    It is the `nth` of the visitor's session `session_number`. If `session_id` is empty, it came
    too late (`is_late`), or the tracker has not judged it yet. `phase` is the person's phase at
    this touchpoint.
    """

    touchpoint_id: str
    occurred_at: datetime
    received_at: datetime
    name: str
    channel: str
    path: str
    revenue: float
    currency: str
    properties: str
    device: str
    browser: str
    is_bot: bool
    is_late: bool
    session_id: str
    session_number: int
    nth: int
    person_id: str
    phase: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A dead letter: what was refused, where, and why; `alike` have the same reason."""

    dead_letter_id: str
    at: datetime
    stage: str
    reason: str
    detail: str
    payload: str
    encoding: str
    alike: int


def read_arrived(client: Client, view: View) -> tuple[Arrived, ...]:
    """Read the newest touchpoints of the span, or of the last day before its end."""
    found = _newest(client, view, _JUST_NOW)
    if len(found) < _MOST:
        found = _newest(client, view, max(view.length, _LOOK_BACK))
    visitors = sorted({row["visitor_id"] for row in found})
    moved = ask(client, view, "phases_of_newest", visitors=visitors)
    moves = {row["visitor_id"]: row["moves"] for row in moved}
    return tuple(
        Arrived(
            **fitting(Arrived, row),
            phase=_phase(moves.get(row["visitor_id"], ()), row["occurred_at"]),
        )
        for row in found
    )


def read_refused(client: Client, view: View) -> tuple[Refused, ...]:
    """Read the newest dead letters of the span, or of the last day before its end."""
    asked = {"most": _MOST, "longest": _LONGEST_TEXT}
    return rows_of(Refused, client, _lately(view), "refused", **asked)


def read_became(client: Client, view: View, times: Mapping[Key, datetime]) -> dict[Key, str]:
    """Read what became of touchpoints, by key: `counted`, `bot` or `late`.

    `times` are the times when they happened. Touchpoints that are not in the tables yet are left
    out.
    """
    if not times:
        return {}
    first, last = min(times.values()), max(times.values())
    visitors, ids = (sorted(set(each)) for each in zip(*times, strict=True))
    found = ask(client, view, "became", visitors=visitors, ids=ids, first=first, last=last)
    return {(row["visitor_id"], row["touchpoint_id"]): row["became"] for row in found}


def _newest(client: Client, view: View, received_within: timedelta) -> list[dict[str, Any]]:
    since = view.end - received_within
    asked = {"received": since, "most": _MOST, "longest": _LONGEST_TEXT}
    return list(ask(client, _lately(view), "arrived", **asked))


def _lately(view: View) -> View:
    return replace(view, start=min(view.start, view.end - _LOOK_BACK))


def _phase(moves: Any, at: datetime) -> str:
    moment = milliseconds(at)
    return next((phase for moved_at, phase in reversed(moves) if moved_at <= moment), "")
