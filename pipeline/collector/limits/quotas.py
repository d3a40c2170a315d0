"""What each write key may send: a share of the way into Kafka, and so much a day. PURE.

Beyond its share a key still sends, but by the overflow topic, where it waits for nobody but itself.
"""

from datetime import date

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.limits.allowances import Allowances
from schemas.write_key import WriteKey

_MOST_KEYS = 100_000
"""More than anybody has: every key is one of the settings."""


class Quotas:
    """Counts by key; `share` are events a second of keys that have none of their own, 0: no limit.

    At once a key may send what `window` seconds of its share bring.
    """

    def __init__(self, share: float, window: float) -> None:
        self._share = share
        self._spent = Allowances(window, _MOST_KEYS)
        self._day = date.min
        self._today: dict[str, int] = {}

    def admit(self, name: str, key: WriteKey, today: date) -> None:
        """Raise TurnedAway if the key called `name`, which has a quota, has sent it today."""
        if self._sent(name, today) >= key.events_per_day:
            raise TurnedAway(
                Problem.QUOTA_EXCEEDED,
                f"this write key may send {key.events_per_day} events per day (UTC)",
                site=key.site,
            )

    def count(self, name: str, events: int, today: date) -> None:
        """Note that `events` of the key were taken."""
        self._today[name] = self._sent(name, today) + events

    def is_over(self, name: str, key: WriteKey, events: int, now: float) -> bool:
        """Say whether the key has used up its share; if not, take `events` from it."""
        share = self._share if key.events_per_second is None else key.events_per_second
        if not share:
            return False
        if self._spent.wait_of(name, now):
            return True
        self._spent.spend(name, events / share, now)
        return False

    def _sent(self, name: str, today: date) -> int:
        if today != self._day:
            self._day, self._today = today, {}
        return self._today.get(name, 0)
