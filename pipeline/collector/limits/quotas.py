"""What each write key may send: a share per second and a quota per day. PURE.

Beyond its share a key may still send, but to the overflow topic, where it waits only for itself.
"""

from datetime import date

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.limits.allowances import Allowances
from schemas.write_key import WriteKey

_MOST_KEYS = 100_000
"""More keys than anybody has: every key is in the settings."""


class Quotas:
    """Counts by key; `share` is the events per second of keys without their own, 0: no limit.

    A burst may use up what `window` seconds of the share bring.
    """

    def __init__(self, share: float, window: float) -> None:
        self._share = share
        self._spent = Allowances(window, _MOST_KEYS)
        self._day = date.min
        self._today: dict[str, int] = {}

    def admit(self, name: str, key: WriteKey, today: date) -> None:
        """Raise TurnedAway if the key called `name` has used up its quota of today."""
        if self._sent(name, today) >= key.events_per_day:
            raise TurnedAway(
                Problem.QUOTA_EXCEEDED,
                f"this write key may send {key.events_per_day} events per day (UTC)",
                site=key.site,
            )

    def count(self, name: str, events: int, today: date) -> None:
        """Note that `events` of the key were accepted."""
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
