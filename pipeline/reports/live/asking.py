"""How the live page asks its questions. Shell."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client

from pipeline.reports.ask import parameters, statement
from pipeline.reports.live.view import View
from pipeline.values.totals import plain
from schemas.questions import questions

Row = TypeVar("Row")

_LONGEST_SECONDS = 30


def ask(client: Client, view: View, name: str, **more: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of the question `name`; `more` are parameters besides those of `view`.

    Times have a time zone.
    """
    question = questions()[name]
    found = client.query(
        statement(question),
        parameters=parameters(question, **view.asked() | more),
        settings={"max_execution_time": _LONGEST_SECONDS},
        tz_mode="aware",
    )
    for row in found.named_results():
        yield {name: plain(value, row.get("currency")) for name, value in row.items()}


def rows_of(kind: type[Row], client: Client, view: View, name: str, **more: Any) -> tuple[Row, ...]:
    """Return the rows of a question, each as a `kind`; other columns than its fields drop out."""
    return tuple(kind(**fitting(kind, row)) for row in ask(client, view, name, **more))


def fitting(kind: type, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row that are fields of `kind`."""
    return {name: value for name, value in row.items() if name in kind.__annotations__}
