"""Shops that do not exist: minutes of entries, of people who wait, and of those who go on.

A day and a week have their shape, days and hours their noise, and the newsletter goes out twice a
week: ten times its visits, which convert worse. Who goes on does so after a log-normal time. A
fault keeps those from going on who would have.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pipeline.roles.watch.ages import BIN_OF_AGE, BINS

Numbers = NDArray[np.float64]

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DAY, WEEK = 24 * 60, 7 * 24 * 60
STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
_AGES = 60
_LEAD = 3 * _AGES


@dataclass(frozen=True, kw_only=True)
class Shop:
    """What is usual of a shop; `rate` are its sessions a minute."""

    rate: float
    channels: dict[str, float] = field(
        default_factory=lambda: {
            "search": 0.42,
            "direct": 0.24,
            "ads": 0.15,
            "newsletter": 0.11,
            "social": 0.08,
        }
    )
    browsers: dict[str, float] = field(
        default_factory=lambda: {"Chrome": 0.5, "Safari": 0.28, "Firefox": 0.13, "Edge": 0.09}
    )
    viewing: float = 0.55
    shares: tuple[float, ...] = (0.09, 0.45, 0.5)
    median_minutes: tuple[float, ...] = (4.0, 3.0, 3.0)
    sigma: float = 1.0
    day_noise: float = 0.04
    hour_noise: float = 0.05
    traffic_noise: float = 0.08
    by_hour: tuple[float, ...] = (
        *(0.35, 0.2, 0.14, 0.12, 0.14, 0.25, 0.5, 0.8, 1.0, 1.1, 1.15, 1.15),
        *(1.2, 1.15, 1.1, 1.15, 1.25, 1.4, 1.6, 1.8, 2.0, 1.9, 1.4, 0.8),
    )
    by_weekday: tuple[float, ...] = (1.0, 0.95, 0.95, 0.95, 0.9, 1.05, 1.2)
    peaks: tuple[tuple[int, int], ...] = ((1, 10), (3, 18))
    """Weekday and hour at which the newsletter goes out."""
    peak_factor: float = 10.0
    peak_conversion: float = 0.6
    of_channel: tuple[float, ...] = (1.0, 1.25, 0.7, 1.1, 0.6)
    of_browser: tuple[float, ...] = (1.0, 0.9, 1.05, 1.1)

    @property
    def cells(self) -> list[tuple[str, str]]:
        """All combinations of channel and browser."""
        return [(c, b) for c in self.channels for b in self.browsers]

    @property
    def cell_shares(self) -> Numbers:
        """Give how much of the traffic each cell is."""
        found = np.outer(list(self.channels.values()), list(self.browsers.values())).ravel()
        return found / found.sum()

    @property
    def cell_effects(self) -> Numbers:
        """Give how well each cell converts, against the first."""
        return np.outer(self.of_channel, self.of_browser).ravel()

    def is_of(self, dimension: str, value: str) -> NDArray[np.bool_]:
        """Tell which cells are in a slice."""
        axis = ("channel", "browser").index(dimension) if dimension else 0
        return np.array([not dimension or cell[axis] == value for cell in self.cells])


@dataclass(frozen=True, kw_only=True)
class Fault:
    """From `start` on (a minute of the noise) `depth` of those in the slice do not go on."""

    step: int
    start: int
    depth: float
    dimension: str = ""
    value: str = ""
    decay: int = 0
    """Minutes until the full depth is reached."""

    def depths(self, shop: Shop, minutes: NDArray[np.int64]) -> Numbers:
        """Give the share that is lost, of minutes × cells."""
        age = minutes - self.start
        grown = np.clip(age / self.decay, 0, 1) if self.decay else np.ones(len(age))
        lost: Numbers = np.outer(
            self.depth * grown * (age >= 0), shop.is_of(self.dimension, self.value)
        )
        return lost


class Noise:
    """The weather of some weeks: what moves traffic and conversion beyond chance."""

    def __init__(self, shop: Shop, weeks: int, rng: Generator) -> None:
        minutes = np.arange(-DAY, weeks * WEEK + DAY)
        self.conversion = _weather(shop.day_noise, shop.hour_noise, len(minutes), rng)
        self.traffic = _weather(shop.traffic_noise, shop.traffic_noise, len(minutes), rng)

    def at(self, minutes: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        """Give the factors of traffic and of conversion."""
        return self.traffic[minutes + DAY], self.conversion[minutes + DAY]


def _weather(day: float, hour: float, minutes: int, rng: Generator) -> Numbers:
    days = np.repeat(rng.normal(0, day, minutes // DAY + 1), DAY)[:minutes]
    keep = np.exp(-1 / 120)
    shocks, level = rng.normal(0, hour * np.sqrt(1 - keep**2), minutes), np.empty(minutes)
    now = rng.normal(0, hour)
    for place, shock in enumerate(shocks):
        now = keep * now + shock
        level[place] = now
    weather: Numbers = np.exp(days + level)
    return weather


@dataclass(frozen=True)
class Step:
    """Arrays of minutes × cells (× bins): who came, who went on, who waited at which age.

    `cohort` are those who came in a minute and went on at that age.
    """

    entries: Numbers
    gone: Numbers
    waiting: Numbers
    cohort: Numbers


def rates(shop: Shop, minutes: NDArray[np.int64], noise: Noise) -> tuple[Numbers, Numbers]:
    """Give the sessions a minute of minutes × cells, and how well these convert."""
    hour, weekday = minutes // 60 % 24, minutes // DAY % 7
    following = (hour + 1) % 24
    part = minutes % 60 / 60
    by_hour = np.array(shop.by_hour)
    shape = by_hour[hour] * (1 - part) + by_hour[following] * part
    shape = shape / by_hour.mean() * np.array(shop.by_weekday)[weekday]
    traffic, weather = noise.at(minutes)
    visits = np.outer(shop.rate * shape * traffic, shop.cell_shares)
    daily = 1 + 0.08 * np.sin(2 * np.pi * (hour - 15) / 24)
    converting = np.outer(daily * weather, shop.cell_effects)
    is_mail = shop.is_of("channel", "newsletter")
    for day, at in shop.peaks:
        since = (minutes - (day * DAY + at * 60)) % WEEK
        strength = np.exp(-since / 45) * (since < 6 * 60)
        visits *= 1 + np.outer((shop.peak_factor - 1) * strength, is_mail)
        converting *= 1 - np.outer((1 - shop.peak_conversion) * (strength > 0.03), is_mail)
    return visits, converting


def hazards_of(shop: Shop, step: int) -> Numbers:
    """Give the share of those waiting at each age who go on, of the first cell at a calm time."""
    edges = np.arange(_AGES + 1) + 0.5
    edges[0] = 1e-9
    z = (np.log(edges) - np.log(shop.median_minutes[step])) / shop.sigma
    cumulative = shop.shares[step] * np.array([0.5 * (1 + _erf(x / np.sqrt(2))) for x in z])
    left = 1 - np.concatenate([[0.0], cumulative[1:-1]])
    found: Numbers = np.diff(cumulative) / left
    return found


def _erf(x: float) -> float:
    from math import erf  # noqa: PLC0415

    return erf(x)


def live(
    shop: Shop, noise: Noise, start: int, minutes: int, rng: Generator, fault: Fault | None = None
) -> list[Step]:
    """Live through `minutes` of a shop from `start` on; the same generator, the same lives."""
    times = np.arange(start - _LEAD, start + minutes)
    visits, converting = rates(shop, times, noise)
    coming = rng.poisson(visits * shop.viewing)
    steps = []
    for number in range(len(shop.shares)):
        lost = fault.depths(shop, times) if fault and fault.step == number else None
        step = _pass(shop, number, coming, converting, lost, rng)
        steps.append(Step(*(part[_LEAD:] for part in step)))
        coming = step[1].astype(np.int64)
    return steps


def _pass(
    shop: Shop,
    number: int,
    coming: NDArray[np.int64],
    converting: Numbers,
    lost: Numbers | None,
    rng: Generator,
) -> tuple[Numbers, ...]:
    hazard, length = hazards_of(shop, number), len(coming)
    would, seen = coming.copy(), coming.copy()
    gone = np.zeros(coming.shape)
    waiting, cohort = (np.zeros((*coming.shape, BINS), np.float32) for _ in range(2))
    for age in range(min(_AGES, length)):
        until = length - age
        leave = rng.binomial(would[:until], np.minimum(hazard[age] * converting[age:], 0.95))
        kept = leave if lost is None else rng.binomial(leave, 1 - lost[age:])
        waiting[age:, :, BIN_OF_AGE[age]] += seen[:until]
        cohort[:until, :, BIN_OF_AGE[age]] += kept
        gone[age:] += kept
        would[:until] -= leave
        seen[:until] -= kept
    return coming.astype(float), gone, waiting, cohort


def share_of(shop: Shop, step: int, cell: int) -> float:
    """Give the share of a cell's people who go on, at a calm time."""
    return float(1 - np.prod(1 - hazards_of(shop, step) * shop.cell_effects[cell]))


def time_of(minute: int) -> datetime:
    """Give the time of a minute of the noise."""
    return MONDAY + timedelta(minutes=minute)
