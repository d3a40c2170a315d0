"""PURE: one record on its way through the steps."""

import msgspec

from pipeline.journey.messages import Erasure, Message, Rebuild, decode_message
from pipeline.journey.state import Evidence
from schemas.codec import Refused, Tick
from schemas.dead_letter import Reason
from schemas.touchpoint import Enrichment, Touchpoint

LARGEST = 128 * 1024
"""Most bytes of a touchpoint. In a dead letter they may grow to six times as many, and Kafka would
refuse a record of more than a megabyte for ever."""


class DecodedItem(msgspec.Struct, gc=False):
    """A touchpoint as it was read; `at` is its `occurred_at` in milliseconds.

    A touchpoint that `rebuild` replays has its `place`, its first offset.
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
    """A touchpoint with what its own fields reveal."""

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
    """A message from another partition about people, on its way."""

    offset: int
    message: Message

    @property
    def is_for_all_time(self) -> bool:
        """Whether it is not sent again when the log is read again."""
        return isinstance(self.message, Erasure | Rebuild)


def read_message(line: bytes) -> Message:
    """Decode a message from another partition; Refused if it is unreadable."""
    try:
        return decode_message(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.INVALID_FIELD, str(error)) from None
