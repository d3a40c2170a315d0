"""What was left behind, by kind: what is at stake, why, and what was won back."""

from dataclasses import dataclass
from datetime import timedelta

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask, rows_of
from pipeline.reports.live.usual import Usual, usual_number, usual_windows
from pipeline.reports.live.view import View


@dataclass(frozen=True, kw_only=True)
class Left:
    """What was left behind in the span, of one kind and currency; no kind: all that has a value.

    `people` left something; `waiting` of them have not been won back, with `at_stake` in
    `currency`. `cause` is the most frequent one; `explained` abandonments have one. `step` is where
    most ended. `won` was won back in the span, from `won_people`. In the last seven days there
    were `of_week`; `recovered_of_week` of them were recovered.
    """

    kind: str
    currency: str
    people: int
    waiting: int
    at_stake: float
    cause: str
    explained: int
    step: str
    won_people: int
    won: float
    of_week: int
    recovered_of_week: int


@dataclass(frozen=True, kw_only=True)
class UsuallyLeft:
    """How many people usually leave something of a kind at this hour; None: too little is known."""

    kind: str
    currency: str
    usual: Usual | None


def read_left(client: Client, view: View) -> tuple[Left, ...]:
    """Count what was left behind by kind and currency."""
    return rows_of(Left, client, view, "left_behind")


def read_usually_left(client: Client, view: View) -> tuple[UsuallyLeft, ...]:
    """Say how many people usually leave something behind, by kind and currency."""
    samples: dict[tuple[str, str], dict[timedelta, float]] = {}
    for back in usual_windows(view.length):
        for row in ask(client, view.earlier(back), "abandonments_by_kind"):
            samples.setdefault((row["kind"], row["currency"]), {})[back] = row["people"]
    return tuple(
        UsuallyLeft(kind=kind, currency=currency, usual=usual_number(found))
        for (kind, currency), found in sorted(samples.items())
    )
