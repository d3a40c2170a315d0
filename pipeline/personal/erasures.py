"""The erasures in the log, and which rows they make void. PURE.

A row is void when it rests on what stands in the log before the erasure of its name. A visitor's
own rows do up to the final message in its partition; those of its person in another partition up to
the first one: from there on nothing older is heard, and nothing newer was said before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from pipeline.journey.messages import Erasure, decode_message, is_message
from pipeline.kafka.records import RawRecord


class Bounds(NamedTuple):
    """The offsets of an erasure in a partition: its first message and its final one."""

    first: int
    final: int


@dataclass
class Erased:
    """An erasure in the log: the names of a site, the time, and its offsets in each partition."""

    site: str
    names: tuple[str, ...]
    at: int
    bounds: dict[int, Bounds] = field(default_factory=dict)


class Erasures:
    """Collects the erasures of a log; one without its final message does not count."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, tuple[str, ...]], Erased] = {}
        self._begun: dict[tuple[int, str, int], int] = {}

    def hear(self, partition: int, record: RawRecord) -> None:
        """Take the next record of a partition, whatever it is."""
        erasure = _read(record.value or b"")
        if erasure is None:
            return
        begun = (partition, erasure.site, erasure.at)
        if not erasure.is_final:
            self._begun.setdefault(begun, record.offset)
            return
        key = (erasure.site, erasure.at, tuple(erasure.names))
        erased = self._found.setdefault(key, Erased(erasure.site, key[2], erasure.at))
        bounds = Bounds(self._begun.get(begun, record.offset), record.offset)
        erased.bounds.setdefault(partition, bounds)

    def all(self) -> list[Erased]:
        """Give what was found, oldest first."""
        return sorted(self._found.values(), key=lambda erased: erased.at)


def erased_in(partitions: Iterable[Iterable[RawRecord]]) -> list[Erased]:
    """Read a whole log, a list of records for each partition."""
    erasures = Erasures()
    for number, records in enumerate(partitions):
        for record in records:
            erasures.hear(number, record)
    return erasures.all()


def _read(value: bytes) -> Erasure | None:
    if not is_message(value):
        return None
    try:
        message = decode_message(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return message if isinstance(message, Erasure) else None
