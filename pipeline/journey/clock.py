"""PURE: what time it is, according to the log.

Each site in each partition has its own time: that of the newest touchpoint or tick. A tick for all
sites moves only those that are less than a day behind it, so history that is being imported keeps
its own time. No single device can push time beyond the record's own timestamp.

Ticks say that nothing has happened, so that silence can be judged. A touchpoint that arrives
afterwards all the same (yesterday's file, imported today) is not late for that reason: lateness
counts from the *horizon*, the newest touchpoint, however far ticks have advanced, up to
`SILENCE_MS`.
"""

import msgspec

from schemas.times import DAY_MS

SILENCE_MS = 8 * DAY_MS
"""Touchpoints from a silence of up to this length are accepted: files may come once a week."""

SiteTimes = dict[str, int]


class Clock(msgspec.Struct, array_like=True):
    """The time of each site in a partition, `times`, and that of its newest touchpoint, `heard`.

    People who are being rebuilt have a clock under another name, which no site has and no tick
    moves.
    """

    times: SiteTimes = msgspec.field(default_factory=dict)
    heard: SiteTimes = msgspec.field(default_factory=dict)

    def hear_touchpoint(self, site: str, occurred_at: int, recorded_at: int) -> int:
        """Note a touchpoint; give the site's time afterwards."""
        at = min(occurred_at, recorded_at)
        self.heard[site] = max(self.heard.get(site, 0), at)
        return self.hear(site, at)

    def hear(self, site: str, at: int) -> int:
        """Note that the site's time is `at`, or later; give it."""
        now = self.times[site] = max(self.times.get(site, 0), at)
        return now

    def hear_tick(self, tick_at: int, site: str | None) -> None:
        """Note a tick for one site, or for all that are live."""
        if site is not None:
            self.hear(site, tick_at)
            return
        for live, now in self.times.items():
            if now < tick_at < now + DAY_MS and live.isprintable():
                self.times[live] = tick_at

    def join(self, other: str, site: str, now: int) -> None:
        """Merge the clock `other` into that of `site`, which is `now` or later."""
        self.heard[site] = max(self.heard.get(site, 0), self.heard.pop(other, 0))
        self.hear(site, max(now, self.times.pop(other, 0)))

    def silence(self, site: str) -> int:
        """Give how far the horizon is behind the site's time."""
        return self.times.get(site, 0) - self.horizon(site)

    def horizon(self, site: str) -> int:
        """Give the time from which lateness, sealing and forgetting count."""
        return max(self.heard.get(site, 0), self.times.get(site, 0) - SILENCE_MS)
