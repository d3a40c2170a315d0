"""PURE: answers of the JSON API: rows as JSON or CSV, refusals, and common headers."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any

from pipeline.reports import spreadsheet

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


class Denied(Exception):
    """A refused request: a status, a word for programs, and what to do."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def as_csv(row: type, rows: Iterable[Any]) -> str:
    """Write rows as CSV; columns that hold lists or ranges are left out."""
    names = [field.name for field in fields(row) if _is_plain(str(field.type))]
    return spreadsheet.as_csv(
        names, ([_cell(getattr(each, name)) for name in names] for each in rows)
    )


def _is_plain(kind: str) -> bool:
    return "tuple" not in kind and "Usual" not in kind


def _cell(value: object) -> object:
    return None if is_dataclass(value) else value
