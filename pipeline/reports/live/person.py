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

_VISITORS = """
SELECT visitor_id FROM sessions FINAL WHERE site = {site:String} AND visitor_id IN
    (SELECT visitor_id FROM identities FINAL
    WHERE site = {site:String} AND person_id = {person:String})
UNION DISTINCT
SELECT visitor_id FROM sessions FINAL WHERE site = {site:String} AND person_id = {person:String}
    AND visitor_id NOT IN (SELECT visitor_id FROM identities FINAL WHERE site = {site:String})"""

_SESSIONS = """
SELECT session_id, visitor_id, started_at, ended_at, touchpoints, channel, channel_group, device,
    entry_path, exit_path, orders, revenue
FROM sessions FINAL
WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
ORDER BY started_at, session_id
LIMIT {most:UInt32}"""

_TOUCHPOINTS = """
SELECT * FROM
(
    SELECT t.occurred_at AS occurred_at, t.touchpoint_id AS touchpoint_id, t.name AS name,
        t.channel AS channel, t.path AS path, t.revenue AS revenue, t.currency AS currency,
        substring(t.properties, 1, 2000) AS properties, t.is_late AS is_late,
        if(t.is_late, '', s.session_id) AS session_id, t.visitor_id AS visitor_id
    FROM
    (
        SELECT * FROM touchpoints FINAL
        WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
    ) AS t
    ASOF LEFT JOIN
    (
        SELECT visitor_id, session_id, started_at FROM sessions FINAL
        WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
    ) AS s ON t.visitor_id = s.visitor_id AND t.occurred_at >= s.started_at
    ORDER BY occurred_at DESC, touchpoint_id DESC
    LIMIT {most:UInt32}
)
ORDER BY occurred_at, touchpoint_id"""

_MOVES = """
SELECT at, from_phase, to_phase, kind, cycle, touchpoint_id, channel
FROM transitions FINAL
WHERE site = {site:String} AND model = {model:String} AND visitor_id IN {visitors:Array(String)}
ORDER BY at, version, transition_id"""

_LEFT = """
SELECT kind, step, opened_at, last_touchpoint_at, last_touchpoint_id, abandoned_at, value, currency,
    cause, recovered_at
FROM abandonments FINAL
WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
ORDER BY abandoned_at"""

_LINKS = """
SELECT visitor_id, splitByChar(':', identifier)[1] AS kind, count() AS identifiers
FROM links FINAL
WHERE site = {site:String} AND visitor_id IN {visitors:Array(String)}
GROUP BY visitor_id, kind
ORDER BY visitor_id, kind"""


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
    found = ask(client, view, _VISITORS, person=person)
    visitors = sorted(row["visitor_id"] for row in found)
    asked: dict[str, Any] = {"visitors": visitors, "most": _MOST}
    number = {visitor: place for place, visitor in enumerate(visitors, 1)}

    def numbered(sql: str) -> list[dict[str, Any]]:
        return [
            {"device_number": number[row.pop("visitor_id")], **row}
            for row in ask(client, view, sql, **asked)
        ]

    moves = rows_of(Moved, client, view, _MOVES, **asked)
    return Person(
        person_id=person,
        devices=len(visitors),
        visits=tuple(Visit(**row) for row in numbered(_SESSIONS)),
        touchpoints=tuple(
            Seen(phase=_phase(moves, row["occurred_at"]), **row) for row in numbered(_TOUCHPOINTS)
        ),
        moves=moves,
        left=rows_of(LeftBehind, client, view, _LEFT, **asked),
        links=tuple(Linked(**row) for row in numbered(_LINKS)),
    )


def _phase(moves: Sequence[Moved], at: datetime) -> str:
    """Return the phase that the moves, in order of time, led to by `at`."""
    place = bisect_right(moves, at, key=lambda move: move.at)
    return moves[place - 1].to_phase if place else ""
