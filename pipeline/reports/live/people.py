"""The people behind a number: everybody it counts, the latest first."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.asking import ask
from pipeline.reports.live.view import View

MOST = 200

ANY_CURRENCY = "*"

_VALUES = ("source", "campaign", "device", "country", "entry")

QUESTIONS = {
    "step": "people_at_step",
    "phase": "people_in_phase",
    "cell": "people_in_cell",
    "left": "people_who_left",
    "place": "people_at_place",
    "crossing": "people_crossing",
    "kpi": "people_of_kpi",
    "touchpoint": "people_of_touchpoint",
    "orders": "people_ordering",
    "mailing": "people_of_mailing",
    "page": "people_on_page",
    **dict.fromkeys(_VALUES, "people_visiting"),
}
"""Which question names the people behind a number."""


class UnknownQuestion(ValueError):
    """There is no such number; the text lists those that exist."""


@dataclass(frozen=True, kw_only=True)
class Behind:
    """A question for people: the number `of`, its value `what`, and `where`, as in the address.

    Amounts are of one `currency`; a star stands for all.
    """

    of: str
    what: str = ""
    where: str = ""
    currency: str = ANY_CURRENCY


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
    revenue: float
    currency: str
    at_stake: float
    stake_currency: str
    step: str
    cause: str


@dataclass(frozen=True, kw_only=True)
class People:
    """The newest 200 of `total` people."""

    total: int
    people: tuple[Somebody, ...]


def read_people(client: Client, view: View, behind: Behind) -> People:
    """Find the people behind a number.

    Raises:
        UnknownQuestion: `behind` asks for a number that does not exist.
    """
    if behind.of not in QUESTIONS:
        known = ", ".join(sorted(QUESTIONS))
        raise UnknownQuestion(f"no people are known by {behind.of!r}, but by {known}")
    asked = asdict(behind) | {"by": behind.of, "most": MOST}
    found = list(ask(client, view, QUESTIONS[behind.of], **asked))
    people = [row["person_id"] for row in found]
    phases = _by_name(client, view, "people_placed", people)
    stakes = _by_name(client, view, "people_losing", people)
    listed = [
        Somebody(**_NOTHING | row | phases.get(name, {}) | stakes.get(name, {}))
        for name, row in _by_name(client, view, "people_listed", people).items()
    ]
    listed.sort(key=lambda one: (one.last_at, one.person_id), reverse=True)
    return People(total=found[0]["total"] if found else 0, people=tuple(listed))


_NOTHING: dict[str, Any] = {
    "phase": "",
    "at_stake": 0.0,
    "stake_currency": "",
    "step": "",
    "cause": "",
}


def _by_name(
    client: Client, view: View, question: str, people: list[str]
) -> dict[str, dict[str, Any]]:
    """Ask about people by the names that parts of questions have for them."""
    return {row.pop("named"): row for row in ask(client, view, question, people=people)}
