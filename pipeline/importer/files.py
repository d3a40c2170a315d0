"""Reads rows from files: CSV, JSON or Parquet, plain or packed. Shell."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from pipeline.importer.json_values import TooLarge, split
from pipeline.importer.mapping import FileFormat
from pipeline.importer.parquet import parquet_rows
from pipeline.importer.rows import ImportFailed, Row, Unreadable
from pipeline.importer.unpacked import BROKEN, PACKED, once, opened, what_broke
from pipeline.values.texts import heading, parsed
from schemas.dead_letter import Reason

_KINDS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "jsonl",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_MARK = b"\xef\xbb\xbf"
"""The byte-order mark that some programs write before UTF-8."""

_WIDE = frozenset({codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE})

_AROUND = b" \t\r\n\x1e"
"""Around a line of JSON; the last one begins a record of RFC 7464."""

_LONGEST_PIECE = 16 * 1024 * 1024
"""Bytes of a line of JSON; a longer one is read as values one after the other."""

_PARQUET = b"PAR1"
_ENCODINGS = ("utf-8", "cp1252", "latin-1")
"""What to advise, in this order, where a text is in another encoding."""
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")
_DELIMITERS = ",;\t|"
_QUOTED = re.compile('"[^"]*"')
_TOLD = ("=", "'")
_AS_TEXT = re.compile(r"""="([^"]+)"|'([=+@-].*|[\d.,+-]+)""")
_HINT = re.compile(r'"?sep=(.)"?\s*')
"""What Excel writes above its tables."""

csv.field_size_limit(16 * 1024 * 1024)
"""A cell larger than a touchpoint refuses its row, but does not end the file."""


def rows_of(path: Path, written: FileFormat) -> Iterator[Row | Unreadable]:
    """Read the rows of a file, in its order.

    Raises:
        ImportFailed: the file cannot be read to its end; the text names it.
    """
    readers = {"csv": _csv_rows, "jsonl": _json_rows, "parquet": parquet_rows}
    try:
        yield from map(_headed, readers[_kind(path, written)](path, written))
    except UnicodeError as error:
        raise ImportFailed(f"{path}: {_not_so_encoded(error, written.encoding)}") from error
    except TooLarge as error:
        raise ImportFailed(
            f"{path}: {error}: write its rows one per line, as jq -c '.[]' does"
        ) from error
    except (*BROKEN, csv.Error, LookupError) as error:
        raise ImportFailed(f"{path}: {what_broke(error)}") from error


def log_lines(
    path: Path, _written: FileFormat, *, row_of: Callable[[str], Row | Unreadable]
) -> Iterator[Row | Unreadable]:
    """Read the lines of a log file, plain or packed, with `row_of`; ImportFailed as `rows_of`."""
    try:
        with opened(path) as file:
            for line in file:
                if line.strip():
                    yield row_of(line.decode("utf-8", "replace").rstrip("\r\n"))
    except BROKEN as error:
        raise ImportFailed(f"{path}: {what_broke(error)}") from error


def _kind(path: Path, written: FileFormat) -> str:
    with opened(path) as file:  # which refuses what is no table
        if file.peek(4)[:4] == _PARQUET:  # type: ignore[attr-defined]
            return "parquet"
    name = path.with_suffix("") if path.suffix.lower() in PACKED else path
    kind = written.kind or _KINDS.get(name.suffix.lower())
    if kind is None:
        raise ImportFailed(
            f"{path}: the name does not say CSV, JSON lines or Parquet; set file.kind = "
            '"csv", "jsonl" or "parquet" in the mapping'
        )
    return kind


def _text(file: Any, encoding: str) -> io.TextIOWrapper:
    """Read `file` as text; a mark at its beginning goes before the encoding of the mapping."""
    begins = file.peek(3)[:3]
    if begins == _MARK:
        encoding = "utf-8-sig"
    elif begins[:2] in _WIDE or codecs.lookup(encoding).name == "utf-8":
        encoding = _utf_16(file) or "utf-8"
    return io.TextIOWrapper(file, encoding=encoding, newline="")


def _utf_16(file: Any) -> str:
    """Name the kind of UTF-16, by its mark or because every other byte of what begins is 0."""
    begins = file.peek(2)[:2]
    if begins in _WIDE:
        return "utf-16"
    if len(begins) < len(codecs.BOM_UTF16_LE) or 0 not in begins:
        return ""
    return "utf-16-le" if begins[1] == 0 else "utf-16-be"


def _not_so_encoded(error: UnicodeError, encoding: str) -> str:
    """Say that a text is not in `encoding`, and in which it could be."""
    found = error.object if isinstance(error, UnicodeDecodeError) else b""
    if _NO_TEXT.search(found):
        return "it holds bytes that no text has: is it a table, and is it whole?"
    known = codecs.lookup(encoding).name
    likely = next(one for one in _ENCODINGS if one != known and _can_be(found, one))
    return (
        f"not in the encoding {encoding} ({error}): set file.encoding in the mapping, such as "
        f'"{likely}"'
    )


