"""What is common to all calls of a request, apart from its body. PURE."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pipeline.collector.request import Headers
from schemas.times import milliseconds

_LONGEST_USER_AGENT = 4096


class KnownVisitors(Protocol):
    """Knows which daily visitors have logged in."""

    def is_one(self, daily_visitor: str, user_id: str) -> bool:
        """Say whether the visitor is this user."""


@dataclass(slots=True)
class Arrival:
    """The circumstances of a request.

    `ip` is already truncated; `country` is that of the whole address, if known. `currency` is that
    of the site, for shop events without one. `sent_at` is the clock of the device, if a batch has
    it; `latest` is the latest time among its events. `daily_visitor` is the id of a visitor who
    sends none, and empty if each call must have one; `known` says which user it is, if a page has
    sent it. `recall` gives the time when a call came first, if its sender may be sending it again.
    """

    site: str
    received_at: datetime
    user_agent: str = ""
    ip: str = ""
    sent_at: datetime | None = None
    latest: datetime | None = None
    daily_visitor: str = ""
    country: str = ""
    path: str = ""
    currency: str = ""
    known: KnownVisitors | None = None
    recall: Callable[[bytes, datetime], datetime] | None = None
    named: dict[str, int] = field(default_factory=dict)
    """How often a name was given in this request."""

    def first_at(self, call: bytes) -> datetime:
        """Give the time when `call` came first."""
        return self.recall(call, self.received_at) if self.recall else self.received_at

    def told_apart(self, name: str) -> str:
        """Give `name` to the first caller, and a different one to each further caller."""
        turn = self.named[name] = self.named.get(name, 0) + 1
        return name if turn == 1 else f"{name}-{turn}"

    def device_of(self, user_id: str) -> str:
        """Give the device of a call without one: the daily visitor, even if a user is named.

        So a login does not separate a visitor from what it did before.
        """
        if user_id and not (self.known and self.known.is_one(self.daily_visitor, user_id)):
            return ""
        return self.daily_visitor

    @property
    def received_ms(self) -> int:
        """Give `received_at` as Kafka writes it: milliseconds since 1970."""
        return milliseconds(self.received_at)


def is_of_a_page(headers: Headers) -> bool:
    """Tell whether a page sent a request: a browser sends its origin, a shop's server does not."""
    return any(headers.get(name) for name in ("origin", "sec-fetch-site", "referer"))


def browser(user_agent: str | None) -> str:
    """Give the User-Agent header if a browser (or a crawler) wrote it.

    An HTTP library names itself there, and a shop's server that reports an order is not a bot.
    """
    if user_agent is None or not user_agent.startswith("Mozilla/"):
        return ""
    return user_agent.replace("\t", " ")[:_LONGEST_USER_AGENT]
