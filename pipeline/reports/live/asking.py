"""How the questions of the live page are asked. Shell."""

from collections.abc import Iterator
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.view import View
from schemas.questions import questions

Row = TypeVar("Row")

_LONGEST_SECONDS = 30

_GIVEN = {
    "site": "{site:String}",
    "start": "fromUnixTimestamp64Milli({start:Int64})",
    "end": "fromUnixTimestamp64Milli({end:Int64})",
    "model": "{model:String}",
    "channel": "{channel:String}",
    "segment": "{segment:String}",
    "kpi": "''",
}


def ask(client: Client, view: View, sql: str, **more: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a statement; `more` are parameters besides those of `view`."""
    return client.query(
        sql,
        parameters=view.parameters() | more,
        settings={"max_execution_time": _LONGEST_SECONDS},
        tz_mode="aware",
    ).named_results()


def rows_of(kind: type[Row], client: Client, view: View, sql: str, **more: Any) -> tuple[Row, ...]:
    """Return the rows of a statement whose columns are the fields of `kind`."""
    return tuple(kind(**row) for row in ask(client, view, sql, **more))


def question(name: str, **given: str) -> str:
    """Write the call of a question or a part, for use after FROM, with the parameters of a view.

    `given` has expressions for further parameters, or replaces these.
    """
    values = _GIVEN | given
    named = (f"{one} = {values[one]}" for one in questions()[name].parameters)
    return f"{name}({', '.join(named)})"
