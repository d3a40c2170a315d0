"""Which tables are altered so that they keep their rows for as long as asked for."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from clickhouse_connect.driver.client import Client

from sinks.retention import TIME_OF, apply_retention

DAY = timedelta(days=1)
ENGINE = "ReplacingMergeTree(version) ORDER BY id{ttl} SETTINGS index_granularity = 8192"


class Server:
    """Names the engines of three tables, as ClickHouse does, and notes what it is told."""

    def __init__(self, **seconds: int) -> None:
        tables = ("abandonments", "sessions", "transitions")
        ttl = {
            name: f" TTL toDateTime({TIME_OF[name]}) + toIntervalSecond({kept})"
            for name, kept in seconds.items()
        }
        self.result_rows = [(name, ENGINE.format(ttl=ttl.get(name, ""))) for name in tables]
        self.told: list[str] = []

    def query(self, _sql: str, parameters: Mapping[str, Any]) -> "Server":
        assert {name for name, _ in self.result_rows} <= set(parameters["names"])
        return self

    def command(self, statement: str) -> None:
        self.told.append(statement)

    def keep(self, retention: Mapping[str, timedelta]) -> list[str]:
        return apply_retention(cast("Client", self), retention)


def test_a_table_that_keeps_its_rows_as_asked_for_is_not_altered() -> None:
    server = Server(sessions=86_400)
    assert server.keep({"sessions": DAY}) == []
    assert server.told == []


def test_a_table_gets_another_retention_in_whole_seconds() -> None:
    server = Server(sessions=86_400)
    asked = {"sessions": 2 * DAY, "transitions": timedelta(hours=1, milliseconds=900)}
    assert server.keep(asked) == ["sessions", "transitions"]
    assert server.told == [
        "ALTER TABLE sessions MODIFY TTL toDateTime(started_at) + toIntervalSecond(172800)",
        "ALTER TABLE transitions MODIFY TTL toDateTime(at) + toIntervalSecond(3600)",
    ]


def test_a_table_of_which_nothing_is_said_keeps_its_rows_for_ever() -> None:
    server = Server(sessions=86_400, transitions=60)
    assert server.keep({"transitions": timedelta(minutes=1)}) == ["sessions"]
    assert server.told == ["ALTER TABLE sessions REMOVE TTL"]
