"""What was left behind, by kind: what is at stake, why, and what was won back."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, rows_of
from pipeline.reports.live.usual import Usual, usual_number, usual_windows
from pipeline.reports.live.view import View
from schemas.times import length

_ABANDONED = """
SELECT kind,
    uniqExactIf(person_id, is_now) AS people,
    uniqExactIf(person_id, is_now AND recovered_at IS NULL) AS waiting,
    sumIf(a.value, is_now AND recovered_at IS NULL) AS at_stake,
    anyLastIf(a.currency, is_now AND a.currency != '') AS currency,
    topKIf(1)(a.cause, is_now AND a.cause != '')[1] AS cause,
    countIf(is_now AND a.cause != '') AS explained,
    topKIf(1)(a.step, is_now)[1] AS step,
    uniqExactIf(person_id, is_won) AS won_people,
    sumIf(a.value, is_won) AS won,
    countIf(is_of_week) AS of_week,
    countIf(is_of_week AND recovered_at IS NOT NULL) AS recovered_of_week
FROM
(
    SELECT *,
        abandoned_at >= fromUnixTimestamp64Milli({{start:Int64}}) AS is_now,
        recovered_at >= fromUnixTimestamp64Milli({{start:Int64}})
            AND recovered_at < fromUnixTimestamp64Milli({{end:Int64}}) AS is_won,
        abandoned_at >= fromUnixTimestamp64Milli({{end:Int64}} - 7 * 86400000) AS is_of_week
    FROM person_abandonments
    WHERE site = {{site:String}} AND abandoned_at < fromUnixTimestamp64Milli({{end:Int64}})
        AND abandoned_at >= fromUnixTimestamp64Milli(
            least({{start:Int64}}, {{end:Int64}} - 7 * 86400000)
        ){narrowed}
) AS a
GROUP BY kind
ORDER BY at_stake DESC, waiting DESC, kind"""

_OFTEN = """
SELECT kind, n AS number, uniqExact(person_id) AS people
FROM
(
    SELECT kind, person_id, arrayJoin(arrayFilter(
        n -> abandoned_at >= fromUnixTimestamp64Milli({{start:Int64}} - {{shifts:Array(Int64)}}[n])
            AND abandoned_at < fromUnixTimestamp64Milli({{end:Int64}} - {{shifts:Array(Int64)}}[n]),
        arrayEnumerate({{shifts:Array(Int64)}})
    )) AS n
    FROM person_abandonments
    WHERE site = {{site:String}}
        AND abandoned_at >= fromUnixTimestamp64Milli(
            {{start:Int64}} - arrayMax({{shifts:Array(Int64)}})
        )
        {narrowed}
)
GROUP BY kind, number"""

_OF_CHANNEL = """ AND session_id IN (
    SELECT session_id FROM sessions FINAL
    WHERE site = {site:String} AND channel = {channel:String})"""


@dataclass(frozen=True, kw_only=True)
class Left:
    """What was left behind in the span, of one kind.

    `people` left something; `waiting` of them have not been won back, with `at_stake` in
    `currency`. `cause` is the most frequent one; `explained` abandonments have one. `step` is where
    most ended. `won` was won back in the span, from `won_people`. In the last seven days there
    were `of_week`; `recovered_of_week` of them were recovered.
    """

    kind: str
    people: int
    waiting: int
    at_stake: Decimal
    currency: str
    cause: str
    explained: int
    step: str
    won_people: int
    won: Decimal
    of_week: int
    recovered_of_week: int


@dataclass(frozen=True, kw_only=True)
class UsuallyLeft:
    """How many people usually leave something of a kind at this hour; None: too little is known."""

    kind: str
    usual: Usual | None


def read_left(client: Client, view: View) -> tuple[Left, ...]:
    """Count what was left behind by kind."""
    return rows_of(Left, client, view, _ABANDONED.format(narrowed=_narrowed(view)))


def read_usually_left(client: Client, view: View) -> tuple[UsuallyLeft, ...]:
    """Say how many people usually leave something behind, by kind."""
    shifts = usual_windows(view.length)
    statement = _OFTEN.format(narrowed=_narrowed(view))
    samples: dict[str, dict[timedelta, float]] = {}
    for row in ask(client, view, statement, shifts=[*map(length, shifts)]):
        samples.setdefault(row["kind"], {})[shifts[row["number"] - 1]] = row["people"]
    return tuple(
        UsuallyLeft(kind=kind, usual=usual_number(found)) for kind, found in sorted(samples.items())
    )


def _narrowed(view: View) -> str:
    return (_OF_CHANNEL if view.channel else "") + view.narrows(channel="")
