"""Rows of a file with the columns of others that have the same key. Shell: reads those files."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pipeline.importer.mapping import FileFormat, Join, Mapping
from pipeline.importer.rows import Row, Unreadable

Read = Callable[[Path, FileFormat], Iterator[Row | Unreadable]]


def joined(
    rows: Iterable[Row | Unreadable], mapping: Mapping, folder: Path, read: Read
) -> Iterator[Row | Unreadable]:
    """Add to `rows` the columns of the joined files in `folder`.

    A row's own columns are not overwritten. If several rows have the same key, the last one counts.

    Raises:
        ImportFailed: such a file cannot be read.
    """
    tables = [(join, _table(join, mapping, folder, read)) for join in mapping.join]
    for row in rows:
        if isinstance(row, Unreadable):
            yield row
            continue
        for join, table in tables:
            row = {**table.get(str(row.get(join.on)), {}), **row}  # noqa: PLW2901
        yield row


def _table(join: Join, mapping: Mapping, folder: Path, read: Read) -> dict[str, Row]:
    key = join.key or join.on
    rows = read(folder / join.file, mapping.file)
    return {str(row[key]): row for row in rows if isinstance(row, dict) and key in row}
