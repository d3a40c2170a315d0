"""Rows out of files."""

import bz2
import gzip
import io
import lzma
import sys
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pipeline.importer.files import rows_of
from pipeline.importer.mapping import FileFormat
from pipeline.importer.rows import ImportFailed, Row, Unreadable
from schemas.dead_letter import Reason

Pack = Callable[[bytes], bytes]


def rows(path: Path, content: bytes, **written: str) -> list[Row | Unreadable]:
    path.write_bytes(content)
    return list(rows_of(path, FileFormat.model_validate(written)))


def failure(path: Path, content: bytes, **written: str) -> str:
    with pytest.raises(ImportFailed) as failed:
        rows(path, content, **written)
    return str(failed.value)


# --- CSV -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.CSV", "a.txt"])
def test_csv_is_read_plain_or_gzip_whatever_its_name_says(
    tmp_path: Path, pack: Pack, name: str
) -> None:
    content = pack(b'a,b\n1,"x,\n""y"""\n2,\n')
    assert rows(tmp_path / name, content) == [{"a": "1", "b": 'x,\n"y"'}, {"a": "2", "b": ""}]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert rows(tmp_path / "a.csv", "\ufeffa\n1\n".encode()) == [{"a": "1"}]


def test_delimiter_and_encoding_are_as_the_mapping_says(tmp_path: Path) -> None:
    content = "name;city\nJürgen;Köln\n".encode("cp1252")
    expected = [{"name": "Jürgen", "city": "Köln"}]
    assert rows(tmp_path / "a.csv", content, delimiter=";", encoding="cp1252") == expected


def test_columns_lined_up_with_blanks_are_columns(tmp_path: Path) -> None:
    content = b" id  day   sum\r\n 00001 19970101  11.77\r\n"
    expected = [{"id": "00001", "day": "19970101", "sum": "11.77"}]
    assert rows(tmp_path / "a.txt", content, delimiter=" ") == expected


def test_empty_lines_are_no_rows(tmp_path: Path) -> None:
    assert rows(tmp_path / "a.csv", b"a\n\n1\n\n") == [{"a": "1"}]


@pytest.mark.parametrize("content", [b"", b"a,b\n"])
def test_a_file_without_rows_has_none(tmp_path: Path, content: bytes) -> None:
    assert rows(tmp_path / "a.csv", content) == []


def test_a_row_of_another_length_is_unreadable_and_the_next_is_read(tmp_path: Path) -> None:
    assert rows(tmp_path / "a.csv", b"a,b\n1\n1,2,3\n1,2\n") == [
        Unreadable(b'["1"]', Reason.INVALID_FIELD, "1 cells under 2 columns", ("a", "b")),
        Unreadable(b'["1","2","3"]', Reason.INVALID_FIELD, "3 cells under 2 columns", ("a", "b")),
        {"a": "1", "b": "2"},
    ]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a,a\n1,2\n", "2 columns are named 'a': rename all but one"),
        (b'a\n"never closed\n1\n', "line 2: a quote begins there that is not closed"),
        (b"a\n\xff\n", "codec can't decode byte 0xff"),
        (gzip.compress(b"a\n1\n", mtime=0)[:-9], "end-of-stream marker"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "a.csv"
    assert str(path) in failure(path, content)
    assert complaint in failure(path, content)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match=r"absent\.csv"):
        list(rows_of(tmp_path / "absent.csv", FileFormat()))


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no encoding 'latin-99'"):
        rows(tmp_path / "a.csv", b"a\n1\n", encoding="latin-99")


def test_a_name_that_tells_no_format_needs_the_mapping_to_tell_it(tmp_path: Path) -> None:
    assert 'set file.kind = "csv"' in failure(tmp_path / "a.dat", b"a\n1\n")
    assert rows(tmp_path / "a.dat", b"a\n1\n", kind="csv") == [{"a": "1"}]


# --- JSON lines ----------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson.gz", "a.json"])
def test_json_lines_keep_their_types(tmp_path: Path, pack: Pack, name: str) -> None:
    content = pack(b'{"a":1,"b":{"c":[true,null]}}\n\n{"a":"x"}')
    assert rows(tmp_path / name, content) == [{"a": 1, "b": {"c": [True, None]}}, {"a": "x"}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":', Reason.NOT_JSON),
        (b'{"a":"\xff}', Reason.NOT_JSON),
        (b"[" * 100_000, Reason.NOT_JSON),
        (b"[1]", Reason.NOT_AN_OBJECT),
        (b'"a"', Reason.NOT_AN_OBJECT),
    ],
)
def test_a_line_that_is_no_object_is_unreadable_and_the_next_is_read(
    tmp_path: Path, line: bytes, reason: Reason
) -> None:
    unreadable, row = rows(tmp_path / "a.jsonl", line + b'\n{"a":1}\n')
    assert isinstance(unreadable, Unreadable)
    assert (unreadable.raw, unreadable.reason, row) == (line, reason, {"a": 1})


