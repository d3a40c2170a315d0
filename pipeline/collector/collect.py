"""The events of a request become records: touchpoints, or dead letters of the refused. PURE."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import Struct

from pipeline.collector.answers import Answer, TurnedAway, outcome
from pipeline.collector.arrival import Arrival
from pipeline.collector.circumstances import Held, written
from pipeline.collector.decoding import JsonObject
from pipeline.collector.intake import Intake
from pipeline.collector.request import Request
from pipeline.collector.vocabularies.vocabulary import Outcome, Vocabulary
from pipeline.kafka.records import Record
from pipeline.privacy.masking import USUAL, Masks
from pipeline.values.crawlers import is_crawler
from schemas.codec import Refused, encode, encode_fact
from schemas.dead_letter import Reason, dead_letter
from schemas.topics import DEAD_LETTERS, OVERFLOW, RAW, record_key
from schemas.touchpoint import Touchpoint, TouchpointType, visitor_of

_Kind = TouchpointType | None

LONGEST_PAYLOAD = 32_768
"""Bytes of refused input that a dead letter quotes; even escaped they fit into a Kafka record."""


MOST_TOLD = 10
"""Touchpoints and refusals of a request that are remembered for people who set up an SDK."""


class Told(Struct, frozen=True, gc=False):
    """The fields of a touchpoint that are shown."""

    touchpoint_id: str
    type: str
    name: str
    anonymous_id: str
    user_id: str
    occurred_at: datetime
    is_bot: bool


@dataclass(slots=True)
class Collected:
    """The result of a request: records by topic, and the refused calls by index.

    `told` are the first of its touchpoints, abbreviated; `success` and `outcome` are the answer
    that the SDK expects (`vocabulary.Events`); with `is_diverted`, its touchpoints go to the
    overflow topic.
    """

    arrival: Arrival
    is_batch: bool = False
    masks: Masks = USUAL
    records: list[tuple[str, Record]] = field(default_factory=list)
    refused: list[tuple[int, Refused]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    success: Answer | None = None
    outcome: Outcome | None = None
    is_diverted: bool = False
    _received_ms: int = field(init=False)

    def __post_init__(self) -> None:
        self._received_ms = self.arrival.received_ms  # once, not for each record

    @property
    def accepted(self) -> int:
        """Say how many calls became touchpoints."""
        return len(self.records) - self._faults

    @property
    def is_in_vain(self) -> bool:
        """Say whether nothing was accepted, through the sender's fault."""
        return not self.accepted and self._faults > 0

    @property
    def _faults(self) -> int:
        """Count the refused calls that leave a dead letter."""
        return sum(why.reason is not Reason.NO_CONSENT for _, why in self.refused)

    def answer(self, usual: Answer) -> Answer:
        """Say what became of the calls; `usual` is the answer if all were accepted."""
        if self.outcome:
            return self.outcome(self.refused)
        return outcome(self.is_batch, self.accepted, self.refused, self.success or usual)

    def add(
        self, index: int, event: Any, call: bytes | Refused, intake: Intake, kind: _Kind
    ) -> None:
        """Make a touchpoint of `event`, translated as `call`, or a dead letter.

        The dead letter quotes Segment's call if there is one, so that it can be sent again.
        """
        try:
            if isinstance(call, Refused):
                raise call
            self.keep(intake.touchpoint(call, self.arrival, kind, index))
        except Refused as why:
            if isinstance(call, bytes):
                self.refuse(index, call, why)
            else:
                self.refuse(index, _quoted(event), why, "event")

    def keep(self, touchpoint: Touchpoint) -> None:
        """Make a record of `touchpoint`, without properties its site does not keep; or Refused."""
        self.masks.cover(touchpoint)
        visitor_id = visitor_of(touchpoint.anonymous_id, touchpoint.user_id)
        self._add(RAW.name, record_key(touchpoint.site, visitor_id), encode(touchpoint))
        if len(self.told) < MOST_TOLD:
            self.told.append(_in_short(touchpoint))

    def refuse(self, index: int, call: bytes, why: Refused, holds: Held = "call") -> None:
        """Make a dead letter that `holds` a call or less, unless it must not be kept."""
        self.refused.append((index, why))
        if why.reason is Reason.NO_CONSENT:
            return
        letter = dead_letter(
            self.masks.letter(self.arrival.site, call[:LONGEST_PAYLOAD]),
            site=self.arrival.site,
            stage="collect",
            reason=why.reason,
            detail=why.detail,
            source=self.arrival.site,
            position=index,
            at=self.arrival.received_at,
            request=written(self.arrival, holds),
        )
        self._add(DEAD_LETTERS.name, letter.site.encode(), encode_fact(letter))

    def divert(self) -> None:
        """Send the touchpoints to the overflow topic, where each site has one partition."""
        self.is_diverted = True
        line = self.arrival.site.encode()
        self.records = [
            (OVERFLOW.name, record._replace(key=line)) if topic == RAW.name else (topic, record)
            for topic, record in self.records
        ]

    def _add(self, topic: str, key: bytes, value: bytes) -> None:
        self.records.append((topic, Record(key, value, self._received_ms)))


def _in_short(touchpoint: Touchpoint) -> Told:
    return Told(
        touchpoint.touchpoint_id,
        touchpoint.type,
        touchpoint.name,
        touchpoint.anonymous_id,
        touchpoint.user_id,
        touchpoint.occurred_at,
        is_crawler(touchpoint.user_agent),
    )


def collect(
    request: Request,
    vocabulary: Vocabulary,
    arrival: Arrival,
    intake: Intake,
    longest: int,
    masks: Masks = USUAL,
) -> Collected:
    """Accept the events of a request, at most `longest`.

    Bad events of a batch do not affect the good ones.

    Raises:
        TurnedAway: the batch is too long.
    """
    collected = Collected(arrival, masks=masks)
    try:
        sent = vocabulary.events(request)
    except Refused as why:
        holds: Held = "body" if request.body else "query"
        collected.refuse(0, request.body or request.query.encode(), why, holds)
        return collected
    if len(sent.events) > longest:
        detail = f"{len(sent.events)} events; a batch has {longest} at most"
        raise TurnedAway(Reason.TOO_LARGE, detail, site=arrival.site)
    collected.is_batch, arrival.sent_at = sent.is_batch, sent.sent_at
    collected.success, collected.outcome = sent.success, sent.outcome
    calls = [call_of(event, vocabulary) for event in sent.events]
    if len(calls) > 1 and (sent.sent_at is None or sent.sent_at > arrival.received_at):
        told = (call for call in calls if isinstance(call, bytes))
        arrival.latest = intake.latest(told, arrival.received_at)
    for index, (event, call) in enumerate(zip(sent.events, calls, strict=True)):
        collected.add(index, event, call, intake, vocabulary.kind)
    return collected


def call_of(event: Any, vocabulary: Vocabulary) -> bytes | Refused:
    """Translate an event of `vocabulary` to a call of Segment's, or say why that cannot be."""
    if vocabulary.call is None:
        return bytes(event)
    try:
        return _told(vocabulary.call, event)
    except Refused as why:
        return why


def _told(translate: Callable[[Any], JsonObject], event: Any) -> bytes:
    try:
        return encode(translate(event))
    except RecursionError:
        raise Refused(Reason.TOO_DEEP, "nested too deeply") from None


def _quoted(event: Any) -> bytes:
    try:
        return encode(event)
    except RecursionError:
        return b"(nested too deeply to be quoted)"
