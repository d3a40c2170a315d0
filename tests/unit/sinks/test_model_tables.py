"""What becomes of the rows of a journey model when its file changes."""

from datetime import timedelta
from typing import Any, cast

from clickhouse_connect.driver.client import Client

from schemas.journeys import JourneyModel
from sinks.models import store_models
from tests.support.journeys import small_model

Rows = list[tuple[Any, ...]]
KEYS = {
    "journey_models": ("model", "phase"),
    "journey_rules": ("model", "rule", "touchpoint"),
    "journey_steps": ("model", "step"),
    "journey_waits": ("model", "channel"),
}


class Server:
    """Has the newest row of each key of every table, as ClickHouse does with `FINAL`."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
        self.revision = 0
        self.result_rows: Rows = []

    def query(self, sql: str) -> "Server":
        columns, table = sql.removeprefix("SELECT ").removesuffix(" FINAL").split(" FROM ")
        if columns.startswith("max("):
            self.revision += 1
            self.result_rows = [(self.revision,)]
        else:
            rows = [row for row in self.of(table).values() if not row["is_deleted"]]
            self.result_rows = [tuple(row[name] for name in columns.split(", ")) for row in rows]
        return self

    def insert(self, table: str, rows: Rows, column_names: list[str]) -> None:
        for cells in rows:
            row = dict(zip(column_names, cells, strict=True))
            assert row["revision"] == self.revision
            key = tuple(row[name] for name in KEYS[table])
            self.of(table)[key] = row

    def of(self, table: str) -> dict[tuple[Any, ...], dict[str, Any]]:
        return self.tables.setdefault(table, {})

    def store(self, model: JourneyModel) -> list[str]:
        return store_models(cast("Client", self), [model])

    def kept(self, table: str, *columns: str) -> set[tuple[Any, ...]]:
        rows = [row for row in self.of(table).values() if not row["is_deleted"]]
        return {tuple(row[name] for name in columns) for row in rows}


def model(**other: Any) -> JourneyModel:
    phases = [
        {"id": "a", "en": "A", "de": "Ä", "longest": timedelta(minutes=2)},
        {"id": "b", "en": "B", "de": "B"},
    ]
    return small_model(**{"phases": phases, "longest_wait": {"chat": "PT5M"}} | other)


def test_a_model_becomes_rows() -> None:
    server = Server()
    assert server.store(model()) == [
        "journey_models",
        "journey_rules",
        "journey_steps",
        "journey_waits",
    ]
    phases = server.kept("journey_models", "phase", "rank", "en", "de", "max_seconds")
    assert phases == {("a", 1, "A", "Ä", 120), ("b", 2, "B", "B", 0)}
    rules = server.kept("journey_rules", "rule", "touchpoint", "phase", "channels")
    look = {("look", name, "a", ()) for name in ("Seen", "Heard")}
    assert rules == look | {("buy", "Bought", "b", ("store",))}
    steps = server.kept("journey_steps", "step", "place")
    assert steps == {("Seen", 1), ("Bought", 2), ("Filled", 0)}
    assert server.kept("journey_waits", "channel", "max_seconds") == {("chat", 300)}


def test_the_same_model_again_changes_nothing() -> None:
    server = Server()
    server.store(model())
    assert server.store(model()) == []


def test_what_changes_is_written_again_and_what_is_gone_is_marked() -> None:
    server = Server()
    server.store(model())
    assert server.store(model(funnel=["Bought", "Heard"])) == ["journey_steps"]
    assert server.kept("journey_steps", "step", "place", "revision") == {
        ("Bought", 1, server.revision),
        ("Heard", 2, server.revision),
        ("Filled", 0, 3),
    }
    [gone] = [row for row in server.of("journey_steps").values() if row["is_deleted"]]
    assert (gone["step"], gone["revision"]) == ("Seen", server.revision)