# --- Parquet -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", ["a.parquet", "a.parquet.gz"])
def test_parquet_keeps_its_types(tmp_path: Path, pack: Pack, name: str) -> None:
    moment = datetime(2025, 3, 1, tzinfo=UTC)
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table({"n": [1, None], "at": [moment, moment]}), sink)
    expected = [{"n": 1, "at": moment}, {"n": None, "at": moment}]
    assert rows(tmp_path / name, pack(sink.getvalue().to_pybytes())) == expected


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    assert "not a Parquet file" in failure(tmp_path / "a.parquet", b"a,b\n")


def test_without_pyarrow_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "pip install 'touchstream[parquet]'" in failure(tmp_path / "a.parquet", b"PAR1")


def test_without_pyarrow_everything_else_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert rows(tmp_path / "a.csv", b"a\n1\n") == [{"a": "1"}]


# --- what other programs write -----------------------------------------------------------------


def test_a_byte_order_mark_before_json_lines_loses_no_row(tmp_path: Path) -> None:
    content = '\ufeff{"a":1}\n{"a":2}\n'.encode()
    assert rows(tmp_path / "a.jsonl", content) == [{"a": 1}, {"a": 2}]


def test_a_cell_that_is_too_large_for_a_touchpoint_is_a_row_all_the_same(tmp_path: Path) -> None:
    content = b"a,b\n1," + b"x" * 140_000 + b"\n2,y\n"
    assert [row["a"] for row in rows(tmp_path / "a.csv", content) if isinstance(row, dict)] == [
        "1",
        "2",
    ]


def test_parquets_nanoseconds_are_read(tmp_path: Path) -> None:
    moment = datetime(2025, 3, 1, 12, tzinfo=UTC)
    table = pa.table({"at": pa.array([moment], pa.timestamp("ns", "UTC")), "a": [1]})
    parquet.write_table(table, tmp_path / "a.parquet")
    [row] = rows_of(tmp_path / "a.parquet", FileFormat())
    assert row == {"at": moment, "a": 1}


# --- as programs write them ----------------------------------------------------------------------

ROW = [{"who": "ada", "what": "x"}]


def gzipped(content: bytes) -> bytes:
    """Pack it; without the time, which would give the test another name in each process."""
    return gzip.compress(content, mtime=0)


def zipped(content: bytes, name: str = "export.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "written"),
    [
        (b"who;what\nada;x\n", {}),
        (b"who\twhat\nada\tx\n", {}),
        (b"who|what\nada|x\n", {}),
        (b"sep=;\r\nwho;what\r\nada;x\r\n", {}),
        (b'"sep=;"\nwho;what\nada;x\n', {"delimiter": ","}),
        ("who,what\nada,x\n".encode("utf-16"), {}),
        (b"\xef\xbb\xbfwho,what\nada,x\n", {"encoding": "UTF8"}),
        (b"who, what \nada,x\n", {}),
        (b"who,what,,\nada,x,,\n", {}),
        (b"who,what\nada,x,,\n", {}),
        (b"who,what\nada,x\n,\n", {}),
        (b"who,what\rada,x\r", {}),
        (b"who,what\r\nada,x\n\x1a", {}),
        (b"# -----\n# Report of January\n\nwho,what\nada,x\n", {}),
        (zipped(b"who,what\nada,x\n"), {}),
        (bz2.compress(b"who,what\nada,x\n"), {}),
        (lzma.compress(b"who,what\nada,x\n"), {}),
        (gzipped(gzipped(b"who,what\nada,x\n")), {}),
        (zipped(gzipped(b"who,what\nada,x\n"), "a.csv.gz"), {}),
        (gzipped(zipped(b"who,what\nada,x\n")), {}),
        ("who,what\nada,x\n".encode("utf-16"), {"encoding": "cp1252"}),
        (b"\xef\xbb\xbfwho,what\nada,x\n", {"encoding": "cp1252"}),
    ],
)
def test_a_table_is_read_as_usual_programs_write_it(
    tmp_path: Path, content: bytes, written: dict[str, str]
) -> None:
    found = rows(tmp_path / "a.csv", content, **written)
    assert [{k: v for k, v in row.items() if v} for row in found if isinstance(row, dict)] == ROW
    assert len(found) == 1


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
@pytest.mark.parametrize(
    "content",
    [
        b'[{"who": "ada", "what": "x"}]',
        b'[\n  {\n  "who": "ada",\n "what": "x"\n}\n]\n',
        b'{\n"who": "ada",\n"what": "x"\n}\n',
        b'{"who": "ada", "what": "x"},\n',
        b'[{"who": "ada", "what": "x"}\n]',
        b'[\n{"who": "ada", "what": "x"},\n]',
        b'  [ {"who":\n "ada", "what": "x"}',
        b'\x1e{"who": "ada", "what": "x"}\n',
        '{"who": "ada", "what": "x"}\n'.encode("utf-16"),
        b'\xef\xbb\xbf[{"who": "ada", "what": "x"}]',
    ],
)
def test_json_is_read_as_lines_as_an_array_and_as_one_row(
    tmp_path: Path, name: str, content: bytes
) -> None:
    assert rows(tmp_path / name, content) == ROW


