"""Asking a question: its view, with the values of its parameters. Prints nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.values.totals import plain_rows
from schemas.questions import Question, questions

MOST_ROWS = 100
"""The default `most`: how many rows a question returns at most."""

_UNSAID: dict[str, Any] = {"channel": "", "segment": "", "most": MOST_ROWS}


class Column(NamedTuple):
    """A column of an answer; `type` is ClickHouse's, such as `UInt64` or `Nullable(Float64)`."""

    name: str
    type: str


@dataclass(frozen=True)
class Answer:
    """The answer to a question: columns with their types, and rows in the question's order."""

    columns: tuple[Column, ...]
    rows: Sequence[tuple[Any, ...]]

    def named(self) -> Iterator[dict[str, Any]]:
        """Give each row by the names of its columns."""
        names = [column.name for column in self.columns]
        for row in self.rows:
            yield dict(zip(names, row, strict=True))


def ask(client: Client, name: str, **values: Any) -> Answer:
    """Ask the question `name` (a file of `schemas/questions`) with the values of its parameters.

    Usual parameters are `site`, `start` and `end` (with a time zone; `end` is not included),
    `model`, `channel` and `segment` (empty or left out: all), and `most` rows. Times in the answer
    are UTC without a zone.

    Raises:
        KeyError: there is no such question, or a parameter without a default is missing.
    """
    question = questions()[name]
    found = client.query(
        statement(question),
        parameters=parameters(question, **values),
    )
    types = [type_.name for type_ in found.column_types]
    columns = tuple(map(Column, found.column_names, types))
    return Answer(columns, plain_rows(found.result_rows, found.column_names))


def statement(question: Question) -> str:
    """Write the SQL that asks `question`; the server fills in the parameters."""
    if question.kind == "live":
        return question.sql
    given = ", ".join(f"{name} = {{{name}:{type_}}}" for name, type_ in question.parameters.items())
    return f"SELECT * FROM {question.name}({given})"  # noqa: S608 - names of our own files


def parameters(question: Question, **values: Any) -> dict[str, Any]:
    """Return the values of the parameters of `question` as the server reads them.

    Raises:
        KeyError: a parameter without a default is missing.
    """
    return {name: _written((_UNSAID | values)[name]) for name in question.parameters}


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
    return value
