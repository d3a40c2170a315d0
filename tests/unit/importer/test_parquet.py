"""Rows of Parquet, whatever types the program that wrote them has chosen."""

import datetime as dt
import uuid
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from rich.progress import Progress

from pipeline.importer.files import rows_of
from pipeline.importer.mapping import FileFormat, parse_mapping
from pipeline.importer.rows import ImportFailed, Row, Unreadable
from pipeline.importer.send import read_files
from schemas.touchpoint import Touchpoint

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = dt.datetime(2026, 12, 1, tzinfo=UTC)
PRECISE = 1_700_000_000_123_456_789
MAPPING = """
channel = "shop"
[columns]
anonymous_id = "who"
name = "what"
occurred_at = "at"
"""


def row_of(folder: Path, **columns: Any) -> Row:
    file = folder / "a.parquet"
    parquet.write_table(pa.table(columns), file)
    [row] = rows_of(file, FileFormat())
    assert not isinstance(row, Unreadable)
    return row


async def touchpoints_of(folder: Path, **columns: Any) -> list[Touchpoint]:
    file = folder / "a.parquet"
    table = {"who": ["a"], "what": ["x"], "at": pa.array([NOON], pa.timestamp("us"))} | columns
    parquet.write_table(pa.table(table), file)
    mapping = parse_mapping(MAPPING, "m.toml")
    return await read_files([file], mapping, site="shop", now=NOW, progress=Progress(disable=True))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "+05:30"])
async def test_a_time_is_read_in_every_unit_and_zone(
    tmp_path: Path, unit: str, zone: str | None
) -> None:
    [seen] = await touchpoints_of(tmp_path, at=pa.array([NOON], pa.timestamp(unit, zone)))
    assert seen.occurred_at == NOON


@pytest.mark.parametrize(
    "column",
    [
        pa.array([NOON.date()], pa.date32()),
        pa.array([NOON.date()], pa.date64()),
        pa.array([dt.datetime(2026, 3, 1, tzinfo=UTC)], pa.timestamp("ns")).dictionary_encode(),
        pa.array(["2026-03-01"]).dictionary_encode(),
        pa.array([b"2026-03-01"], pa.binary()),
    ],
)
async def test_a_date_is_its_midnight(tmp_path: Path, column: Any) -> None:
    [seen] = await touchpoints_of(tmp_path, at=column)
    assert seen.occurred_at == dt.datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "type_", "read"),
    [
        ([PRECISE], pa.duration("ns"), dt.timedelta(microseconds=PRECISE // 1000)),
        ([{"t": PRECISE}], pa.struct([("t", pa.timestamp("ns"))]), None),
        ([[PRECISE]], pa.list_(pa.timestamp("ns")), None),
        ([[("t", PRECISE)]], pa.map_(pa.string(), pa.timestamp("ns")), None),
        ([[("a", 1)]], pa.map_(pa.string(), pa.int64()), {"a": 1}),
        ([[(1, "a")]], pa.map_(pa.int64(), pa.string()), {"1": "a"}),
        ([b"caf\xc3\xa9"], pa.binary(), "café"),
        ([b"\xff\x00"], pa.binary(), b"\xff\x00"),
        ([{"b": [b"x"]}], pa.struct([("b", pa.list_(pa.large_binary()))]), {"b": ["x"]}),
        ([uuid.UUID(int=7).bytes], pa.uuid(), str(uuid.UUID(int=7))),
        ([2**64 - 1], pa.uint64(), 2**64 - 1),
        ([Decimal("12.3450")], pa.decimal128(38, 4), Decimal("12.3450")),
        ([2**62], pa.timestamp("us"), str(2**62)),
        ([-(2**62)], pa.timestamp("us", "UTC"), str(-(2**62))),
        ([2**30], pa.date32(), "a time that is out of range"),
        ([{"t": 2**62}], pa.struct([("t", pa.timestamp("us"))]), "a time that is out of range"),
        ([None], pa.null(), None),
    ],
)
def test_a_cell_is_what_another_kind_of_file_would_hold(
    tmp_path: Path, values: list[Any], type_: Any, read: Any
) -> None:
    cell = row_of(tmp_path, cell=pa.array(values, type_), beside=["b"])["cell"]
    assert cell == read if read is not None else "123456" in repr(cell) or cell is None


async def test_a_time_that_is_out_of_range_costs_its_row_and_no_other(tmp_path: Path) -> None:
    times = pa.array([2**62, 1_772_366_400_000_000], pa.timestamp("us"))
    [seen] = await touchpoints_of(tmp_path, who=["a", "b"], what=["x", "y"], at=times)
    assert (seen.anonymous_id, seen.occurred_at) == ("b", NOON)


async def test_ids_may_be_numbers_bytes_and_uuids(tmp_path: Path) -> None:
    for column, id_ in [
        (pa.array([2**64 - 1], pa.uint64()), str(2**64 - 1)),
        (pa.array([b"abc"], pa.binary()), "abc"),
        (pa.array([uuid.UUID(int=7).bytes], pa.uuid()), str(uuid.UUID(int=7))),
    ]:
        [seen] = await touchpoints_of(tmp_path, who=column)
        assert seen.anonymous_id == id_


def test_a_file_without_rows_has_none(tmp_path: Path) -> None:
    empty = pa.table({"who": pa.array([], pa.string()), "at": pa.array([], pa.timestamp("ns"))})
    for table in (empty, pa.table({})):
        parquet.write_table(table, tmp_path / "a.parquet")
        assert list(rows_of(tmp_path / "a.parquet", FileFormat())) == []


def test_a_name_that_two_columns_have_is_told(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["who", "who"])
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ImportFailed, match="2 columns are named 'who'"):
        list(rows_of(tmp_path / "a.parquet", FileFormat()))
