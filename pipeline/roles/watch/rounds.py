"""A site minute by minute: learns once an hour, judges what is due, keeps the state. Shell.

`site.py` decides; this module reads what it needs from ClickHouse.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.roles.watch.ages import LONGEST
from pipeline.roles.watch.alerts import NO_MONEY, Money, alert_id, alert_of, given_up
from pipeline.roles.watch.judge import Memory
from pipeline.roles.watch.minutes import minute_of, start_of
from pipeline.roles.watch.reader import (
    HOUR,
    MINUTE,
    NO_WORDS,
    Reader,
    Site,
    Words,
    joined,
    money_of,
)
from pipeline.roles.watch.seen import SURGE_MINUTES, Seen, Span
from pipeline.roles.watch.site import (
    LEAST_HISTORY,
    Question,
    Usual,
    asked_about,
    judge_minute,
    learn_site,
    open_alerts,
)
from schemas.alert import Alert
from schemas.times import milliseconds
from schemas.watch import WatchRules

_AT_ONCE = 60
"""When several minutes are due, one statement counts this many."""
_BACK = timedelta(hours=6)
"""Minutes longer ago than this are no longer judged, except in a backtest."""


class Judged(NamedTuple):
    """The result of judging up to and including `minute`."""

    minute: int
    alerts: list[Alert]


@dataclass
class SiteWatch:
    """What is known about a site: its past by days, what was learned, and its judges' memories."""

    site: Site
    reader: Reader
    rules: WatchRules
    steps: Sequence[str]
    link: str = ""
    memories: dict[Question, Memory] = field(default_factory=dict)
    judged: int = 0
    _days: dict[int, Seen] = field(default_factory=dict)
    _words: Words = NO_WORDS
    _usual: Usual | None = None
    _learned_at: int = -1
    _money: Money = NO_MONEY

    def until(self, minute: int, *, back: timedelta = _BACK) -> Iterator[Judged]:
        """Judge all due minutes before `minute`, several at a time."""
        first = max(self.judged + 1, minute - int(back / timedelta(minutes=1)))
        while first < minute:
            end = min(first + _AT_ONCE, minute, (first // 60 + 1) * 60)
            self._learn(first)
            yield Judged(end - 1, self._judge(first, end))
            self.judged = end - 1
            first = end

    def is_judged(self, alert: Alert) -> bool:
        """Tell whether an open alert is still judged, or may be soon.

        It is not if its question has gone from the rules or the funnel, if nobody has come for as
        long as is learned from, or if its memory is lost.
        """
        if self._learned_at < 0 or alert.opened_at > start_of(self.judged + 1):
            return True
        asked = asked_about(self._usual, self.rules) if self._usual else ()
        return alert.alert_id in {
            alert_id(self.site.name, question, opened)
            for question, opened in open_alerts(self.memories)
            if question in asked
        }

    def give_up(self, alert: Alert) -> Alert:
        """End an open alert and forget it."""
        for question, opened in list(open_alerts(self.memories)):
            if alert_id(self.site.name, question, opened) == alert.alert_id:
                del self.memories[question]
        return given_up(alert, start_of(self.judged + 1))

    def _judge(self, first: int, end: int) -> list[Alert]:
        if self._usual is None or timedelta(hours=self._usual.hours) < LEAST_HISTORY:
            return []
        start = (first - SURGE_MINUTES) * MINUTE
        seen = self.reader.seen(self.site, self._words, start, end * MINUTE, MINUTE)
        memories, found = dict(self.memories), []  # if a minute fails, all are judged again
        for minute in range(first, end):
            news = judge_minute(self._usual, seen, minute, memories, self.rules, self.steps)
            found += [alert_of(self.site.name, each, self._money, self.link) for each in news]
        self.memories = memories
        return found

    def _learn(self, minute: int) -> None:
        """Learn once an hour, from the hours whose people are all no longer waiting."""
        end = (minute - LONGEST) // 60
        if end == self._learned_at and self._usual is not None:
            return
        start = max(end - self.rules.learn_days * 24, self.site.first_hour)
        self._learned_at = end
        if start >= end:
            return
        span = Span(start, end)
        self._words = self.reader.words(self.site, start * HOUR, end * HOUR)
        seen = self._past(span)
        self._usual = None
        if len(seen.people.time):
            self._usual = learn_site(self.site.name, span, seen, self.steps, self.rules)
            self._value(span, seen)

    def _past(self, span: Span) -> Seen:
        """Count the hours of a span; whole days are counted once and kept."""
        parts, hour = [], span.first
        while hour < span.end:
            until = min((hour // 24 + 1) * 24, span.end)
            is_whole = until - hour == 24  # noqa: PLR2004 - hours of a day
            part = self._days.get(hour) or self.reader.seen(
                self.site, self._words, hour * HOUR, until * HOUR, HOUR
            )
            if is_whole:
                self._days[hour] = part
            parts.append(part)
            hour = until
        self._days = {day: part for day, part in self._days.items() if day >= span.first - 24}
        return joined(parts)

    def _value(self, span: Span, seen: Seen) -> None:
        since = max(span.first, span.end - 7 * 24)
        taken = self.reader.money(since * HOUR, span.end * HOUR).get(self.site.name)
        self._money = money_of(taken, seen, self.steps, since) if taken else NO_MONEY


def backtest(
    client: Client, steps: Sequence[str], rules: WatchRules, start: datetime, end: datetime
) -> Iterator[Judged]:
    """Judge every minute from `start` to `end` as if it were now; change nothing."""
    reader = Reader(client, steps, rules)
    learn_from = start - timedelta(days=rules.learn_days)
    span = (milliseconds(learn_from), milliseconds(end))
    for site in reader.sites(*span):
        watch = SiteWatch(site, reader, rules, steps, judged=minute_of(start) - 1)
        yield from watch.until(minute_of(end), back=end - start)
