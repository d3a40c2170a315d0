"""CSV as people open it: what anybody may have sent is a text, never a formula."""

import csv
import io
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.reports.spreadsheet import as_csv

TEXTS = st.text(max_size=12)


def read(*values: Any) -> list[str]:
    names = [f"c{place}" for place in range(len(values))]
    header, row = csv.reader(io.StringIO(as_csv(names, [values]), newline=""))
    assert header == names
    return row


def test_a_text_that_a_spreadsheet_would_compute_is_a_text() -> None:
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff0d1"):
        assert read(text) == [f"'{text}"]
    assert read(["=1", "b"]) == ["'=1 > b"]


def test_numbers_and_times_are_what_they_are() -> None:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert read(-1, -1.5, Decimal("-2.50"), None, at, date(2026, 1, 2), ("a", "b"), True) == [
        *("-1", "-1.5", "-2.50", "", "2026-01-01T12:00:00+00:00", "2026-01-02", "a > b", "True"),
    ]


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_every_text_comes_back_and_none_is_a_formula(texts: list[str]) -> None:
    for text, cell in zip(texts, read(*texts), strict=True):
        assert cell.removeprefix("'") == text.removeprefix("'") or cell == text
        assert cell[:1] not in {*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"}


def test_nobody_else_writes_csv() -> None:
    found = subprocess.run(
        ["grep", "-rlE", r"csv\.(writer|DictWriter)", "pipeline", "sinks", "schemas"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.split() == ["pipeline/reports/spreadsheet.py"]
