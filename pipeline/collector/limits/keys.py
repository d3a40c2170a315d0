"""The topic for a write key's events: the usual one, the overflow topic, or none. Shell.

It reads a clock, and counts by key, which shows when nobody uses an old key any more.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import cache
from time import monotonic

from prometheus_client import Counter

from pipeline.collector.collect import Collected
from pipeline.collector.limits.gate import Sender
from pipeline.collector.limits.quotas import Quotas
from pipeline.metrics import COLLECTOR_KEY_ACCEPTED, COLLECTOR_OVERFLOW
from pipeline.settings import Settings
from schemas.topics import OVERFLOW

# Finding the counter of a label costs more than counting.
_overflow = cache(COLLECTOR_OVERFLOW.labels)


@cache
def _accepted(site: str, name: str) -> Counter:
    """Give the counter of a key. Everybody may read the metrics, so they contain no keys."""
    return COLLECTOR_KEY_ACCEPTED.labels(site, hashlib.sha256(name.encode()).hexdigest()[:8])


class KeyLimits:
    """Enforces the quotas of write keys."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = monotonic) -> None:
        self.topics = [OVERFLOW.name] if settings.has_shares else []
        """The topics it needs besides the usual ones."""
        self._clock = clock
        window = settings.collector_burst.total_seconds()
        self._quotas = Quotas(settings.collector_key_events, window)

    def admit(self, sender: Sender, now: datetime) -> None:
        """Raise TurnedAway if the key has used up its daily quota."""
        if sender.key.events_per_day:
            self._quotas.admit(sender.name, sender.key, now.date())

    def choose(self, sender: Sender, collected: Collected) -> None:
        """Choose the topic for the collected records by the share of the key."""
        name, key = sender
        if self.topics and self._quotas.is_over(name, key, len(collected.records), self._clock()):
            collected.divert()
            _overflow(key.site).inc(collected.accepted)

    def count(self, sender: Sender, collected: Collected) -> None:
        """Note that Kafka has the collected records."""
        name, key = sender
        if key.events_per_day:
            today = collected.arrival.received_at.date()
            self._quotas.count(name, collected.accepted, today)
        _accepted(key.site, name).inc(collected.accepted)
