"""PURE: an alert as people read it: what, where, since when, how many, how much."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from msgspec.structs import replace

from pipeline.roles.watch.judge import Opened
from pipeline.roles.watch.minutes import start_of
from pipeline.roles.watch.site import News, Question
from pipeline.values.totals import rounded, shown
from schemas.alert import Alert, Explanation


class Money(NamedTuple):
    """The average value of a person who reaches a step."""

    of_step: Mapping[str, float]
    currency: str = ""


NO_MONEY = Money({})


def alert_of(site: str, news: News, money: Money = NO_MONEY, link: str = "") -> Alert:
    """Write the new or changed alert; `link` may contain {site}, {step} and {alert_id}."""
    question, opened = news.question, news.opened
    known_as = alert_id(site, question, opened)
    people = round(abs(opened.observed - opened.expected))
    worth = people * money.of_step.get(question.next_step or question.step, 0.0)
    if question.kind in ("abandonment", "errors", "silence"):
        worth = 0.0
    return Alert(
        alert_id=known_as,
        site=site,
        kind=question.kind,
        step=question.step,
        next_step=question.next_step,
        severity=news.asked.severity,
        state="resolved" if opened.is_over else "firing",
        opened_at=_end_of(opened.at),
        since=start_of(opened.since),
        updated_at=_end_of(opened.until),
        resolved_at=_end_of(opened.until) if opened.is_over else None,
        dimension=opened.where.dimension,
        value=opened.where.value,
        slices=tuple(Explanation(*share) for share in opened.explained),
        observed=round(opened.observed, 2),
        expected=round(opened.expected, 2),
        change=round(opened.change, 4),
        certainty=round(opened.certainty, 4),
        people=people,
        money=rounded(worth),
        currency=money.currency if worth else "",
        title=_title(site, question, opened, people, _amount(worth, money.currency)),
        link=_link(link, site=site, step=question.step, alert_id=known_as),
        notes=news.notes,
        version=opened.version,
    )


def _link(link: str, **told: str) -> str:
    """Fill in the link; it stays one, else Alertmanager refuses all alerts of the round."""
    return link.format(**{name: quote(value, safe="") for name, value in told.items()})


def given_up(alert: Alert, at: datetime) -> Alert:
    """End an open alert that nobody judges any more."""
    site = f"{alert.site}: "
    at = max(at, alert.updated_at)
    return replace(
        alert,
        state="resolved",
        resolved_at=at,
        updated_at=at,
        title=alert.title.replace(site, f"{site}no longer watched: ", 1),
        version=alert.version + 1,
    )


def alert_id(site: str, question: Question, opened: Opened) -> str:
    """Give the id of an alert: the same whenever and however often its minute is judged."""
    said = "\n".join((site, *question, str(opened.at)))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _end_of(minute: int) -> datetime:
    return start_of(minute + 1)


def _amount(worth: float, currency: str) -> str:
    if not worth:
        return ""
    amount = f"{worth:,.0f}" if worth >= 1 else shown(worth, currency)
    return f", {amount} {currency}".rstrip()


def _title(site: str, question: Question, opened: Opened, people: int, amount: str) -> str:
    since = start_of(opened.since).strftime("%d %b %H:%M UTC")
    what = {
        "conversion": f"{question.step} → {question.next_step} {_change(opened)}",
        "volume": f"{question.step} {_change(opened)}",
        "silence": f"nothing comes from the channel {question.step}",
        "abandonment": f"{question.step} abandonments {_change(opened)}",
        "errors": f"{question.step} {_change(opened)}",
    }[question.kind]
    over = "over: " if opened.is_over else ""
    return f"{site}: {over}{what} since {since}, about {people:,} people{amount}. {_where(opened)}"


def _change(opened: Opened) -> str:
    if opened.change < 0:
        return f"down {-opened.change:.0%}"
    return f"up {opened.change:.0%}"


def _where(opened: Opened) -> str:
    named = [f"{s.dimension} {s.value}" for s in opened.explained if s.dimension]
    if not opened.where.dimension:
        return "Everywhere."
    return f"Mostly: {', '.join(named)}."