def _can_be(found: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(found.lstrip(bytes(range(0x80, 0xC0))))
    except UnicodeDecodeError:
        return False
    return True


class _Lines:
    """Lines of a text; knows those of the row that is being read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.number = 0
        self.of_row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.number += 1
            self.of_row.append(line)
            yield line


def _csv_rows(path: Path, written: FileFormat) -> Iterator[Row | Unreadable]:
    with opened(path) as file, _text(file, written.encoding) as text:
        first = next(text, "")
        while first.startswith("#") and not any(map(first.count, _DELIMITERS)):
            first = next(text, "")  # what Google Analytics writes above its tables
        delimiter = written.delimiter or _delimiter_of(first)
        if hint := _HINT.fullmatch(first):
            delimiter, first = hint[1], ""
        lines = _Lines(chain([first], text))
        cells = csv.reader(
            iter(lines),
            delimiter=delimiter,
            skipinitialspace=delimiter == " ",
            strict=True,  # else a quote that nobody closes swallows the rest of the file
        )
        header = _header(path, next(filter(any, cells), []))
        yield from _csv_cells(path, cells, lines, header)


def _delimiter_of(line: str) -> str:
    """Take what stands most often in the first line outside of quotes; a comma if nothing does."""
    return max(_DELIMITERS, key=_QUOTED.sub("", line).count)


def _header(path: Path, header: list[str]) -> list[str]:
    names = [heading(name) or f"column {place}" for place, name in enumerate(header, 1)]
    once(path, names)
    return names


def _csv_cells(
    path: Path, rows: Iterator[list[str]], lines: _Lines, header: list[str]
) -> Iterator[Row | Unreadable]:
    while True:
        lines.of_row, began = [], lines.number + 1
        try:
            cells = next(rows, None)
        except csv.Error as error:
            if len(lines.of_row) > 1 or "unexpected end" in str(error):
                raise ImportFailed(
                    f"{path}: line {began:,}: a quote begins there that is not closed"
                ) from error
            raw = "".join(lines.of_row).encode()
            yield Unreadable(raw, Reason.INVALID_FIELD, f"line {began:,}: {error}")
            continue
        if cells is None:
            return
        if any(cells) and cells != ["\x1a"]:  # the end of a file, to some old programs
            yield _csv_row(header, cells)


def _csv_row(header: list[str], cells: list[str]) -> Row | Unreadable:
    while len(cells) > len(header) and not cells[-1]:
        cells.pop()
    if len(cells) == len(header):
        return dict(zip(header, map(_as_meant, cells), strict=True))
    detail = f"{len(cells)} cells under {len(header)} columns"
    return Unreadable(msgspec.json.encode(cells), Reason.INVALID_FIELD, detail, tuple(header))


def _as_meant(cell: str) -> str:
    """Give the text that Excel was told not to compute: `="00123"`, `'00123`."""
    if not cell.startswith(_TOLD):
        return cell
    found = _AS_TEXT.fullmatch(cell)
    return found[1] or found[2] if found else cell


def _json_rows(path: Path, _written: FileFormat) -> Iterator[Row | Unreadable]:
    with opened(path) as file:
        pieces = _pieces(file)
        for piece in pieces:
            line = _bare(piece)
            row = _json_row(line) if line else None
            if isinstance(row, Unreadable) and line[:1] in {b"[", b"{"}:
                yield from _json_values(chain([piece], pieces))
            elif row is not None:
                yield row
                yield from map(_json_row, filter(None, map(_bare, pieces)))


def _pieces(file: Any) -> Iterator[bytes]:
    """Give the lines of a file, and those that are too long in pieces."""
    if not _utf_16(file):
        yield from iter(partial(file.readline, _LONGEST_PIECE), b"")
        return
    with _text(file, "utf-8") as text:
        for piece in iter(partial(text.readline, _LONGEST_PIECE), ""):
            yield piece.encode(errors="surrogatepass")


def _bare(line: bytes) -> bytes:
    return line.removeprefix(_MARK).strip(_AROUND)


def _json_values(pieces: Iterator[bytes]) -> Iterator[Row | Unreadable]:
    decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
    for value in split(map(decode, pieces)):
        yield _json_row(value.encode(errors="surrogateescape").strip(_AROUND))


def _json_row(line: bytes) -> Row | Unreadable:
    try:
        row = parsed(msgspec.json.decode, line.removesuffix(b","))
    except (msgspec.MsgspecError, RecursionError) as error:
        return Unreadable(line, Reason.NOT_JSON, str(error))
    if not isinstance(row, dict):
        return Unreadable(line, Reason.NOT_AN_OBJECT, "not a JSON object")
    return row


def _headed(row: Row | Unreadable) -> Row | Unreadable:
    """Give the row with its columns named as a mapping names them."""
    if isinstance(row, Unreadable):
        return row
    headed = {heading(name): cell for name, cell in row.items()}
    return headed if len(headed) == len(row) else row
