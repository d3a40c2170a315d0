"""Visitors who tell no id: a hash that forgets them with the day. PURE: chance is an argument.

The way of Plausible and Fathom: a salt that nobody can look up, of the day and kept in memory
alone, over site, network and browser. Who comes again tomorrow is somebody else, and once the salt
is gone nobody can try out networks to find whom a hash stood for.
"""

import hashlib
from collections.abc import Callable
from datetime import date

from pipeline.collector.arrival import Arrival

_MOST_KNOWN = 100_000
"""Visitors whose users are remembered, in some 25 MB; beyond it users stand for themselves."""


class DailyVisitors:
    """Names those who tell no id; `draw` gives 16 random bytes or more."""

    def __init__(self, draw: Callable[[], bytes]) -> None:
        self._draw = draw
        self._day = date.min
        self._salt = b""
        self._users: dict[str, str] = {}

    def name(self, arrival: Arrival) -> str:
        """Give an id that holds until midnight UTC; empty for what is no browser.

        A shop's server speaks for many visitors: its calls must say whose they are.
        """
        if not arrival.user_agent:
            return ""
        if arrival.received_at.date() > self._day:
            self._day, self._salt = arrival.received_at.date(), self._draw()
            self._users.clear()
        who = f"{arrival.site}\0{arrival.ip}\0{arrival.user_agent}"
        hashed = hashlib.blake2b(who.encode(), key=self._salt, digest_size=16)
        return f"day-{hashed.hexdigest()}"

    def is_one(self, visitor: str, user_id: str) -> bool:
        """Say whether `visitor` is this user: the first that it told today.

        In an office many are one visitor. Its first user is taken for it, the others are not: they
        would all become one person.
        """
        if not visitor or len(self._users) >= _MOST_KNOWN:
            return self._users.get(visitor) == user_id
        return self._users.setdefault(visitor, user_id) == user_id
