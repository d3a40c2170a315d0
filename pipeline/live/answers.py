"""PURE: answers of the JSON API: rows as JSON or CSV, refusals, and common headers."""

import csv
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import datetime
from io import StringIO
from typing import Any

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'{collector}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every answer; `{collector}` is where the test touchpoint is sent."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Denied(Exception):
    """A refused request: a status, a word for programs, and what to do."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def as_csv(row: type, rows: Iterable[Any]) -> str:
    """Write rows as CSV (RFC 4180); columns that hold lists or ranges are left out.

    A text that a spreadsheet would read as a formula gets an apostrophe in front.
    """
    names = [field.name for field in fields(row) if _is_plain(str(field.type))]
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([_cell(getattr(each, name)) for name in names] for each in rows)
    return out.getvalue()


def _is_plain(kind: str) -> bool:
    return "tuple" not in kind and "Usual" not in kind


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None or is_dataclass(value) else value
