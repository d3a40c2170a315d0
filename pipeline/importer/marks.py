"""Which mark stands before the cents of a file's amounts, as far as its rows show it. PURE."""

import re
from collections.abc import Mapping as Names

from pipeline.importer.mapping import Mapping
from pipeline.importer.rows import MONEY, Row
from pipeline.values.texts import line

_COMMA = re.compile(r"\d,\d{1,2}(?!\d)")
"""`19,99` and `1.234,5`: cents behind a comma."""
_EITHER = re.compile(r"\s*-?\d{1,3}\.\d{3}\s*")
"""`1.234`: read as a program writes it, and a thousand times as much where cents have a comma."""

_DOUBT = (
    "{comma} has a comma before its cents, but {either} was read as little more than {whole}: "
    'write decimal = "," below [file] in the mapping'
)
_LONGEST = 40


class Marks:
    """Looks at the amounts of rows while no `decimal` of the mapping says what stands before cents.

    A file with `19,99` in one row and `1.234` in another means 1,234 by it.
    """

    def __init__(self, mapping: Mapping) -> None:
        renamed: Names[str, str] = mapping.properties
        columns = {column for column, name in renamed.items() if name in MONEY}
        self._columns = (
            frozenset() if mapping.file.decimal else columns | {*MONEY, *mapping.numbers}
        )
        self._comma = self._either = ""

    def look(self, row: Row) -> None:
        """Note how the amounts of a row are written."""
        if self._comma and self._either:
            return
        for name in self._columns & row.keys():
            cell = row[name]
            if not isinstance(cell, str):
                continue
            if _COMMA.search(cell):
                self._comma = self._comma or line(cell)[:_LONGEST]
            elif _EITHER.fullmatch(cell):
                self._either = self._either or line(cell)

    def doubts(self) -> list[str]:
        """Say what was probably misread."""
        if not (self._comma and self._either):
            return []
        whole = self._either.partition(".")[0]
        return [_DOUBT.format(comma=self._comma, either=self._either, whole=whole)]