def test_a_row_with_a_broken_quote_costs_no_other(tmp_path: Path) -> None:
    content = b'who,what\nada,"x" y\nbob,"x \\"y"\neve,x\n'
    first, second, third = rows(tmp_path / "a.csv", content)
    assert isinstance(first, Unreadable)
    assert isinstance(second, Unreadable)
    assert (first.raw, first.detail[:7]) == (b'ada,"x" y\n', "line 2:")
    assert third == {"who": "eve", "what": "x"}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.xlsx", zipped(b"", "xl/workbook.xml"), "save it as CSV"),
        ("a.xls", b"\xd0\xcf\x11\xe0" * 9, "save it as CSV"),
        ("a.csv", b"<html><body>Sign in</body></html>", "behind a login"),
        ("a.csv.zst", b"\x28\xb5\x2f\xfd" * 9, "zstd -d"),
        ("a.csv", b"PK\x03\x04broken", "not a zip file"),
        ("a.csv", "who,what\nada,Übung\n".encode("cp1252"), 'such as "cp1252"'),
        ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(99), "an image"),
        ("a.csv", b"\xff\xd8\xff\xe0" + bytes(99), "an image"),
        ("a.json", b"%PDF-1.7\n", "a PDF document"),
        ("a.csv.gz", gzipped(b"%PDF-1.7\n"), "a PDF document"),
        ("a.tgz", gzipped(b"a.csv".ljust(257, b"\0") + b"ustar" + bytes(250)), "tar -xf"),
        ("a.csv", b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        ("a.csv", b"SQLite format 3\0", "SQLite"),
        ("a.csv", b"Obj\x01avro", "Avro"),
        ("a.csv", b"\xef\xbb\xbf<?xml version='1.0'?>", "XML"),
        ("a.csv", b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        ("a.ods", zipped(b"", "content.xml"), "an office document"),
        ("a.csv", bytes(range(256)) * 9, "bytes that no text has"),
        ("a.dat", b"\x89PNG\r\n", "an image"),
        ("a.csv", lzma.compress(b"who,what\nada,x\n")[:-9], "a.csv: "),
    ],
)
def test_what_is_no_table_says_what_it_is_and_what_to_do(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    assert says in failure(tmp_path / name, content)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_known_with_and_without_its_mark(tmp_path: Path, encoding: str) -> None:
    assert rows(tmp_path / "a.csv", "a;b\n1;2\n".encode(encoding)) == [{"a": "1", "b": "2"}]
    assert rows(tmp_path / "a.jsonl", '{"a": 1}\n'.encode(encoding)) == [{"a": 1}]


def test_what_stands_in_quotes_is_no_delimiter(tmp_path: Path) -> None:
    table = b'a;b;"price, net, in EUR, per piece"\n1;2;3\n'
    [row] = rows(tmp_path / "a.csv", table)
    assert row == {"a": "1", "b": "2", "price, net, in EUR, per piece": "3"}


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ('"=""00123"""', "00123"),
        ("'00123", "00123"),
        ("'-5,00", "-5,00"),
        ("'=1+1", "=1+1"),
        ("'@home", "@home"),
        *(("'90s rock", "'90s rock"), ("it's", "it's"), ("'", "'"), ("=1+1", "=1+1"), ("=", "=")),
    ],
)
def test_what_excel_was_told_not_to_compute_is_its_text(
    tmp_path: Path, cell: str, read: str
) -> None:
    assert rows(tmp_path / "a.csv", f"a;b\n{cell};2\n".encode()) == [{"a": read, "b": "2"}]


