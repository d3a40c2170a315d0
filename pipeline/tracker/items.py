"""PURE: one record on its way through the steps."""

import msgspec

from pipeline.journey.messages import Erasure, Message, Rebuild, decode_message
from pipeline.journey.state import Evidence
from schemas.codec import Refused, Tick
from schemas.dead_letter import Reason
from schemas.touchpoint import Enrichment, Touchpoint

LARGEST = 128 * 1024
"""Bytes of a touchpoint. In a dead letter they may become six times as many, and Kafka refuses a
record of more than a megabyte for ever."""


class DecodedItem(msgspec.Struct, gc=False):
    """A touchpoint as it was read; `at` is its `occurred_at` in milliseconds.

    One that the `rebuild` of that name tells again has its `place`, the first offset it stood at.
    """

    offset: int
    recorded_at: int
    at: int
    key: bytes
    visitor_id: str
    touchpoint: Touchpoint
    rebuild: int = 0
    place: int | None = None


class Item(msgspec.Struct, gc=False):
    """A touchpoint with what its own strings tell."""

    offset: int
    recorded_at: int
    key: bytes
    visitor_id: str
    touchpoint: Touchpoint
    enrichment: Enrichment
    evidence: Evidence
    identifiers: tuple[str, ...]
    rebuild: int = 0
    place: int | None = None
    is_written: bool = True


class TickItem(msgspec.Struct):
    """Time on its way."""

    offset: int
    tick: Tick


class MessageItem(msgspec.Struct):
    """What another partition says about people, on its way."""

    offset: int
    message: Message

    @property
    def is_for_all_time(self) -> bool:
        """Whether it is not said again when the log is read again."""
        return isinstance(self.message, Erasure | Rebuild)


def read_message(line: bytes) -> Message:
    """Decode what another partition says; Refused if it cannot be read."""
    try:
        return decode_message(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.INVALID_FIELD, str(error)) from None
