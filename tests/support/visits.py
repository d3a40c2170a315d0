"""Visits to a shop that does not exist, straight into the tables, minute by minute.

What the tracker would have made of them: a touchpoint for each step, and a session for each visit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from clickhouse_connect.driver.client import Client

STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
MINUTE = timedelta(minutes=1)
_BROWSERS = (("Chrome", 0.6), ("Safari", 0.4))
_NAMES = ("touchpoint_id", "site", "visitor_id", "occurred_at", "received_at", "name", "channel")
_OF_VISIT = ("session_id", "site", "visitor_id", "started_at", "channel", "device")


@dataclass(frozen=True)
class Visit:
    """Who came, when, and to what it is hindered."""

    at: datetime
    channel: str
    browser: str


def always(_: Visit) -> bool:
    return True


@dataclass
class Visits:
    """`rate` visits a minute while it `is_open`; at `checkout` only those go on who may."""

    rate: float = 4.0
    site: str = "shop"
    shares: tuple[float, ...] = (0.7, 0.8, 0.8)
    of_channel: dict[str, float] = field(default_factory=lambda: {"website": 1.0, "store": 0.6})
    mix: Callable[[datetime], dict[str, float]] = lambda _: {"website": 0.75, "store": 0.25}
    is_open: Callable[[datetime], bool] = lambda _: True
    checkout: Callable[[Visit], bool] = always
    errors: Callable[[Visit], float] = lambda _: 0.01
    seed: int = 1

    def fill(self, client: Client, start: datetime, end: datetime) -> None:
        """Write what happens from `start` to `end`."""
        rng = np.random.default_rng([self.seed, int(start.timestamp())])
        points: list[tuple[Any, ...]] = []
        visits: list[tuple[Any, ...]] = []
        for visit in self._visits(rng, start, end):
            mine = list(self._points(rng, visit, len(visits)))
            visitor = mine[0][2]
            device = "desktop" if visit.browser == "Chrome" else "mobile"
            visits.append((visitor, self.site, visitor, visit.at, visit.channel, device))
            points += [point for point in mine if point[3] < end]
        if visits:
            names = [*_NAMES, "browser", "revenue", "currency"]
            client.insert("touchpoints", points, column_names=names)
            client.insert("sessions", visits, column_names=list(_OF_VISIT))

    def _visits(self, rng: np.random.Generator, start: datetime, end: datetime) -> Iterator[Visit]:
        minute = start
        while minute < end:
            for _ in range(rng.poisson(self.rate) if self.is_open(minute) else 0):
                mix = self.mix(minute)
                [channel] = rng.choice(list(mix), 1, p=np.array(list(mix.values())))
                [browser] = rng.choice([b for b, _ in _BROWSERS], 1, p=[s for _, s in _BROWSERS])
                at = minute + timedelta(seconds=float(rng.uniform(0, 60)))
                yield Visit(at, str(channel), str(browser))
            minute += MINUTE

    def _points(
        self, rng: np.random.Generator, visit: Visit, number: int
    ) -> Iterator[tuple[Any, ...]]:
        visitor = f"{visit.at.timestamp():.3f}-{number}"
        at = visit.at
        said = (self.site, visitor)
        for place, step in enumerate(STEPS):
            revenue = 80.0 if step == STEPS[-1] else 0.0
            key = f"{visitor}-{place}"
            yield (key, *said, at, at, step, visit.channel, visit.browser, revenue, "EUR")
            if place == len(self.shares):
                return
            if rng.random() < self.errors(visit):
                name = "Script Error"
                yield (f"{key}e", *said, at, at, name, visit.channel, visit.browser, 0.0, "")
            share = self.shares[place] * self.of_channel[visit.channel]
            if rng.random() >= share:
                return
            at += timedelta(minutes=float(rng.lognormal(0.5, 0.7)))
            if place == len(self.shares) - 1 and not self.checkout(
                Visit(at, visit.channel, visit.browser)
            ):
                return
