"""Reads rows from files: CSV, JSON lines or Parquet, plain or gzipped. Shell."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from pipeline.importer.mapping import FileFormat
from pipeline.importer.rows import ImportFailed, Row, Unreadable
from pipeline.values.texts import parsed
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
_GZIP = b"\x1f\x8b"
_MARK = b"\xef\xbb\xbf"
"""The byte-order mark that some programs write before UTF-8."""
csv.field_size_limit(16 * 1024 * 1024)
"""A cell larger than a touchpoint refuses its row, but does not end the file."""


def rows_of(path: Path, written: FileFormat) -> Iterator[Row | Unreadable]:
    """Read the rows of a file, in its order.

    Raises:
        ImportFailed: the file cannot be read to its end; the text names it.
    """
    read = {"csv": _csv_rows, "jsonl": _json_rows, "parquet": _parquet_rows}[_kind(path, written)]
    try:
        yield from read(path, written)
    except (OSError, EOFError, zlib.error, csv.Error, UnicodeError, LookupError) as error:
        raise ImportFailed(f"{path}: {error}") from error


def log_lines(
    path: Path, _written: FileFormat, *, row_of: Callable[[str], Row | Unreadable]
) -> Iterator[Row | Unreadable]:
    """Read the lines of a log file, plain or gzip, with `row_of`; ImportFailed as `rows_of`."""
    try:
        with _opened(path) as file:
            for line in file:
                if line.strip():
                    yield row_of(line.decode("utf-8", "replace").rstrip("\r\n"))
    except (OSError, EOFError, zlib.error) as error:
        raise ImportFailed(f"{path}: {error}") from error


def _kind(path: Path, written: FileFormat) -> str:
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    kind = written.kind or _KINDS.get(suffix)
    if kind is None:
        raise ImportFailed(
            f"{path}: the name does not say CSV, JSON lines or Parquet; set file.kind = "
            '"csv", "jsonl" or "parquet" in the mapping'
        )
    return kind


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        is_gzip = file.read(2) == _GZIP
        file.seek(0)
        if is_gzip:
            with gzip.open(file) as unpacked:
                yield cast("IO[bytes]", unpacked)
        else:
            yield file


def _csv_rows(path: Path, written: FileFormat) -> Iterator[Row | Unreadable]:
    encoding = "utf-8-sig" if written.encoding == "utf-8" else written.encoding
    with (
        _opened(path) as file,
        io.TextIOWrapper(file, encoding=encoding, newline="") as text,
    ):
        lines = csv.reader(
            text,
            delimiter=written.delimiter,
            skipinitialspace=written.delimiter == " ",
            strict=True,  # else a quote that nobody closes swallows the rest of the file
        )
        header = next(lines, [])
        if len(set(header)) < len(header):
            raise ImportFailed(f"{path}: two columns of the header have the same name")
        for cells in filter(None, lines):
            yield _csv_row(header, cells)


def _csv_row(header: list[str], cells: list[str]) -> Row | Unreadable:
    if len(cells) == len(header):
        return dict(zip(header, cells, strict=True))
    detail = f"{len(cells)} cells under {len(header)} columns"
    return Unreadable(msgspec.json.encode(cells), Reason.INVALID_FIELD, detail)


def _json_rows(path: Path, _written: FileFormat) -> Iterator[Row | Unreadable]:
    with _opened(path) as file:
        for line in file:
            bare = line.removeprefix(_MARK).strip()
            if bare:
                yield _json_row(bare)


def _json_row(line: bytes) -> Row | Unreadable:
    try:
        row = parsed(msgspec.json.decode, line)
    except (msgspec.MsgspecError, RecursionError) as error:
        return Unreadable(line, Reason.NOT_JSON, str(error))
    if not isinstance(row, dict):
        return Unreadable(line, Reason.NOT_AN_OBJECT, "not a JSON object")
    return row


def _parquet_rows(path: Path, _written: FileFormat) -> Iterator[Row | Unreadable]:
    parquet = _pyarrow_parquet()
    with _opened(path) as file:
        seekable = file if path.suffix == ".parquet" else io.BytesIO(file.read())
        try:
            for batch in parquet.ParquetFile(seekable).iter_batches():
                yield from _microseconds(batch).to_pylist()
        except ValueError as error:  # pyarrow's own errors derive from it
            raise ImportFailed(f"{path}: not a Parquet file: {error}") from error


def _microseconds(batch: Any) -> Any:
    """Give a batch in which no time is more precise than Python's."""
    import pyarrow as pa  # noqa: PLC0415 - as below

    fields = [
        pa.field(field.name, pa.timestamp("us", field.type.tz))
        if pa.types.is_timestamp(field.type)
        else field
        for field in batch.schema
    ]
    schema = pa.schema(fields)
    if schema == batch.schema:
        return batch
    return pa.Table.from_batches([batch]).cast(schema, safe=False)


def _pyarrow_parquet() -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ImportFailed(
            "reading Parquet needs pyarrow; run: pip install 'touchstream[parquet]'"
        ) from error
    return parquet
