"""PURE: what waits for a table, when it is due, and how a batch with a bad row is split."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import inf
from typing import NamedTuple

from schemas.topics import Headers


class Row(NamedTuple):
    """A record's value, where it stands, and its headers."""

    value: bytes
    source: str
    offset: int
    timestamp_ms: int
    headers: Headers = ()


@dataclass
class Batch:
    """Rows of a table since its last flush, and how far each topic-partition is read with them.

    `after` is when the batch before was flushed, in seconds; None: there was none.
    """

    rows: list[Row] = field(default_factory=list)
    positions: dict[tuple[str, int], int] = field(default_factory=dict)
    began_at: float | None = None
    after: float | None = None

    def add(self, topic: str, partition: int, rows: Sequence[Row], now: float) -> None:
        """Take `rows` of one topic-partition, in order; `now` in seconds starts the batch's age."""
        self.rows.extend(rows)
        self.positions[topic, partition] = rows[-1].offset + 1
        if self.began_at is None:
            self.began_at = now

    def due_at(self, longest_seconds: float) -> float:
        """Return the second in which it is time to flush; an empty batch never is.

        Flushes are `longest_seconds` apart. After a longer silence a batch waits a tenth of that.
        """
        if self.began_at is None:
            return inf
        since = self.began_at if self.after is None else self.after
        return max(since + longest_seconds, self.began_at + longest_seconds / 10)


def due(
    batches: Mapping[str, Batch], now: float, most_rows: int, longest_seconds: float
) -> list[str]:
    """Name the tables to flush: those whose time has come, or all when many rows wait.

    Each table has its own pace: what comes of a touchpoint later does not wait because the
    touchpoint itself was just written.
    """
    if sum(len(batch.rows) for batch in batches.values()) >= most_rows:
        return [table for table, batch in batches.items() if batch.rows]
    return [table for table, batch in batches.items() if now >= batch.due_at(longest_seconds)]


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
