"""The result of an import's files: touchpoints in order, and dead letters. PURE: no files."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

import msgspec

from pipeline.importer import access_log
from pipeline.importer.columns import columns_found
from pipeline.importer.mapping import Mapping, wanted_names
from pipeline.importer.marks import Marks
from pipeline.importer.rows import (
    ImportFailed,
    Row,
    RowIds,
    Unreadable,
    instant_of,
    names_in,
    touchpoint_of,
)
from pipeline.privacy.masking import USUAL, Masks
from schemas.codec import Refused, encode
from schemas.dead_letter import DeadLetter, Reason, dead_letter
from schemas.topics import record_key
from schemas.touchpoint import Touchpoint, visitor_of

LARGEST_HARVEST = 1_000_000
"""Most rows of one import: all are in memory, some 1.5 kB each, to be sorted over all files."""

LARGEST_ROW = 128 * 1024
"""Most bytes of a row: quoted in a dead letter, it still fits into a Kafka record."""


class Outgoing(NamedTuple):
    """A touchpoint on its way into `touchpoints.raw`."""

    occurred_at: datetime
    key: bytes
    value: bytes


def outgoing_of(touchpoint: Touchpoint, masks: Masks = USUAL) -> Outgoing:
    """Prepare a touchpoint for sending, without the properties its site does not keep.

    Raises:
        Refused: it is too large for a record, or nested too deeply.
    """
    masks.cover(touchpoint)
    value = encode(touchpoint)
    if len(value) > LARGEST_ROW:
        raise Refused(Reason.TOO_LARGE, f"{len(value):,} bytes, at most {LARGEST_ROW:,}")
    visitor_id = visitor_of(touchpoint.anonymous_id, touchpoint.user_id)
    return Outgoing(touchpoint.occurred_at, record_key(touchpoint.site, visitor_id), value)


class _Refusal(NamedTuple):
    position: int
    raw: bytes
    reason: Reason
    detail: str
    at: datetime | None


@dataclass
class _File:
    name: str
    ids: RowIds
    places: Counter[int] = field(default_factory=Counter)
    rows: int = 0
    first: datetime | None = None
    last: datetime | None = None
    trend: int = 0
    refusals: list[_Refusal] = field(default_factory=list)

    @property
    def is_falling(self) -> bool:
        """Whether the newest row is the first, as far as the rows so far show."""
        return self.trend < 0

    def follow(self, at: datetime) -> None:
        """Note the time of a row, and whether it is after the previous one."""
        if self.last and at != self.last:
            self.trend += 1 if at > self.last else -1
        self.last = at
        self.first = min(self.first or at, at)

    def place_of(self, touchpoint: Touchpoint) -> int:
        """Count the earlier rows of the file with the same visitor and time.

        So the order of the file is kept, and it is the same if the rows are split into other files,
        unless the split separates rows of one visitor with the same time.
        """
        visitor_id = visitor_of(touchpoint.anonymous_id, touchpoint.user_id)
        group = hash((visitor_id, touchpoint.occurred_at))
        self.places[group] += 1
        return self.places[group] - 1


def _first_refusal(file: _File) -> str:
    if not file.refusals:
        return ""
    first = file.refusals[0]
    return f"row {first.position:,} of {file.name}: {first.detail}"


class FileOutcome(NamedTuple):
    """The result of a file's rows: how many were refused, by reason, and the first one."""

    name: str
    rows: int
    refused: Counter[Reason]
    first_refusal: str


