"""The people behind a number: everybody it counts, the latest first."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, question
from pipeline.reports.live.steps import VISIT
from pipeline.reports.live.view import View

# ruff: noqa: S608 - all values are parameters of the server; only our own text is formatted in.

MOST = 200

_VALUES = {
    "source": "channel_group",
    "campaign": "campaign",
    "device": "device",
    "country": "country",
    "entry": "entry_path",
}

# Reaches back far enough for everything that can be won back in the span.
_LONG_BEFORE = "fromUnixTimestamp64Milli({start:Int64}) - INTERVAL 200 DAY"
_EVER = "fromUnixTimestamp64Milli(0)"

_STEP = f"""
SELECT person_id FROM {question("people_touchpoints")}
WHERE has({{steps:Array(String)}}, name)
GROUP BY person_id
HAVING {{closed}}"""

# Persons are named as in the parts of questions: an unlinked visitor has its own id as a name.
_QUESTIONS = {
    "phase": f"""
SELECT person_id FROM {question("people_transitions", start=_EVER)}
GROUP BY person_id HAVING argMax(to_phase, (at, turn, touchpoint_id)) = {{what:String}}""",
    "cell": f"""
SELECT person_id FROM {question("map_rows")}
WHERE phase = {{what:String}} AND touchpoints > 0
    AND ({{where:String}} = '' OR channel = {{where:String}})""",
    "left": f"""
SELECT person_id FROM {question("people_abandonments")}
WHERE ({{what:String}} = '' OR kind = {{what:String}})
    AND ({{where:String}} != 'waiting' OR recovered_at IS NULL)""",
    "won": f"""
SELECT person_id FROM {question("people_abandonments", start=_LONG_BEFORE)}
WHERE ({{what:String}} = '' OR kind = {{what:String}})
    AND recovered_at >= fromUnixTimestamp64Milli({{start:Int64}})
    AND recovered_at < fromUnixTimestamp64Milli({{end:Int64}})""",
    "place": f"""
SELECT person_id FROM {question("friction")}
WHERE kind IN ('step', 'page') AND place = {{what:String}}
    AND ({{where:String}} = '' OR what = {{where:String}})""",
    "crossing": f"""
SELECT person_id FROM {question("channel_crossings")}
WHERE from_channel = {{what:String}} AND to_channel = {{where:String}}""",
    "kpi": f"""
SELECT person_id FROM {question("kpi_values", kpi="{what:String}")}""",
    "touchpoint": f"""
SELECT person_id FROM {question("people_touchpoints")}
WHERE name = {{what:String}} AND channel = {{where:String}}""",
    "orders": f"""
SELECT person_id FROM {question("orders_in")}""",
    "mailing": f"""
SELECT person_id FROM {question("people_touchpoints")}
WHERE channel = 'newsletter' AND campaign_id = {{what:String}}
    AND ({{where:String}} = '' OR name = {{where:String}})""",
    "page": f"""
SELECT person_id FROM {question("people_touchpoints")}
WHERE type IN ('page', 'screen') AND path = {{what:String}}""",
    **{
        of: f"""
SELECT person_id FROM {question("visits")} WHERE page_views > 0 AND {value} = {{what:String}}"""
        for of, value in _VALUES.items()
    },
}

_PEOPLE = f"""
SELECT if(i.person_id = '', s.visitor_id, i.person_id) AS named,
    any(if(i.person_id = '', s.person_id, i.person_id)) AS person_id, max(s.ended_at) AS last_at,
    count() AS sessions, sum(s.touchpoints) AS touchpoints,
    groupUniqArray(toString(s.channel)) AS channels, sum(s.orders) AS orders,
    sum(s.revenue) AS revenue, count() OVER () AS total
