"""PURE: the one writer of CSV (RFC 4180, lines that end in LF)."""

import csv
from collections.abc import Iterable
from datetime import date
from types import SimpleNamespace
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a text begins that a spreadsheet computes (OWASP, CSV injection); the last four are wide."""


def as_csv(names: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Write a header with the names, and a line for each row.

    Times are in ISO 8601, lists have ` > ` between their items, and None is empty. A text that a
    spreadsheet would compute gets an apostrophe in front: anybody can send one as a path or name.
    """
    lines: list[str] = []
    # Its own line ends: it quotes those, and no other line breaks, in a text.
    writer = csv.writer(SimpleNamespace(write=lines.append))
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return "".join(line.removesuffix("\r\n") + "\n" for line in lines)


def _cell(value: Any) -> Any:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, list | tuple):
        value = " > ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
