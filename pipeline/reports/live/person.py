"""One person, pseudonymous: sessions, touchpoints, phases and ids, across devices and channels."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, rows_of
from pipeline.reports.live.view import View

_MOST = 400
_LONGEST_TEXT = 2_000


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A session; `device_number` is the number of the person's visitor, from 1."""

    session_id: str
    device_number: int
    started_at: datetime
    ended_at: datetime
    touchpoints: int
    channel: str
    channel_group: str
    device: str
    entry_path: str
    exit_path: str
    orders: int
    revenue: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A touchpoint of the person, and the phase after it.

    An empty session: it came too late, or is not judged yet.
    """

    occurred_at: datetime
    touchpoint_id: str
    name: str
    channel: str
    phase: str
    path: str
    revenue: Decimal
    currency: str
    properties: str
    is_late: bool
    session_id: str
    device_number: int


@dataclass(frozen=True, kw_only=True)
class Moved:
    """The person entered a phase of the model."""

    at: datetime
    from_phase: str
    to_phase: str
    kind: str
    cycle: int
    touchpoint_id: str
    channel: str


@dataclass(frozen=True, kw_only=True)
class LeftBehind:
    """Something the person left behind."""

    kind: str
    step: str
    opened_at: datetime
    last_touchpoint_at: datetime
    last_touchpoint_id: str
    abandoned_at: datetime
    value: Decimal
    currency: str
    cause: str
    recovered_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Linked:
    """What links a device to the person: a kind of identifier, and how many there are."""

    device_number: int
    kind: str
    identifiers: int


@dataclass(frozen=True, kw_only=True)
class Person:
    """Everything that the page shows about a person; at most the newest 400 touchpoints."""

    person_id: str
    devices: int
    visits: tuple[Visit, ...]
    touchpoints: tuple[Seen, ...]
    moves: tuple[Moved, ...]
    left: tuple[LeftBehind, ...]
    links: tuple[Linked, ...]


def read_person(client: Client, view: View, person: str) -> Person:
    """Read what is known about `person`; an unknown person has nothing."""
    found = ask(client, view, "person_visitors", person=person)
    visitors = sorted(row["visitor_id"] for row in found)
    asked: dict[str, Any] = {"visitors": visitors, "most": _MOST, "longest": _LONGEST_TEXT}
    number = {visitor: place for place, visitor in enumerate(visitors, 1)}

    def numbered(question: str) -> list[dict[str, Any]]:
        return [
            {"device_number": number[row.pop("visitor_id")], **row}
            for row in ask(client, view, question, **asked)
        ]

    moves = rows_of(Moved, client, view, "person_moves", **asked)
    return Person(
        person_id=person,
        devices=len(visitors),
        visits=tuple(Visit(**row) for row in numbered("person_visits")),
        touchpoints=tuple(
            Seen(phase=_phase(moves, row["occurred_at"]), **row)
            for row in numbered("person_touchpoints")
        ),
        moves=moves,
        left=rows_of(LeftBehind, client, view, "person_left", **asked),
        links=tuple(Linked(**row) for row in numbered("person_links")),
    )


def _phase(moves: Sequence[Moved], at: datetime) -> str:
    """Return the phase that the moves, in order of time, led to by `at`."""
    place = bisect_right(moves, at, key=lambda move: move.at)
    return moves[place - 1].to_phase if place else ""
