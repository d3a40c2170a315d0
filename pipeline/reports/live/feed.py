"""The newest touchpoints: what arrived, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask
from pipeline.reports.live.view import View
from schemas.times import milliseconds

_MOST = 20
_LONGEST_TEXT = 2_000
_LOOK_BACK = timedelta(days=1)

# The newest, then what their visitors did, which shows the place of each in its session. What the
# tracker has not yet judged is in no session.
_NEWEST = """
WITH newest AS
(
    SELECT visitor_id, touchpoint_id
    FROM touchpoints
    WHERE site = {site:String} AND occurred_at >= fromUnixTimestamp64Milli({since:Int64})
        AND occurred_at < fromUnixTimestamp64Milli({end:Int64})
        AND ({channel:String} = '' OR channel = {channel:String})
    ORDER BY received_at DESC, occurred_at DESC, touchpoint_id
    LIMIT 1 BY visitor_id, touchpoint_id
    LIMIT {most:UInt32}
),
seen AS
(
    SELECT * FROM touchpoints FINAL
    WHERE site = {site:String} AND occurred_at >= fromUnixTimestamp64Milli({since:Int64})
        AND visitor_id IN (SELECT visitor_id FROM newest)
),
visits AS
(
    SELECT visitor_id, session_id, person_id, started_at,
        row_number() OVER (PARTITION BY visitor_id ORDER BY started_at, session_id) AS number
    FROM sessions FINAL
    WHERE site = {site:String} AND visitor_id IN (SELECT visitor_id FROM newest)
),
known AS
(
    SELECT visitor_id, person_id FROM identities FINAL
    WHERE site = {site:String} AND visitor_id IN (SELECT visitor_id FROM newest)
)
SELECT r.*, if(i.person_id = '', r.own_id, i.person_id) AS person_id
FROM
(
    SELECT t.touchpoint_id AS touchpoint_id, t.visitor_id AS visitor_id,
        t.occurred_at AS occurred_at, t.received_at AS received_at, t.name AS name,
        t.channel AS channel, t.path AS path, t.revenue AS revenue, t.currency AS currency,
        substring(t.properties, 1, {longest:UInt32}) AS properties, t.device AS device,
        t.browser AS browser, t.is_bot AS is_bot, t.is_late AS is_late,
        s.session_id AS session_id, toUInt32(s.number) AS session_number, s.person_id AS own_id,
        toUInt32(row_number() OVER (
            PARTITION BY t.visitor_id, s.session_id ORDER BY t.occurred_at, t.touchpoint_id
        )) AS nth
    FROM seen AS t
    ASOF LEFT JOIN visits AS s ON t.visitor_id = s.visitor_id AND t.occurred_at >= s.started_at
) AS r
LEFT JOIN known AS i ON r.visitor_id = i.visitor_id
WHERE (r.visitor_id, r.touchpoint_id) IN newest
ORDER BY r.received_at DESC, r.occurred_at DESC, r.touchpoint_id"""

_PHASES = """
SELECT person_id, groupArray((at, to_phase)) AS moves
FROM
(
    SELECT person_id, toUnixTimestamp64Milli(at) AS at, toString(to_phase) AS to_phase
    FROM person_transitions
    WHERE site = {site:String} AND model = {model:String} AND person_id IN {people:Array(String)}
    ORDER BY at, version, transition_id
)
GROUP BY person_id"""

_REFUSED = """
SELECT at, stage, reason, detail, substring(payload, 1, {longest:UInt32}) AS payload, encoding,
    dead_letter_id, count() OVER (PARTITION BY stage, reason) AS alike
FROM dead_letters FINAL
WHERE site IN ({site:String}, '') AND at >= fromUnixTimestamp64Milli({since:Int64})
    AND at < fromUnixTimestamp64Milli({end:Int64})
ORDER BY at DESC, dead_letter_id
LIMIT {most:UInt32}"""

# What became of touchpoints. The table is sorted by day; `occurred_at` finds the days.
_BECAME = """
SELECT touchpoint_id, multiIf(is_bot, 'bot', is_late, 'late', 'counted') AS became
FROM touchpoints FINAL
WHERE site = {site:String} AND touchpoint_id IN {ids:Array(String)}
    AND occurred_at >= fromUnixTimestamp64Milli({first:Int64})
    AND occurred_at <= fromUnixTimestamp64Milli({last:Int64})"""


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
    revenue: Decimal
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
    found = list(ask(client, view, _NEWEST, **_limits(view)))
    people = sorted({row["person_id"] for row in found} - {""})
    moves = {r["person_id"]: r["moves"] for r in ask(client, view, _PHASES, people=people)}
    names = [field.name for field in fields(Arrived) if field.name != "phase"]
    return tuple(
        Arrived(
            **{name: row[name] for name in names},
            phase=_phase(moves.get(row["person_id"], ()), row["occurred_at"]),
        )
        for row in found
    )


def read_refused(client: Client, view: View) -> tuple[Refused, ...]:
    """Read the newest dead letters of the span, or of the last day before its end."""
    found = ask(client, view, _REFUSED, **_limits(view))
    return tuple(Refused(**row) for row in found)


def read_became(client: Client, view: View, times: Mapping[str, datetime]) -> dict[str, str]:
    """Read what became of touchpoints, by id: `counted`, `bot` or `late`.

    `times` are the times when they happened. Touchpoints that are not in the tables yet are left
    out.
    """
    if not times:
        return {}
    span = {name: milliseconds(of(times.values())) for name, of in _ENDS}
    found = ask(client, view, _BECAME, ids=list(times), **span)
    return {row["touchpoint_id"]: row["became"] for row in found}


_ENDS = (("first", min), ("last", max))


def _limits(view: View) -> dict[str, Any]:
    since = min(view.start, view.end - _LOOK_BACK)
    return {
        "since": milliseconds(since),
        "most": _MOST,
        "longest": _LONGEST_TEXT,
    }


def _phase(moves: Any, at: datetime) -> str:
    moment = milliseconds(at)
    return next((phase for moved_at, phase in reversed(moves) if moved_at <= moment), "")
