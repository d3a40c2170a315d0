"""Rows inside of a row that only wraps them, as APIs do: `{"data": [...], "next": ...}`. PURE."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from pipeline.importer.mapping import Mapping
from pipeline.importer.rows import Row, Unreadable, has_time
from schemas.dead_letter import Reason


def unwrapped(rows: Iterable[Row | Unreadable], mapping: Mapping) -> Iterator[Row | Unreadable]:
    """Give `rows`, and in place of a wrapper the rows inside of it.

    A wrapper has no time, and a single list of objects that have one; it may stand in an object of
    the wrapper.
    """
    for row in rows:
        if isinstance(row, Unreadable) or has_time(row, mapping):
            yield row
            continue
        lists = [cell for cell in _cells(row) if _has_rows(cell, mapping)]
        yield from map(_row, lists[0]) if len(lists) == 1 else [row]


def _cells(row: Row) -> Iterator[Any]:
    for cell in row.values():
        yield cell
        if isinstance(cell, dict):
            yield from cell.values()


def _has_rows(cell: Any, mapping: Mapping) -> bool:
    return isinstance(cell, list) and any(
        isinstance(entry, dict) and has_time(entry, mapping) for entry in cell
    )


def _row(entry: Any) -> Row | Unreadable:
    if isinstance(entry, dict):
        return entry
    return Unreadable(msgspec.json.encode(entry), Reason.NOT_AN_OBJECT, "not a JSON object")