FROM (SELECT * FROM sessions FINAL WHERE site = {{site:String}}) AS s
LEFT JOIN {question("linked")} AS i ON s.visitor_id = i.visitor_id
WHERE named IN ({{people}})
GROUP BY named
ORDER BY last_at DESC, named
LIMIT {MOST}"""

_WHERE_THEY_ARE = f"""
SELECT person_id, argMax(to_phase, (at, turn, touchpoint_id)) AS phase
FROM {question("people_transitions", start=_EVER, channel="''", segment="''")}
WHERE person_id IN {{people:Array(String)}}
GROUP BY person_id"""

_AT_STAKE = f"""
SELECT person_id, sum(value) AS at_stake, argMax(step, abandoned_at) AS step,
    argMax(cause, abandoned_at) AS cause, anyIf(currency, currency != '') AS currency
FROM {question("people_abandonments", channel="''", segment="''")}
WHERE person_id IN {{people:Array(String)}} AND recovered_at IS NULL
GROUP BY person_id"""


class UnknownQuestion(ValueError):
    """There is no such number; the text lists those that exist."""


@dataclass(frozen=True, kw_only=True)
class Behind:
    """A question for people: the number `of`, its value `what`, and `where`, as in the address."""

    of: str
    what: str = ""
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Somebody:
    """One person; `at_stake` is what was left behind in the span and not won back."""

    person_id: str
    phase: str
    last_at: datetime
    sessions: int
    touchpoints: int
    channels: tuple[str, ...]
    orders: int
    revenue: Decimal
    at_stake: Decimal
    currency: str
    step: str
    cause: str


@dataclass(frozen=True, kw_only=True)
class People:
    """The newest 200 of `total` people."""

    total: int
    people: tuple[Somebody, ...]


def read_people(client: Client, view: View, behind: Behind, steps: Sequence[str]) -> People:
    """Find the people behind a number.

    Raises:
        UnknownQuestion: `behind` asks for a number that does not exist.
    """
    asked = {"what": behind.what, "where": behind.where, "steps": [VISIT, *steps]}
    found = list(ask(client, view, _PEOPLE.replace("{people}", _who(behind, steps)), **asked))
    named = [row["named"] for row in found]
    phases = {r["person_id"]: r["phase"] for r in ask(client, view, _WHERE_THEY_ARE, people=named)}
    stakes = {r["person_id"]: r for r in ask(client, view, _AT_STAKE, people=named)}
    people = (
        _somebody(row, phases.get(row["named"], ""), stakes.get(row["named"], _NOTHING))
        for row in found
    )
    return People(total=found[0]["total"] if found else 0, people=tuple(people))


_NOTHING = {"at_stake": Decimal(0), "currency": "", "step": "", "cause": ""}


def _somebody(row: dict[str, Any], phase: str, stake: dict[str, Any]) -> Somebody:
    names = [field.name for field in fields(Somebody)]
    known = stake | row | {"phase": phase}
    return Somebody(**{name: known[name] for name in names})


def _who(behind: Behind, steps: Sequence[str]) -> str:
    if behind.of == "step":
        return _at_step(behind, steps)
    if behind.of not in _QUESTIONS:
        known = ", ".join(sorted({"step", *_QUESTIONS}))
        raise UnknownQuestion(f"no people are known by {behind.of!r}, but by {known}")
    return _QUESTIONS[behind.of]


def _at_step(behind: Behind, steps: Sequence[str]) -> str:
    names = [VISIT, *steps]
    place = names.index(behind.what) if behind.what in names else len(names)
    needed = [_has(number) for number in range(2, min(place, len(steps)) + 2)]
    is_last = place + 1 >= len(names)
    if behind.where == "lost" and not is_last:
        needed.append(f"NOT {_has(place + 2)}")
    if behind.where == "gone_on" and not is_last:
        needed.append(_has(place + 2))
    if place == len(names):
        needed.append("0")
    return _STEP.replace("{closed}", " AND ".join(needed) or "1")


def _has(number: int) -> str:
    return f"countIf(name = {{steps:Array(String)}}[{number}]) > 0"
