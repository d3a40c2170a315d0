"""A file, unpacked whatever its name says, or why it is no table. Shell: opens files."""

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from pipeline.importer.rows import ImportFailed

PACKED = frozenset({".gz", ".bz2", ".xz", ".zip"})
"""Endings behind that of the file itself."""

BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""What reading raises when a packed file is damaged."""

_ZIP = b"PK\x03\x04"
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": "packed with Zstandard: unpack it first, with zstd -d",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save it as CSV (UTF-8)",
    b"<!doc": "a web page and no table: was the export behind a login?",
    b"<html": "a web page and no table: was the export behind a login?",
}


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
    """Open a file, plain or packed with gzip, bzip2, xz, or as the only one in a zip.

    Raises:
        ImportFailed: it is something else; the text says what to do.
        Any of `BROKEN`, also while it is read.
    """
    with path.open("rb") as file:
        head = file.read(6)
        file.seek(0)
        for beginning, what in _FOREIGN.items():
            if head.lower().startswith(beginning):
                raise ImportFailed(f"{path}: {what}")
        with _unpacked(path, file, head) as unpacked:
            yield unpacked


@contextmanager
def _unpacked(path: Path, file: IO[bytes], head: bytes) -> Iterator[IO[bytes]]:
    if head.startswith(b"\x1f\x8b"):
        with gzip.open(file) as unpacked:
            yield cast("IO[bytes]", unpacked)
    elif head.startswith(b"BZh"):
        with bz2.open(file) as unpacked:
            yield cast("IO[bytes]", unpacked)
    elif head.startswith(b"\xfd7zXZ"):
        with lzma.open(file) as unpacked:
            yield cast("IO[bytes]", unpacked)
    elif head.startswith(_ZIP):
        with zipfile.ZipFile(file) as archive, archive.open(_only(path, archive)) as unpacked:
            yield unpacked
    else:
        yield file


def _only(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if any(entry.filename.startswith("xl/") for entry in entries):
        raise ImportFailed(f"{path}: an Excel workbook: save it as CSV (UTF-8)")
    if len(entries) != 1:
        raise ImportFailed(f"{path}: a zip with {len(entries):,} files: unpack it and import those")
    if entries[0].flag_bits & 1:
        raise ImportFailed(f"{path}: a zip with a password: unpack it first")
    return entries[0]
