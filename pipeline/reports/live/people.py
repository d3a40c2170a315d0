"""The people behind a number: whoever it counts, the latest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, question
from pipeline.reports.live.steps import VISIT
from pipeline.reports.live.view import View
from pipeline.reports.span import IN_SPAN

# ruff: noqa: S608 - all values are parameters of the server; only our own text is formatted in.

MOST = 200

_SOURCE = {
    "source": "channel_group",
    "campaign": "if(traffic_campaign = '', utm_campaign, traffic_campaign)",
    "device": "device",
    "country": "country",
    "entry": "entry_path",
}

_STEP = """
SELECT person_id FROM person_touchpoints
WHERE NOT is_bot AND has({{steps:Array(String)}}, name) AND {span}
GROUP BY person_id
HAVING {closed}"""

_QUESTIONS = {
    "phase": """
SELECT person_id FROM person_transitions
WHERE model = {{model:String}} AND site = {{site:String}}
    AND at < fromUnixTimestamp64Milli({{end:Int64}}){narrowed}
GROUP BY person_id HAVING argMax(to_phase, (at, turn, touchpoint_id)) = {{what:String}}""",
    "cell": """
SELECT DISTINCT person_id FROM {map_rows}
WHERE phase = {{what:String}} AND touchpoints > 0
    AND ({{where:String}} = '' OR channel = {{where:String}})""",
    "left": """
SELECT DISTINCT person_id FROM person_abandonments
WHERE ({{what:String}} = '' OR kind = {{what:String}}) AND {abandoned}{narrowed_session}
    AND ({{where:String}} != 'waiting' OR recovered_at IS NULL)""",
    "won": """
SELECT DISTINCT person_id FROM person_abandonments
WHERE ({{what:String}} = '' OR kind = {{what:String}}) AND {recovered}{narrowed_session}""",
    "place": """
SELECT DISTINCT person_id FROM {friction}
WHERE kind IN ('step', 'page') AND place = {{what:String}}
    AND ({{where:String}} = '' OR what = {{where:String}})""",
    "crossing": """
SELECT DISTINCT person_id FROM {channel_crossings}
WHERE from_channel = {{what:String}} AND to_channel = {{where:String}}""",
    "kpi": """
SELECT DISTINCT person_id FROM {kpi_values}""",
    "touchpoint": """
SELECT DISTINCT person_id FROM {people_touchpoints}
WHERE name = {{what:String}} AND channel = {{where:String}}""",
    "orders": """
SELECT DISTINCT person_id FROM {orders_in}""",
    "mailing": """
SELECT DISTINCT person_id FROM person_touchpoints
WHERE channel = 'newsletter' AND JSONExtractString(properties, 'campaign_id') = {{what:String}}
    AND ({{where:String}} = '' OR name = {{where:String}}) AND {occurred}""",
    "page": """
SELECT DISTINCT person_id FROM person_touchpoints
WHERE NOT is_bot AND type IN ('page', 'screen') AND path = {{what:String}}
    AND {occurred}{narrowed}""",
}

_ASKED = ("map_rows", "friction", "channel_crossings", "people_touchpoints", "orders_in")

_PEOPLE = """
SELECT person_id, max(ended_at) AS last_at, count() AS sessions, sum(touchpoints) AS touchpoints,
    groupUniqArray(toString(channel)) AS channels, sum(orders) AS orders, sum(revenue) AS revenue,
    count() OVER () AS total
FROM person_sessions
WHERE site = {{site:String}} AND person_id IN ({people})
GROUP BY person_id
ORDER BY last_at DESC, person_id
LIMIT {most}"""

_WHERE_THEY_ARE = """
SELECT person_id, argMax(to_phase, (at, turn, touchpoint_id)) AS phase
FROM person_transitions
WHERE site = {site:String} AND model = {model:String} AND person_id IN {people:Array(String)}
GROUP BY person_id"""

_AT_STAKE = """
SELECT person_id, sum(value) AS at_stake, argMax(step, abandoned_at) AS step,
    argMax(cause, abandoned_at) AS cause, anyIf(currency, currency != '') AS currency
FROM person_abandonments
WHERE site = {site:String} AND person_id IN {people:Array(String)} AND recovered_at IS NULL
    AND abandoned_at >= fromUnixTimestamp64Milli({start:Int64})
GROUP BY person_id"""


class UnknownQuestion(ValueError):
    """There is no such number; the text names those that there are."""


@dataclass(frozen=True, kw_only=True)
class Behind:
    """A question for people: those of `of`, for `what`, and `where`, as the address says it."""

    of: str
    what: str = ""
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Somebody:
    """One of the people; `at_stake` is what was left behind in the span and not won back."""

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
        UnknownQuestion: `behind` asks for a number that there is not.
    """
    asked = {"what": behind.what, "where": behind.where, "steps": [VISIT, *steps]}
    statement = _PEOPLE.format(people=_who(view, behind, steps), most=MOST)
    found = list(ask(client, view, statement, **asked))
    ids = [row["person_id"] for row in found]
    phases = {r["person_id"]: r["phase"] for r in ask(client, view, _WHERE_THEY_ARE, people=ids)}
    stakes = {r["person_id"]: r for r in ask(client, view, _AT_STAKE, people=ids)}
    nothing = {"at_stake": Decimal(0), "currency": "", "step": "", "cause": ""}
    people = (
        {"phase": phases.get(row["person_id"], "")}
        | nothing
        | stakes.get(row["person_id"], {})
        | row
        for row in found
    )
    total = found[0]["total"] if found else 0
    return People(total=total, people=tuple(_somebody(row) for row in people))


def _somebody(row: dict[str, object]) -> Somebody:
    row.pop("total", None)
    return Somebody(**row)  # type: ignore[arg-type]


def _who(view: View, behind: Behind, steps: Sequence[str]) -> str:
    if behind.of == "step":
        return _at_step(view, behind, steps)
    if behind.of in _SOURCE:
        return (
            "SELECT person_id FROM person_sessions WHERE NOT is_bot AND page_views > 0"
            f" AND {_SOURCE[behind.of]} = {{what:String}} AND {view.covers('started_at')}"
        )
    if behind.of not in _QUESTIONS:
        known = ", ".join(sorted({"step", *_SOURCE, *_QUESTIONS}))
        raise UnknownQuestion(f"no people are known by {behind.of!r}, but by {known}")
    return _QUESTIONS[behind.of].format(
        **{name: question(name) for name in _ASKED},
        kpi_values=question("kpi_values", kpi="{what:String}"),
        abandoned=IN_SPAN.format(time="abandoned_at"),
        recovered=IN_SPAN.format(time="recovered_at"),
        occurred=IN_SPAN.format(time="occurred_at"),
        narrowed=view.narrows(),
        narrowed_session=view.narrows(channel=""),
    )


def _at_step(view: View, behind: Behind, steps: Sequence[str]) -> str:
    names = [VISIT, *steps]
    place = names.index(behind.what) if behind.what in names else 0
    needed = [f"countIf(name = {{steps:Array(String)}}[{n + 1}]) > 0" for n in range(1, place + 1)]
    if behind.where == "lost" and place + 1 < len(names):
        needed.append(f"countIf(name = {{steps:Array(String)}}[{place + 2}]) = 0")
    if behind.where == "gone_on" and place + 1 < len(names):
        needed.append(f"countIf(name = {{steps:Array(String)}}[{place + 2}]) > 0")
    return _STEP.format(span=view.covers("occurred_at"), closed=" AND ".join(needed) or "1")
