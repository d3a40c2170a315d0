"""How the live page asks its questions. Shell."""

from collections.abc import Iterator
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client

from pipeline.reports.ask import parameters, statement
from pipeline.reports.live.view import View
from schemas.questions import questions

Row = TypeVar("Row")

_LONGEST_SECONDS = 30


def ask(client: Client, view: View, name: str, **more: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of the question `name`; `more` are parameters besides those of `view`.

    Times have a time zone.
    """
    question = questions()[name]
    return client.query(
        statement(question),
        parameters=parameters(question, **view.asked() | more),
        settings={"max_execution_time": _LONGEST_SECONDS},
        tz_mode="aware",
    ).named_results()


def rows_of(kind: type[Row], client: Client, view: View, name: str, **more: Any) -> tuple[Row, ...]:
    """Return the rows of a question, each as a `kind`; other columns than its fields drop out."""
    fields = kind.__annotations__
    return tuple(
        kind(**{column: value for column, value in row.items() if column in fields})
        for row in ask(client, view, name, **more)
    )
