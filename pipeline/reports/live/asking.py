"""How the questions of the live page are asked. Shell."""

from collections.abc import Iterator
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.view import View

Row = TypeVar("Row")

_LONGEST_SECONDS = 10


def ask(client: Client, view: View, sql: str, **more: Any) -> Iterator[dict[str, Any]]:
    """Give the rows of a statement; `more` are parameters beside those of `view`."""
    return client.query(
        sql,
        parameters=view.parameters() | more,
        settings={"max_execution_time": _LONGEST_SECONDS},
        tz_mode="aware",
    ).named_results()


def rows_of(kind: type[Row], client: Client, view: View, sql: str, **more: Any) -> tuple[Row, ...]:
    """Give the rows of a statement whose columns are the fields of `kind`."""
    return tuple(kind(**row) for row in ask(client, view, sql, **more))
