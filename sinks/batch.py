"""PURE: the content of one flush, and how a batch with a bad row is split."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple


class Row(NamedTuple):
    """A record's value and its offset."""

    value: bytes
    source: str
    offset: int
    timestamp_ms: int


@dataclass
class Batch:
    """Rows by table since the last flush, and how far each topic-partition is read with them.

    `after` is when the batch before was flushed, in seconds; None: there was none.
    """

    tables: dict[str, list[Row]] = field(default_factory=dict)
    positions: dict[tuple[str, int], int] = field(default_factory=dict)
    began_at: float | None = None
    after: float | None = None

    def add(self, table: str, topic: str, partition: int, rows: Sequence[Row], now: float) -> None:
        """Take `rows` of one topic-partition, in order; `now` in seconds starts the batch's age."""
        self.tables.setdefault(table, []).extend(rows)
        self.positions[topic, partition] = rows[-1].offset + 1
        if self.began_at is None:
            self.began_at = now

    def is_due(self, now: float, most_rows: int, longest_seconds: float) -> bool:
        """Tell whether it is time to flush: full by size or by age.

        Flushes are `longest_seconds` apart. After a longer silence a batch waits a tenth of that.
        """
        if self.began_at is None:
            return False
        rows = sum(len(rows) for rows in self.tables.values())
        since = self.began_at if self.after is None else self.after
        is_old = now - since >= longest_seconds and now - self.began_at >= longest_seconds / 10
        return rows >= most_rows or is_old


def token_of(table: str, rows: Iterable[Row]) -> str:
    """Name an insert by its content: equal rows give the same token, other rows never do."""
    digest = blake2b(table.encode(), digest_size=16)
    for row in rows:
        digest.update(b"\n" + row.value)
    return digest.hexdigest()


def halves(rows: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
    """Split a batch to find its bad row."""
    middle = len(rows) // 2
    return rows[:middle], rows[middle:]