@pytest.mark.parametrize(
    ("encoding", "content", "likely"),
    [
        ("utf-8", "a\nÜ\n".encode("cp1252"), "cp1252"),
        ("utf-8", b"a\n\x81\xe9\n", "latin-1"),
        ("ascii", "a\nÜ\n".encode(), "utf-8"),
        ("cp1252", b"a\n\xc3\x81\n", "utf-8"),
    ],
)
def test_the_encoding_that_is_advised_is_one_that_fits(
    tmp_path: Path, encoding: str, content: bytes, likely: str
) -> None:
    assert f'such as "{likely}"' in failure(tmp_path / "a.csv", content, encoding=encoding)


def test_what_is_packed_again_and_again_is_refused(tmp_path: Path) -> None:
    content = b"who\nada\n"
    for _ in range(4):
        content = gzip.compress(content)
    assert rows(tmp_path / "a.csv", content) == [{"who": "ada"}]
    assert "packed more than 4 times" in failure(tmp_path / "a.csv", gzip.compress(content))


def test_a_parquet_file_is_known_by_its_content(tmp_path: Path) -> None:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table({"a": [1]}), sink)
    assert rows(tmp_path / "a.csv", sink.getvalue().to_pybytes()) == [{"a": 1}]


# --- JSON that is not one row per line -----------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b'{"n": 1}{"n": 2}',
        b'{\n "n": 1\n}\n{\n "n": 2\n}\n',
        b'[{"n": 1}]\n[{"n": 2}]',
        b'[{"n": 1}, {"n": 2}',
        b'\xef\xbb\xbf[\n  {"n": 1}\n  , {"n": 2}\n]\n',
        '[{"n": 1}, {"n": 2}]'.encode("utf-16"),
    ],
)
def test_objects_one_after_the_other_are_rows(tmp_path: Path, content: bytes) -> None:
    assert rows(tmp_path / "a.json", content) == [{"n": 1}, {"n": 2}]


def test_what_is_broken_between_objects_costs_its_line(tmp_path: Path) -> None:
    content = b'[\n{"n": 1},\n{"n": oops},\n{"n": 2}, ["x"], 5,\n{"n": "\\ud83d"}\n]'
    first, broken, second, array, number, cut = rows(tmp_path / "a.json", content)
    assert [first, second, cut] == [{"n": 1}, {"n": 2}, {"n": "\ufffd"}]
    assert [isinstance(one, Unreadable) and one.raw for one in (broken, array, number)] == [
        *(b'{"n": oops},', b'["x"]', b"5"),
    ]


def test_a_long_array_is_read_entry_by_entry(tmp_path: Path) -> None:
    entries = ",".join(f'{{"n": {number}, "text": "{"ü" * 500}"}}' for number in range(2_000))
    (tmp_path / "a.json").write_text(f"[{entries}]")
    tracemalloc.start()
    count = sum(1 for _ in rows_of(tmp_path / "a.json", FileFormat()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (count, peak < 50_000_000) == (2_000, True)


# --- names of columns ----------------------------------------------------------------------------

NAMES = [
    "Größe Preis",
    unicodedata.normalize("NFD", "Größe Preis"),
    "\ufeffGröße Preis",
    "Größe\u00a0Preis",
    " Größe  Preis\u202f",
    "Größe\u00adPreis".replace("\u00ad", " \u00ad"),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_column_is_found_however_its_name_is_encoded(tmp_path: Path, name: str) -> None:
    expected = [{"Größe Preis": "1", "b": "2"}]
    assert rows(tmp_path / "a.csv", f"{name};b\n1;2\n".encode()) == expected
    assert rows(tmp_path / "a.csv", f'"{name}";b\n1;2\n'.encode()) == expected
    assert rows(tmp_path / "a.json", f'{{"{name}": "1", "b": "2"}}'.encode()) == expected
    parquet.write_table(pa.table({name: ["1"], "b": ["2"]}), tmp_path / "a.parquet")
    assert list(rows_of(tmp_path / "a.parquet", FileFormat())) == expected
