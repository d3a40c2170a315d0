"""Progress, not life: whether a role moves on while there is something for it to read. Shell.

A role that holds its connection, serves its metrics and reads nothing looks healthy to whoever asks
it. So this asks Kafka, from a thread with clients of its own, whatever the role's own event loop
does: how far its group has committed, and where the log ends. What does not move for long is said,
in the log and as a metric; the liveness probe fails, and the process ends, to be started again.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Self

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import Gauge

from pipeline.kafka.lag import Positions, committed, ends
from pipeline.settings import Settings

log = logging.getLogger(__name__)

_EX_SOFTWARE = 70
_EVERY_SECONDS = 10.0
_ANSWER_SECONDS = 30.0
_EXCUSED_SECONDS = 90.0
"""An excuse holds for longer than the longest pause of anybody who tries again and again."""
_LAST_WORDS_SECONDS = 12.0
"""So long the liveness probe fails before the process ends, for whoever looks; Prometheus, too."""

Owned = Callable[[], Collection[TopicPartition]]


def show(gauge: Gauge, records: int | None, *labels: object) -> None:
    """Show the lag of a partition, or take it away when it is somebody else's."""
    if records is not None:
        gauge.labels(*labels).set(records)
        return
    with suppress(KeyError):
        gauge.remove(*labels)


def complaints(dogs: Iterable["Watchdog"]) -> str:
    """Give what any of them complains about."""
    return "; ".join(dog.complaint for dog in dogs if dog.complaint)


class Progress:
    """What has moved when, of the partitions of a group."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._seen: dict[TopicPartition, tuple[int, float]] = {}
        self._longest: Positions = {}
        self._short: set[TopicPartition] = set()

    def shorter(self, committed: Positions, end: Positions) -> list[TopicPartition]:
        """Give the partitions that end before where they ended once, or before what was read.

        A new leader may say so for a moment, so they do at this look and at the last one.
        """
        for place in end:
            self._longest[place] = max(self._longest.get(place, 0), committed.get(place, 0))
        short = {place for place, last in end.items() if last < self._longest[place]}
        found, self._short = short & self._short, short
        for place, last in end.items():
            self._longest[place] = max(last, self._longest[place])
        return sorted(found)

    def stuck(
        self, committed: Mapping[TopicPartition, int], end: Positions, now: float
    ) -> list[TopicPartition]:
        """Give the partitions that hold something and have not moved for too long."""
        for place, last in end.items():
            at = committed.get(place, 0)
            if at >= last or self._seen.get(place, (-1, 0.0))[0] != at:
                self._seen[place] = at, now
        return [place for place in end if now - self._seen[place][1] > self._patience]

    def excuse(self, now: float) -> None:
        """Count from `now` on: who waits for somebody else is not stuck."""
        self._seen = {place: (at, now) for place, (at, _) in self._seen.items()}


class Watchdog(threading.Thread):
    """Watches the progress of `group` on `topics`, and ends the process if there is none.

    It judges what this process owns; whoever owns nothing answers for all that nobody moves. `lag`
    is kept up to date for those partitions, by `labels`, and for no others. A role that `remembers`
    what it has read must not read another log.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        group: str,
        topics: Iterable[str],
        owned: Owned,
        stalled: Gauge,
        remembers: bool = False,
        lag: Callable[[TopicPartition, int | None], None] = lambda _place, _records: None,
        end: Callable[[], None] = lambda: os._exit(_EX_SOFTWARE),
    ) -> None:
        super().__init__(name=f"watchdog of {group}", daemon=True)
        self._settings = settings
        self._group = group
        self._topics = [*topics]
        self._owned = owned
        self._stalled = stalled
        self._remembers = remembers
        self._lag = lag
        self._end = end
        self._patience = settings.stall_after.total_seconds()
        self._progress = Progress(self._patience)
        self._excused_at = float("-inf")
        self._is_over = False
        self.complaint = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over = True

    def excuse(self) -> None:
        """Say that this role waits for somebody else, and tries again."""
        self._excused_at = time.monotonic()

    def run(self) -> None:
        """Watch until the process ends."""
        asyncio.run(self._watch())

    async def _watch(self) -> None:
        while not self.complaint:
            await asyncio.sleep(min(_EVERY_SECONDS, self._patience / 3))
            if self._is_over:
                return
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    end = await ends(self._settings, self._topics)
                    self._judge(await committed(self._settings, self._group, end), end)
            except (KafkaError, OSError, TimeoutError):
                self._progress.excuse(time.monotonic())  # the role cannot read either
        log.critical("%s", self.complaint, extra={"event": "stalled"})
        await asyncio.sleep(_LAST_WORDS_SECONDS)
        logging.shutdown()
        self._end()

    def _judge(self, at: Positions, end: Positions) -> None:
        owned, now = set(self._owned()), time.monotonic()
        for place, last in end.items():
            is_mine = place in owned or not owned
            self._lag(place, max(0, last - at.get(place, 0)) if is_mine else None)
        if now - self._excused_at < min(_EXCUSED_SECONDS, self._patience):
            self._progress.excuse(now)
        stuck = [p for p in self._progress.stuck(at, end, now) if p in owned or not owned]
        self._stalled.set(len(stuck))
        if stuck:
            waiting = sum(end[place] - at.get(place, 0) for place in stuck)
            self.complaint = (
                f"{self._group} has not moved for {self._settings.stall_after}, and {waiting} "
                f"records wait for it ({_named(stuck)}); it ends, so that it is started again"
            )
        if self._remembers and (short := self._progress.shorter(at, end)):
            self.complaint = (
                f"{_named(short)} ends before where it was read to: the topic was deleted and "
                f"created again, or has lost its end. {self._group} ends, since it would take what "
                "comes for what it has read; stop it and run `touchstream state rebuild`"
            )


def _named(places: Sequence[TopicPartition]) -> str:
    return ", ".join(f"{place.topic}-{place.partition}" for place in places[:3])
