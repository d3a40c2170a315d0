"""PURE: what time it is, as far as the log tells.

Each site in each partition has a time of its own: the newest touchpoint or tick seen. A tick
that speaks for all sites moves only those less than a day behind it: history that is just being
imported keeps its own time. No single device can push time beyond the record's own timestamp.
"""

from datetime import UTC, datetime

DAY_MS = 24 * 60 * 60 * 1000

LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, which is as far as a tick can be."""

SiteTimes = dict[str, int]


def instant(milliseconds: int) -> datetime:
    """Give the point in time that is so many milliseconds after 1970, UTC.

    What lies beyond the calendar's end is its end: a forged number must not stop a partition.
    """
    if not 0 <= milliseconds <= LAST_MS:
        milliseconds = min(max(milliseconds, 0), LAST_MS)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def hear_touchpoint(times: SiteTimes, site: str, occurred_at: int, recorded_at: int) -> int:
    """Note a touchpoint; give the site's time after it."""
    now = max(times.get(site, 0), min(occurred_at, recorded_at))
    times[site] = now
    return now


def hear_tick(times: SiteTimes, tick_at: int, site: str | None) -> None:
    """Note a tick for one site, or for all that are live."""
    if site is not None:
        times[site] = max(times.get(site, 0), tick_at)
        return
    for live, now in times.items():
        if now < tick_at < now + DAY_MS:
            times[live] = tick_at
