"""The calls of a request become records: touchpoints, and dead letters of what is refused. PURE."""

from dataclasses import dataclass, field

from pipeline.collector.answers import TurnedAway
from pipeline.collector.arrival import Arrival
from pipeline.collector.intake import Intake, calls_in
from pipeline.collector.privacy import masked
from pipeline.records import Record
from schemas.codec import Refused, encode, encode_fact
from schemas.dead_letter import Reason, dead_letter
from schemas.topics import DEAD_LETTERS, RAW, record_key
from schemas.touchpoint import Touchpoint, TouchpointType, visitor_of

LONGEST_PAYLOAD = 32_768
"""Bytes of refused input that a dead letter quotes; even escaped they fit into a Kafka record."""


@dataclass(slots=True)
class Collected:
    """What becomes of a request: records by topic, and the refused calls by their index."""

    arrival: Arrival
    is_batch: bool = False
    records: list[tuple[str, Record]] = field(default_factory=list)
    refused: list[tuple[int, Refused]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """Say how many calls became touchpoints."""
        return len(self.records) - len(self.refused)

    def take(self, index: int, call: bytes, intake: Intake, kind: TouchpointType | None) -> None:
        """Make a touchpoint of `call`, or a dead letter."""
        try:
            touchpoint = intake.touchpoint(call, self.arrival, kind)
        except Refused as why:
            self.refuse(index, call, why)
        else:
            self.keep(touchpoint)

    def keep(self, touchpoint: Touchpoint) -> None:
        """Make a record of `touchpoint`."""
        visitor_id = visitor_of(touchpoint.anonymous_id, touchpoint.user_id)
        self._add(RAW.name, record_key(touchpoint.site, visitor_id), encode(touchpoint))

    def refuse(self, index: int, call: bytes, why: Refused) -> None:
        """Make a dead letter of `call`."""
        letter = dead_letter(
            masked(call[:LONGEST_PAYLOAD]),
            site=self.arrival.site,
            stage="collect",
            reason=why.reason,
            detail=why.detail,
            source=self.arrival.site,
            position=index,
            at=self.arrival.received_at,
        )
        self.refused.append((index, why))
        self._add(DEAD_LETTERS.name, letter.site.encode(), encode_fact(letter))

    def _add(self, topic: str, key: bytes, value: bytes) -> None:
        self.records.append((topic, Record(key, value, self.arrival.received_ms)))


def collect(
    payload: bytes, kind: TouchpointType | None, arrival: Arrival, intake: Intake, longest: int
) -> Collected:
    """Take a call of type `kind`, or a batch of at most `longest` calls if that is None.

    The good calls of a batch are taken in spite of the bad ones.

    Raises:
        TurnedAway: the batch is too long.
    """
    collected = Collected(arrival, is_batch=kind is None)
    if kind is not None:
        collected.take(0, payload, intake, kind)
        return collected
    try:
        calls, arrival.sent_at = calls_in(payload)
    except Refused as why:
        collected.is_batch = False
        collected.refuse(0, payload, why)
        return collected
    if len(calls) > longest:
        raise TurnedAway(Reason.TOO_LARGE, f"{len(calls)} events; a batch has {longest} at most")
    for index, call in enumerate(calls):
        collected.take(index, call, intake, None)
    return collected
