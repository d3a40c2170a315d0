"""Shops with the shape of real ones, where their data is at hand: hours, weekdays and shares.

The data is not part of the project; without it these shops are left out.
"""

import csv
import gzip
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from tests.bench.watch.traffic import Shop
from tests.support.puffy import DATA


def shapes() -> dict[str, Shop]:
    """Give the shops by name."""
    found = {"puffy's shape": _puffy, "cdnow's shape": _cdnow}
    return {name: make() for name, make in found.items() if (DATA / name[:5]).is_dir()}


def _puffy() -> Shop:
    """A hundred sessions a minute by the hours and weekdays of its events, and its shares.

    Cart, checkout and order, of the visitors that reached the step before.
    """
    hours: Counter[int] = Counter()
    weekdays: Counter[int] = Counter()
    for path in sorted((DATA / "puffy").glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                at = datetime.fromisoformat(row["timestamp"])
                hours[at.hour] += 1
                weekdays[at.weekday()] += 1
    return _shaped(hours, weekdays, shares=(1_324 / 12_095, 473 / 1_324, 187 / 473))


def _cdnow() -> Shop:
    """A hundred sessions a minute by the weekdays on which records were bought."""
    weekdays: Counter[int] = Counter()
    [path] = (DATA / "cdnow").glob("*.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            day = datetime.strptime(line.split()[1], "%Y%m%d").replace(tzinfo=UTC)
            weekdays[day.weekday()] += 1
    return _shaped(Counter(), weekdays, shares=Shop(rate=1).shares)


def _shaped(hours: Counter[int], weekdays: Counter[int], shares: tuple[float, ...]) -> Shop:
    shop = Shop(rate=100, shares=shares)
    by_weekday = np.array([weekdays[day] + 1.0 for day in range(7)])
    if hours:
        by_hour = np.array([hours[hour] + 1.0 for hour in range(24)])
        shop = replace(shop, by_hour=tuple((by_hour / by_hour.mean()).tolist()))
    return replace(shop, by_weekday=tuple((by_weekday / by_weekday.mean()).tolist()))
