"""A file, unpacked whatever its name says, or why it is no table. Shell: opens files."""

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from pipeline.importer.rows import ImportFailed

PACKED = frozenset({".gz", ".bz2", ".xz", ".zip"})
"""Endings behind that of the file itself."""

BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""What reading raises when a packed file is damaged."""

_DEEPEST = 4
"""How often a file may be packed: a server packs what was packed before, nobody five times."""
_HEAD = 512
_TAR = slice(257, 262)
_ZIP = b"PK\x03\x04"
_AS_CSV = "save it as CSV (UTF-8)"
_IMAGE = "an image and no table: export the figures themselves"
_WEB_PAGE = "a web page and no table: was the export behind a login?"
_DATABASE = "export its tables as CSV"
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": "packed with Zstandard: unpack it first, with zstd -d",
    b"7z\xbc\xaf\x27\x1c": "packed with 7-Zip: unpack it first, with 7z x",
    b"rar!\x1a\x07": "packed with RAR: unpack it first, with unrar x",
    b"\x04\x22\x4d\x18": "packed with LZ4: unpack it first, with lz4 -d",
    b"\xff\x06\x00\x00snappy": "packed with Snappy: unpack it first",
    b"\x1f\x9d": "packed with compress: unpack it first, with uncompress",
    b"\xd0\xcf\x11\xe0": f"an Excel workbook: {_AS_CSV}",
    b"%pdf-": "a PDF document and no table: export the figures themselves",
    b"\x89png": _IMAGE,
    b"\xff\xd8\xff": _IMAGE,
    b"gif8": _IMAGE,
    b"{\\rtf": f"a text document and no table: {_AS_CSV}",
    b"sqlite format 3\0": f"an SQLite database: {_DATABASE}",
    b"obj\x01": "an Avro file: convert it to Parquet or JSON lines",
    b"arrow1\0\0": "an Arrow file: convert it to Parquet",
    b"\x7felf": "a program and no table",
    b"-----begin pgp": "encrypted: decrypt it first, with gpg -d",
    b"version https://git-lfs": "a pointer of Git LFS and no table: run git lfs pull",
    b"<!doc": _WEB_PAGE,
    b"<html": _WEB_PAGE,
    b"<table": _WEB_PAGE,
    b"<?xml": f"an XML document and no table: {_AS_CSV}",
}
_UNPACKERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


def what_broke(error: Exception) -> str:
    """Say what is wrong, as the system says it where it was the system that failed."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def once(path: Path, names: Sequence[str]) -> None:
    """Refuse a file in which two columns have one name."""
    [(name, times)] = Counter(names).most_common(1) or [("", 0)]
    if times > 1:
        raise ImportFailed(f"{path}: {times} columns are named {name!r}: rename all but one")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, plain or packed with gzip, bzip2, xz, or as the only one in a zip, even again.

    Raises:
        ImportFailed: it is something else; the text says what to do.
        Any of `BROKEN`, also while it is read.
    """
    with ExitStack() as stack:
        file: Any = stack.enter_context(path.open("rb"))
        for _ in range(_DEEPEST + 1):
            head = file.peek(_HEAD)[:_HEAD]
            _refuse_foreign(path, head)
            inner = _inside(path, file, head, stack)
            if inner is None:
                yield file
                return
            file = stack.enter_context(inner)
        raise ImportFailed(f"{path}: packed more than {_DEEPEST} times: unpack it first")


def _refuse_foreign(path: Path, head: bytes) -> None:
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head[_TAR] == b"ustar":
        raise ImportFailed(f"{path}: an archive: unpack it first, with tar -xf")
    for beginning, what in _FOREIGN.items():
        if begins.startswith(beginning):
            raise ImportFailed(f"{path}: {what}")


def _inside(
    path: Path, file: IO[bytes], head: bytes, stack: ExitStack
) -> AbstractContextManager[Any] | None:
    """Give what is packed in the file; None: it is not packed."""
    for beginning, unpacking in _UNPACKERS.items():
        if head.startswith(beginning):
            unpacked: AbstractContextManager[Any] = unpacking(file)
            return unpacked
    if not head.startswith(_ZIP):
        return None
    archive = stack.enter_context(zipfile.ZipFile(file))
    return archive.open(_only(path, archive))


def _only(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    names = {entry.filename for entry in entries}
    if any(name.startswith("xl/") for name in names):
        raise ImportFailed(f"{path}: an Excel workbook: {_AS_CSV}")
    if any(name.startswith(("content.xml", "word/", "Index/")) for name in names):
        raise ImportFailed(f"{path}: an office document: {_AS_CSV}")
    entries = [entry for entry in entries if not entry.filename.startswith("__MACOSX/")]
    if len(entries) != 1:
        raise ImportFailed(f"{path}: a zip with {len(entries):,} files: unpack it and import those")
    if entries[0].flag_bits & 1:
        raise ImportFailed(f"{path}: a zip with a password: unpack it first")
    return entries[0]
