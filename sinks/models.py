"""The model files as rows, because views cannot read TOML. Shell: works on a given client.

The tables are `journey_models` (phases), `journey_rules`, `journey_steps` and `journey_waits`.
Writing the same models again changes nothing. Rows that are no longer in a file are marked as
deleted.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.journeys import JourneyModel

Row = tuple[Any, ...]

CANVAS = ("needs", "key_moment", "picture", "team")
"""What a canvas notes about a phase."""


class _Table(NamedTuple):
    key: tuple[str, ...]
    others: tuple[str, ...]


_TABLES = {
    "journey_models": _Table(
        ("model", "phase"), ("model_version", "rank", "en", "de", "max_seconds", *CANVAS)
    ),
    "journey_rules": _Table(("model", "rule", "touchpoint"), ("phase", "channels", "history")),
    "journey_steps": _Table(("model", "step"), ("place",)),
    "journey_waits": _Table(("model", "channel"), ("max_seconds",)),
}


def store_models(client: Client, models: Iterable[JourneyModel]) -> list[str]:
    """Bring the tables in line with `models`; return the tables that changed.

    Two processes that store the same models at once write the same rows, so no lock is needed.
    """
    known = list(models)
    wanted = {
        "journey_models": _phases(known),
        "journey_rules": _rules(known),
        "journey_steps": _steps(known),
        "journey_waits": _longest_waits(known),
    }
    return [table for table, rows in wanted.items() if _store(client, table, set(rows))]


def _store(client: Client, table: str, wanted: set[Row]) -> bool:
    key, others = _TABLES[table]
    columns = [*key, *others]
    present = _present(client, table, columns)
    if present == wanted:
        return False
    [(revision,)] = client.query(f"SELECT max(revision) + 1 FROM {table}").result_rows  # noqa: S608
    kept = {row[: len(key)] for row in wanted}
    gone = {row for row in present if row[: len(key)] not in kept}
    rows = [(*row, revision, 0) for row in wanted - present]
    rows += [(*row, revision, 1) for row in gone]
    client.insert(table, sorted(rows), column_names=[*columns, "revision", "is_deleted"])
    return True


def _present(client: Client, table: str, columns: list[str]) -> set[Row]:
    rows = client.query(f"SELECT {', '.join(columns)} FROM {table} FINAL").result_rows  # noqa: S608
    return {tuple(tuple(cell) if isinstance(cell, list) else cell for cell in row) for row in rows}


def _phases(models: Iterable[JourneyModel]) -> Iterator[Row]:
    for model in models:
        for rank, phase in enumerate(model.phases, 1):
            longest = _seconds(phase.longest)
            label = (model.version, rank, phase.en, phase.de, longest)
            notes = (getattr(phase.canvas, note, "") for note in CANVAS)
            yield model.id, phase.id, *label, *notes


def _rules(models: Iterable[JourneyModel]) -> Iterator[Row]:
    for model in models:
        for rule in model.rules:
            for name in rule.touchpoints:
                yield model.id, rule.id, name, rule.phase, tuple(rule.channels), rule.history


def _steps(models: Iterable[JourneyModel]) -> Iterator[Row]:
    for model in models:
        opens = dict.fromkeys((name for rule in model.abandonment for name in rule.opens), 0)
        places = {step: place for place, step in enumerate(model.funnel, 1)}
        yield from ((model.id, step, place) for step, place in (opens | places).items())


def _longest_waits(models: Iterable[JourneyModel]) -> Iterator[Row]:
    for model in models:
        for channel, longest in model.longest_wait.items():
            yield model.id, channel, _seconds(longest)


def _seconds(longest: timedelta | None) -> int:
    return int(longest.total_seconds()) if longest else 0