class Plan:
    """All rows of an import, before the first is sent."""

    def __init__(
        self,
        mapping: Mapping,
        site: str,
        now: datetime,
        most_rows: int = LARGEST_HARVEST,
        masks: Masks = USUAL,
    ) -> None:
        self._mapping = mapping
        self._site = site
        self._now = now
        self._most_rows = most_rows
        self._masks = masks
        self._files: list[_File] = []
        self._missing = wanted_names(mapping)
        self._marks = Marks(mapping)
        self._outgoing: list[Outgoing] = []
        self._has_read = False
        self._columns: tuple[str, ...] = ()
        self.rows = 0

    def open(self, name: str) -> None:
        """Begin the file `name`: the rows that follow are its rows."""
        self._files.append(_File(name, RowIds(self._mapping)))

    def add(self, row: Row | Unreadable) -> None:
        """Take the next row of the file that was opened last.

        Raises:
            ImportFailed: there are more than `most_rows`.
        """
        file = self._files[-1]
        file.rows += 1
        self.rows += 1
        if self.rows > self._most_rows:
            raise ImportFailed(
                f"more than {self._most_rows:,} rows: import them in several runs, oldest first"
            )
        if isinstance(row, Unreadable):
            self._columns = self._columns or row.columns
            file.refusals.append(_Refusal(file.rows, row.raw, row.reason, row.detail, at=None))
        else:
            self._add(file, row)

    def in_order(self) -> list[Outgoing]:
        """Give all touchpoints by time; at equal times in the order of the files and their rows.

        Raises:
            ImportFailed: there is not a single one.
        """
        if not self._outgoing:
            raise ImportFailed(self._why_nothing())
        return sorted(self._outgoing, key=attrgetter("occurred_at"))

    def outcomes(self) -> list[FileOutcome]:
        """Give the result of each file's rows."""
        return [
            FileOutcome(
                file.name,
                file.rows,
                Counter(refusal.reason for refusal in file.refusals),
                _first_refusal(file),
            )
            for file in self._files
        ]

    def unknown(self) -> list[str]:
        """Name what the mapping names and no row has, of rows that could be read."""
        return list(map(str, self._missing)) if self._has_read else []

    def doubts(self) -> list[str]:
        """Say which amounts were probably misread."""
        return self._marks.doubts()

    def letters(self) -> list[DeadLetter]:
        """Give the refused rows; one without a time has that of its file."""
        first = min(file.first for file in self._files if file.first)
        return [
            self._letter(file.name, refusal, refusal.at or file.first or first)
            for file in self._files
            for refusal in file.refusals
        ]

    def _add(self, file: _File, row: Row) -> None:
        self._look_for_names(row)
        self._marks.look(row)
        row = {name: cell for name, cell in row.items() if name not in self._mapping.leave_out}
        at: datetime | None
        try:
            outgoing = self._read(file, row, file.ids.next(row))
            self._outgoing.append(outgoing)
            at = outgoing.occurred_at
        except Refused as refused:
            at = instant_of(row, self._mapping, self._now, file.last, is_falling=file.is_falling)
            raw = msgspec.json.encode(row)
            file.refusals.append(_Refusal(file.rows, raw, refused.reason, refused.detail, at))
        if at:
            file.follow(at)

    def _look_for_names(self, row: Row) -> None:
        self._has_read = True
        self._columns = self._columns or tuple(row)
        if self._missing:
            is_in = names_in(row, self._mapping)
            self._missing = [one for one in self._missing if not any(map(is_in, one.names))]

    def _read(self, file: _File, row: Row, row_id: str) -> Outgoing:
        touchpoint = touchpoint_of(
            row,
            self._mapping,
            site=self._site,
            row_id=row_id,
            now=self._now,
            after=file.last,
            is_falling=file.is_falling,
        )
        if not self._mapping.columns.sequence:
            touchpoint.sequence = file.place_of(touchpoint)
        return outgoing_of(touchpoint, self._masks)

    def _letter(self, name: str, refusal: _Refusal, at: datetime) -> DeadLetter:
        return dead_letter(
            refusal.raw[:LARGEST_ROW],
            site=self._site,
            stage="import",
            reason=refusal.reason,
            detail=refusal.detail,
            source=name,
            position=refusal.position,
            at=at,
        )

    def _told_missing(self) -> str:
        if not self.unknown():
            return ""
        return f"It names what no row has: {'; '.join(self.unknown())}. "

    def _why_nothing(self) -> str:
        refusals = [refusal for file in self._files for refusal in file.refusals]
        if not refusals:
            return "the files hold no rows"
        first = next(filter(None, map(_first_refusal, self._files)))
        counts = Counter(refusal.reason.value for refusal in refusals).most_common()
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in counts)
        return (
            f"none of {self.rows:,} rows can be used ({reasons}; the first: {first}). "
            f"{self._what_it_may_be()} {self._told_missing()}Nothing was sent."
        )

    def _what_it_may_be(self) -> str:
        if self._mapping.columns == access_log.MAPPING.columns:
            return "Are the files access logs?"
        return "Does the mapping fit the files?" + columns_found(self._columns)
