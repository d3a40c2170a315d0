"""Reads rows from Parquet files. Shell. pyarrow is an extra, so it is imported where it is used."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from pipeline.importer.mapping import FileFormat
from pipeline.importer.rows import ImportFailed, Row
from pipeline.importer.unpacked import once, opened

_NOT_AS_TEXT = re.compile("binary|uuid|map<")
"""Types whose values are not yet what a row of another kind of file would hold."""


def parquet_rows(path: Path, _written: FileFormat) -> Iterator[Row]:
    """Read the rows of a Parquet file: times to the microsecond, maps as objects, bytes as text.

    Raises:
        ImportFailed: it is no such file, or pyarrow is missing.
    """
    parquet = _pyarrow_parquet()
    with opened(path) as file:
        seekable = file if path.suffix.lower() == ".parquet" else io.BytesIO(file.read())
        try:
            content = parquet.ParquetFile(seekable)
            once(path, content.schema_arrow.names)
            is_plain = not _NOT_AS_TEXT.search(str(content.schema_arrow.types))
            for batch in content.iter_batches():
                rows = _rows(_microseconds(batch))
                yield from rows if is_plain else map(_texts, rows)
        except ValueError as error:  # pyarrow's own errors derive from it
            raise ImportFailed(f"{path}: not a Parquet file: {error}") from error


def _rows(batch: Any) -> list[Row]:
    """Give rows; a cell that Python has no time for is the text of its number."""
    try:
        return _cells(batch)
    except OverflowError:
        return [_each_alone(batch.slice(place, 1)) for place in range(batch.num_rows)]


def _cells(batch: Any) -> list[Row]:
    rows: list[Row] = batch.to_pylist(maps_as_pydicts="lossy")
    return rows


def _each_alone(row: Any) -> Row:
    cells: Row = {}
    for name in row.column_names:
        try:
            cells |= _cells(row.select([name]))[0]
        except OverflowError:
            cells[name] = _number(row.column(name))
    return cells


def _number(cell: Any) -> str:
    import pyarrow as pa  # noqa: PLC0415

    try:
        return str(cell.cast(pa.int64())[0])
    except (ValueError, NotImplementedError):
        return "a time that is out of range"


def _microseconds(batch: Any) -> Any:
    """Give a batch in which no time, however deep inside, is more precise than Python's."""
    import pyarrow as pa  # noqa: PLC0415

    schema = pa.schema([field.with_type(_coarse(field.type)) for field in batch.schema])
    if schema == batch.schema:
        return batch
    return pa.Table.from_batches([batch]).cast(schema, safe=False)


def _coarse(type_: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    kinds = pa.types
    if kinds.is_timestamp(type_) and type_.unit == "ns":
        return pa.timestamp("us", type_.tz)
    if kinds.is_duration(type_) and type_.unit == "ns":
        return pa.duration("us")
    if kinds.is_struct(type_):
        return pa.struct([field.with_type(_coarse(field.type)) for field in type_])
    if kinds.is_map(type_):
        return pa.map_(_coarse(type_.key_type), _coarse(type_.item_type))
    if kinds.is_list(type_) or kinds.is_large_list(type_) or kinds.is_fixed_size_list(type_):
        return pa.list_(type_.value_field.with_type(_coarse(type_.value_type)))
    return _coarse(type_.value_type) if kinds.is_dictionary(type_) else type_


def _texts(value: Any) -> Any:
    """Decode bytes that are text: many programs write texts without saying so."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, dict):
        return {str(_texts(name)): _texts(inner) for name, inner in value.items()}
    if isinstance(value, UUID):
        return str(value)
    return [_texts(inner) for inner in value] if isinstance(value, list) else value


def _pyarrow_parquet() -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise ImportFailed(
            "reading Parquet needs pyarrow; run: pip install 'touchstream[parquet]'"
        ) from error
    return parquet
