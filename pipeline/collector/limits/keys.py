"""The topic for what a write key sends: the usual one, the overflow topic, or none. Shell.

It asks a clock, and counts by key: one sees when nobody uses an old key any more.
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
    """Give the counter of a key. Everybody may look at the metrics: they tell no keys."""
    return COLLECTOR_KEY_ACCEPTED.labels(site, hashlib.sha256(name.encode()).hexdigest()[:8])


class KeyLimits:
    """Holds senders to the quotas of their keys."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = monotonic) -> None:
        self.topics = [OVERFLOW.name] if settings.has_shares else []
        """What it needs beside the usual topics."""
        self._clock = clock
        window = settings.collector_burst.total_seconds()
        self._quotas = Quotas(settings.collector_key_events, window)

    def admit(self, sender: Sender, now: datetime) -> None:
        """Raise TurnedAway if the key has sent what it may in a day."""
        if sender.key.events_per_day:
            self._quotas.admit(sender.name, sender.key, now.date())

    def choose(self, sender: Sender, collected: Collected) -> None:
        """Send what was collected by the topic that the share of the key leaves it."""
        name, key = sender
        if self.topics and self._quotas.is_over(name, key, len(collected.records), self._clock()):
            collected.divert()
            _overflow(key.site).inc(collected.accepted)

    def count(self, sender: Sender, collected: Collected) -> None:
        """Note that Kafka has what was collected."""
        name, key = sender
        if key.events_per_day:
            today = collected.arrival.received_at.date()
            self._quotas.count(name, collected.accepted, today)
        _accepted(key.site, name).inc(collected.accepted)
