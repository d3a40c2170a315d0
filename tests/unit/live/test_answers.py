"""CSV of every table, and what must not get into a spreadsheet."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from pipeline.live.answers import HEADERS, as_csv


@dataclass(frozen=True, kw_only=True)
class Row:
    name: str
    at: datetime
    amount: Decimal
    seconds: int | None
    line: tuple[int, ...] = ()


AT = datetime(2026, 1, 1, tzinfo=UTC)


def written(name: str) -> list[list[str]]:
    row = Row(name=name, at=AT, amount=Decimal("1.50"), seconds=None, line=(1, 2))
    return list(csv.reader(as_csv(Row, [row]).splitlines(keepends=True)))


def test_the_columns_are_the_fields_without_lists() -> None:
    assert written('a, "b"\nc') == [
        ["name", "at", "amount", "seconds"],
        ['a, "b"\nc', "2026-01-01T00:00:00+00:00", "1.50", ""],
    ]


def test_no_rows_are_the_names_alone() -> None:
    assert as_csv(Row, []) == "name,at,amount,seconds\n"


def test_a_page_runs_nothing_that_is_not_its_own() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
