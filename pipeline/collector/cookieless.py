"""Visitors without an id: a hash that changes every day. PURE: randomness is an argument.

It works like Plausible and Fathom: a hash over site, network and browser, with a daily salt that
exists only in memory. A visitor who comes back tomorrow is somebody else, and once the salt is
gone, nobody can try out networks to find out whom a hash stood for.
"""

import hashlib
from collections.abc import Callable
from datetime import date

from pipeline.collector.arrival import Arrival

_MOST_KNOWN = 100_000
"""How many visitors' users are remembered, in some 25 MB; further users are not linked."""


class DailyVisitors:
    """Names visitors without an id; `draw` gives at least 16 random bytes."""

    def __init__(self, draw: Callable[[], bytes]) -> None:
        self._draw = draw
        self._day = date.min
        self._salt = b""
        self._users: dict[str, str] = {}

    def name(self, arrival: Arrival) -> str:
        """Give an id that is valid until midnight UTC; empty without a browser.

        A shop's server sends for many visitors: its calls must say whose they are.
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
        """Tell whether `visitor` is this user: the first one it named today.

        All people in an office are one visitor. Only its first user is linked to it; otherwise all
        of them would become one person.
        """
        if not visitor or len(self._users) >= _MOST_KNOWN:
            return self._users.get(visitor) == user_id
        return self._users.setdefault(visitor, user_id) == user_id
