"""The tables, row by row, against what they must contain. Shell: asks ClickHouse.

Columns that say how a row came about (`version`, `kafka_*`) are not compared.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from schemas.times import whole

Row = dict[str, Any]
Tables = dict[str, dict[str, Row]]
"""Rows by table, and by what names them there."""

ID = {
    "touchpoints": ("site", "visitor_id", "touchpoint_id"),
    "sessions": ("session_id",),
    "transitions": ("transition_id",),
    "abandonments": ("abandonment_id",),
    "identities": ("site", "visitor_id"),
    "links": ("site", "visitor_id", "identifier"),
    "dead_letters": ("dead_letter_id",),
}
_NOT_COMPARED = ("version", "is_deleted", "kafka_partition", "kafka_offset")


class Difference(NamedTuple):
    """A difference between a table and the log; a column of `*` is the whole row.

    The column `rows` says that a row is in the table more than once.
    """

    table: str
    id: str
    column: str
    expected: object
    actual: object

    def __str__(self) -> str:
        """Describe it for people."""
        what = f"{self.table} {self.id}"
        if self.column == "rows":
            return f"{what}: stands there {self.actual} times"
        if self.actual is None and self.column == "*":
            return f"{what}: is missing"
        if self.expected is None and self.column == "*":
            return f"{what}: should not be there"
        return f"{what}: {self.column} is {_said(self.actual)}, expected {_said(self.expected)}"


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%F %T.%f}"[:-3]
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _everything(_table: str, _row: Row) -> bool:
    return True


def compare(
    client: Client,
    expected: Tables,
    ends: Sequence[int],
    is_asked: Callable[[str, Row], bool] = _everything,
) -> list[Difference]:
    """Compare every row and column of the tables with what they must contain.

    Of `dead_letters` only those of the tracker are compared: the log of touchpoints does not
    contain the others. Rows that a record at or after `ends` (one offset per partition) has written
    or changed are left out: that record was not in the replayed log; so are rows that nobody asks
    about.
    """
    differences: list[Difference] = []
    for table, rows in expected.items():
        actual, moved_on = _actual(client, table, ends)
        actual = {name: copies for name, copies in actual.items() if is_asked(table, copies[-1])}
        still = {
            name: row for name, row in rows.items() if name not in moved_on and is_asked(table, row)
        }
        differences += (
            Difference(table, name, "rows", 1, len(copies))
            for name, copies in actual.items()
            if len(copies) > 1
        )
        newest = {name: copies[-1] for name, copies in actual.items()}
        differences += _differences(table, still, newest)
    return differences


def _actual(
    client: Client, table: str, ends: Sequence[int]
) -> tuple[dict[str, list[Row]], set[str]]:
    where = " WHERE stage = 'track'" if table == "dead_letters" else ""
    result = client.query(f"SELECT * FROM {table} FINAL{where}")  # noqa: S608 - our own names
    rows: dict[str, list[Row]] = defaultdict(list)
    moved_on: set[str] = set()
    for row in result.named_results():
        name = name_of(table, row)
        partition, offset = _place(row)
        if partition >= len(ends) or offset >= ends[partition]:
            moved_on.add(name)
        else:
            rows[name].append(comparable(dict(row)))
    return rows, moved_on


def _place(row: Row) -> tuple[int, int]:
    if "source" in row:
        return int(row["source"].rpartition("-")[2]), row["position"]
    return int(row["kafka_partition"]), int(
        row["version"] if "version" in row else row["kafka_offset"]
    )


def name_of(table: str, row: Row) -> str:
    """Name a row of `table` by what tells it from the others."""
    return " ".join(str(row[column]) for column in ID[table])


def _differences(
    table: str, expected: dict[str, Row], actual: dict[str, Row]
) -> Iterator[Difference]:
    for id_ in expected.keys() - actual.keys():
        yield Difference(table, id_, "*", expected[id_], None)
    for id_ in actual.keys() - expected.keys():
        yield Difference(table, id_, "*", None, actual[id_])
    for id_ in expected.keys() & actual.keys():
        for column, value in expected[id_].items():
            if actual[id_].get(column) != value:
                yield Difference(table, id_, column, value, actual[id_].get(column))


def comparable(row: Row) -> Row:
    """Give the columns that are compared, in the same types on both sides."""
    return {column: _value(value) for column, value in row.items() if column not in _NOT_COMPARED}


def _value(value: object) -> object:
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    if isinstance(value, list):
        parts = msgspec.to_builtins(value, builtin_types=(Decimal,))
        return [comparable(part) if isinstance(part, dict) else part for part in parts]
    if isinstance(value, datetime):
        known = value if value.tzinfo else value.replace(tzinfo=UTC)
        return whole(known.astimezone(UTC))
    if isinstance(value, Decimal):
        return float(value)
    return str(value) if isinstance(value, str) else value
