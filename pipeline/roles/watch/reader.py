"""Counts in ClickHouse what the watch learns from and judges. Shell: decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from clickhouse_connect.driver.client import Client

from pipeline.roles.watch import sql
from pipeline.roles.watch.ages import BIN_OF_AGE, LONGEST
from pipeline.roles.watch.alerts import Money
from pipeline.roles.watch.seen import DIMENSIONS, Errors, People, Seen, Tally
from schemas.watch import WatchRules

MINUTE, HOUR = 60_000, 3_600_000


class Site(NamedTuple):
    """A site with visits, and its first hour, counted since 1970."""

    name: str
    first_hour: int


class Words(NamedTuple):
    """The frequent values of fields that anybody can make up, and their frequent combinations.

    Everything else is counted without these fields: a million made-up campaigns count as one.
    """

    sources: Sequence[str] = ()
    pages: Sequence[str] = ()
    campaigns: Sequence[str] = ()
    browsers: Sequence[str] = ()
    together: Sequence[int] = ()


NO_WORDS = Words()


class Reader:
    """Asks about sites; `steps` are the steps of the funnel."""

    def __init__(self, client: Client, steps: Sequence[str], rules: WatchRules) -> None:
        self._client = client
        self._steps = list(steps)
        self._rules = rules

    def sites(self, start: int, until: int) -> list[Site]:
        """Name the sites with visits from `start` to `until`, milliseconds since 1970."""
        found = self._ask(sql.SITES, {"start": start, "until": until})
        return [Site(*row) for row in zip(*found.values(), strict=True)]

    def words(self, site: Site, start: int, until: int) -> Words:
        """Read the frequent values of a site from `start` to `until`."""
        asked: dict[str, Any] = {"site": site.name, "start": start, "until": until}
        asked |= {name: list(column[0]) for name, column in self._ask(sql.WORDS, asked).items()}
        asked |= {name: list(column[0]) for name, column in self._ask(sql.TOGETHER, asked).items()}
        return Words(**{name: asked[name] for name in Words._fields})

    def seen(self, site: Site, words: Words, start: int, until: int, unit: int) -> Seen:
        """Count from `start` to `until`, in minutes or hours (`unit`)."""
        asked = self._about(site, words, start, until, unit)
        return Seen(
            self._people(asked),
            _tally(self._ask(sql.SOURCES, asked), "channel"),
            self._errors(asked),
            _tally(self._ask(sql.ABANDONMENTS, asked), "kind"),
        )

    def money(self, start: int, until: int) -> dict[str, tuple[str, float]]:
        """Read the currency in which each site has the most revenue, and how much."""
        found = self._ask(sql.MONEY, {"start": start, "until": until})
        most: dict[str, tuple[str, float]] = {}
        for site, currency, total in zip(*found.values(), strict=True):
            most.setdefault(site, (currency, float(total)))
        return most

    def _about(self, site: Site, words: Words, start: int, until: int, unit: int) -> dict[str, Any]:
        is_history = unit == HOUR
        return words._asdict() | {
            "site": site.name,
            "steps": self._steps,
            "longest": LONGEST * MINUTE,
            "start": start,
            "until": until,
            "end": until + LONGEST * MINUTE if is_history else until,
            "unit": unit,
            "by_bin": is_history,
            "bins": BIN_OF_AGE.tolist(),
            "errors": list(self._rules.errors),
        }

    def _people(self, asked: dict[str, Any]) -> People:
        found = self._ask(sql.PEOPLE, asked)
        return People(
            _places(found["pair"]),
            self._cells(found, DIMENSIONS),
            _places(found["time"]),
            _places(found["age"]),
            _numbers(found["people"]),
        )

    def _errors(self, asked: dict[str, Any]) -> Errors:
        found = self._ask(sql.ERRORS, asked)
        errors = np.array(list(found["errors"]), dtype=np.float64)
        return Errors(
            self._cells(found, ("device", "browser", "page")),
            _places(found["time"]),
            _numbers(found["people"]),
            errors.reshape(len(found["time"]), len(self._rules.errors)),
        )

    def _cells(self, found: Mapping[str, Sequence[Any]], names: Iterable[str]) -> list[Any]:
        """Return the cell of each row; equal cells are one object. Unwatched dimensions are ""."""
        nothing = [""] * len(found["time"])
        told = [found[name] if name in self._rules.slices else nothing for name in names]
        known: dict[tuple[str, ...], tuple[str, ...]] = {}
        return [known.setdefault(cell, cell) for cell in zip(*told, strict=True)]

    def _ask(self, query: str, asked: dict[str, Any]) -> dict[str, Sequence[Any]]:
        result = self._client.query(query, parameters=asked)
        columns = result.result_columns or [[] for _ in result.column_names]
        return dict(zip(result.column_names, columns, strict=True))


def joined(parts: Sequence[Seen]) -> Seen:
    """Join consecutive spans."""
    people = [part.people for part in parts]
    errors = [part.errors for part in parts]
    return Seen(
        People(
            np.concatenate([p.pair for p in people]),
            [cell for p in people for cell in p.cells],
            np.concatenate([p.time for p in people]),
            np.concatenate([p.age for p in people]),
            np.concatenate([p.people for p in people]),
        ),
        _joined([part.sources for part in parts]),
        Errors(
            [cell for e in errors for cell in e.cells],
            np.concatenate([e.time for e in errors]),
            np.concatenate([e.people for e in errors]),
            np.concatenate([e.errors for e in errors]),
        ),
        _joined([part.abandonments for part in parts]),
    )


def money_of(taken: tuple[str, float], hours: Seen, steps: Sequence[str], since: int) -> Money:
    """Return the value of a person at each step, from all revenue since the hour `since`."""
    currency, total = taken
    people, of_step = hours.people, {}
    for pair, step in enumerate(steps, 1):
        number = people.people[(people.pair == pair) & (people.time >= since)].sum()
        of_step[step] = total / float(number) if number else 0.0
    return Money(of_step, currency)


def _joined(parts: Sequence[Tally]) -> Tally:
    return Tally(
        [name for part in parts for name in part.names],
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.people for part in parts]),
    )


def _tally(found: Mapping[str, Sequence[Any]], name: str) -> Tally:
    return Tally(list(found[name]), _places(found["time"]), _numbers(found["people"]))


def _places(column: Sequence[Any]) -> Any:
    return np.array(column, dtype=np.int64)


def _numbers(column: Sequence[Any]) -> Any:
    return np.array(column, dtype=np.float64)
