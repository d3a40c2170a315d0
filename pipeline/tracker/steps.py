"""PURE: the way of a chunk of records through the tracker, as a list of named steps.

    decode → enrich → fold → remember → write

`decode` refuses what breaks the contract, `fold` decides each touchpoint's fate (late, duplicate,
sessionised) and hands it to `pipeline.journey`, `remember` closes the visitors touched. Nothing
here does I/O: the result is an `Output` that the shell sends.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import msgspec

from pipeline.journey.clock import DAY_MS, hear_tick, hear_touchpoint, instant
from pipeline.journey.fold import is_late, observe, seal
from pipeline.journey.messages import Erasure, Message, decode_message, is_message
from pipeline.journey.rules import Rules
from pipeline.journey.state import Evidence, is_known
from pipeline.records import Row, partition_for
from pipeline.tracker.circle import Circle, Visitor
from pipeline.tracker.enrich import enrich, read_properties
from pipeline.tracker.exchange import Exchange
from pipeline.tracker.identifiers import read_identifiers
from pipeline.tracker.partition import PERSON, Partition, site_of
from schemas import topics
from schemas.codec import (
    Refused,
    Tick,
    decode_tick,
    decode_touchpoint,
    encode_fact,
    encode_row,
    is_tick,
)
from schemas.dead_letter import Reason, dead_letter
from schemas.facts import Abandonment, Fact, Identity, Link, Session, Transition
from schemas.topics import record_key
from schemas.touchpoint import Enrichment, Touchpoint, visitor_of

LARGEST = 128 * 1024
"""Bytes of a touchpoint. In a dead letter they may become six times as many, and Kafka refuses a
record of more than a megabyte for ever."""

_TOPICS: dict[type[Fact], topics.Topic] = {
    Session: topics.SESSIONS,
    Transition: topics.TRANSITIONS,
    Abandonment: topics.ABANDONMENTS,
    Identity: topics.IDENTITIES,
    Link: topics.LINKS,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_NEWLINE = ord("\n")
_TOUCHPOINT_PREFIX = b'{"touchpoint_id":'
"""How a touchpoint mostly begins, and neither a message nor a tick does."""


class RawRecord(Protocol):
    """A consumed record, as aiokafka gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Item(msgspec.Struct, gc=False):
    """A touchpoint on its way; `enrichment` and `evidence` are filled in by `enrich`."""

    offset: int
    recorded_at: int
    at: int
    key: bytes
    visitor_id: str
    touchpoint: Touchpoint
    enrichment: Enrichment = None  # type: ignore[assignment]
    evidence: Evidence = None  # type: ignore[assignment]
    identifiers: tuple[str, ...] = ()
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
        return isinstance(self.message, Erasure)


@dataclass(slots=True)
class Output:
    """What a chunk came to: records per topic, and each record's fate.

    Facts and `state`, the changelog's entries, come with a checkpoint: those of all chunks since
    the last one, each once, in its newest form. `messages` go to other partitions, by number.
    """

    offset: int
    rows: dict[str, list[Row]] = field(default_factory=dict)
    state: list[Row] = field(default_factory=list)
    messages: dict[int, list[Row]] = field(default_factory=dict)
    fates: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def write(self, topic: topics.Topic, key: bytes | None, value: bytes, at: int) -> None:
        """Note a record for `topic`."""
        self.rows.setdefault(topic.name, []).append((key, value, at))


@dataclass
class Chunk:
    """The work on one chunk of records of one partition, and the steps it goes through."""

    partition: Partition
    rules: Rules
    partitions: int
    records: Sequence[RawRecord]
    output: Output
    now: int = 0
    items: list[Item | TickItem | MessageItem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.circle = Circle(self.partition, self.rules)
        self.exchange = Exchange(self.partition, self.circle, self.rules.limits, self.partitions)

    def decode(self) -> None:
        """Read every line of every record; what breaks the contract becomes a dead letter."""
        for record in self.records:
            self.now = record.timestamp
            if record.offset <= self.partition.offset:
                self.output.fates["replayed"] += 1
                continue
            value = record.value or b""
            is_one = _NEWLINE not in value
            lines = [value] if is_one else [line for line in value.splitlines() if line]
            for line in lines:
                try:
                    self.items.append(self._read(record, line))
                except Refused as refusal:
                    self._refuse(record, line, refusal)

    def enrich(self) -> None:
        """Add what the touchpoint's own strings tell."""
        partition, properties = self.partition.number, self.rules.properties
        for item in self.items:
            if isinstance(item, Item):
                touchpoint, visitor_id = item.touchpoint, item.visitor_id
                item.enrichment, item.evidence = enrich(
                    touchpoint, visitor_id, item.at, partition, item.offset
                )
                item.identifiers = read_identifiers(touchpoint, visitor_id)
                asked = properties.get(touchpoint.name)
                if asked:
                    item.evidence.properties = read_properties(touchpoint.properties, asked)

    def fold(self) -> None:
        """Decide the fate of every touchpoint and fold it into its visitor; let ticks pass time."""
        self.exchange.recorded_at = self.now
        for item in self.items:
            if isinstance(item, TickItem):
                hear_tick(self.partition.times, milliseconds(item.tick.tick), item.tick.site)
                self.circle.wake(item.offset)
                self.output.fates["tick"] += 1
            elif isinstance(item, MessageItem):
                if item.offset >= self.partition.void_before or item.is_for_all_time:
                    self.exchange.hear(item.message, item.offset)
                self.output.fates["message"] += 1
            else:
                fate = self._follow(item)
                item.is_written = item.is_written and fate in ("sessionised", "late")
                self.output.fates[fate] += 1

    def remember(self) -> None:
        """Close the visitors: seal what is old, write facts, keep states."""
        self.partition.offset = max(self.partition.offset, self.records[-1].offset)
        self.partition.position, self.partition.is_ahead = self.records[-1].offset, True
        self.partition.recorded_at = self.now
        for somebody in self.circle.everybody():
            if not somebody.is_changed:
                continue
            now = self.partition.times[somebody.facts.site]
            seal(somebody.state, now, somebody.facts, by_age=somebody.may_seal)
            for id_, fact in somebody.facts.all().items():
                row = (somebody.key.lstrip(PERSON), encode_fact(fact), self.now)
                self.partition.facts[id_] = (_TOPICS[type(fact)].name, row)
            if isinstance(somebody, Visitor):
                self.exchange.hand_over(somebody, now)
            self.circle.keep(somebody, now)
        self.output.messages = self.exchange.told

    def write(self) -> None:
        """Write the rows of `touchpoints`."""
        buffer = bytearray()
        rows: list[Row] = [
            (item.key, encode_row(item.touchpoint, item.enrichment, buffer), item.recorded_at)
            for item in self.items
            if isinstance(item, Item) and item.is_written
        ]
        if rows:
            self.output.rows[topics.TOUCHPOINTS.name] = rows

    def _read(self, record: RawRecord, line: bytes) -> Item | TickItem | MessageItem:
        is_plain = line.startswith(_TOUCHPOINT_PREFIX)
        if not is_plain and is_message(line):  # may be larger than a touchpoint: it holds several
            return MessageItem(record.offset, _read_message(line))
        if len(line) > LARGEST:
            raise Refused(
                Reason.TOO_LARGE, f"{len(line)} bytes; the first {LARGEST} of them are kept here"
            )
        if not is_plain and is_tick(line):
            return TickItem(record.offset, decode_tick(line))
        touchpoint = decode_touchpoint(line)
        at = milliseconds(touchpoint.occurred_at)
        if not 0 < at <= record.timestamp + DAY_MS:
            raise Refused(
                Reason.TIME_OUT_OF_RANGE,
                "occurred_at is not after 1970-01-01T00:00Z, or more than a day ahead of the log",
            )
        visitor_id = visitor_of(touchpoint.anonymous_id, touchpoint.user_id)
        key = record_key(touchpoint.site, visitor_id)
        if key != record.key and partition_for(key, self.partitions) != self.partition.number:
            raise Refused(
                Reason.WRONG_PARTITION, f"{key!r} belongs to {partition_for(key, self.partitions)}"
            )
        return Item(record.offset, record.timestamp, at, key, visitor_id, touchpoint)

    def _refuse(self, record: RawRecord, line: bytes, refusal: Refused) -> None:
        letter = dead_letter(
            line[:LARGEST],
            site=site_of(record.key) if record.key else "",
            stage="track",
            reason=refusal.reason,
            detail=refusal.detail,
            source=f"{topics.RAW.name}-{self.partition.number}",
            position=record.offset,
            at=instant(record.timestamp),
        )
        self.output.write(topics.DEAD_LETTERS, None, encode_fact(letter), record.timestamp)
        self.output.fates["dead_letter"] += 1
        self.output.reasons[refusal.reason] += 1

    def _follow(self, item: Item) -> str:
        site, seen = item.touchpoint.site, item.evidence
        if self.partition.erasures and self._is_erased(item):
            hear_touchpoint(self.partition.times, site, seen.at, item.recorded_at)
            return "erased"
        visitor = self.circle.visitor(item.key, site, item.visitor_id)
        self.partition.changed[item.key] = None
        now = hear_touchpoint(self.partition.times, site, seen.at, item.recorded_at)
        if item.offset <= visitor.known_offset:
            return "replayed"
        if is_known(visitor.state, seen.id):
            return "duplicate"
        if is_late(visitor.state, seen.at, now, self.rules):
            item.enrichment.is_late = True
            self.exchange.link(visitor, item.identifiers, item.offset)
            return "late"
        visitor.is_changed = True
        visitor.facts.version = visitor.state.offset = item.offset
        observe(visitor.state, seen, now, visitor.facts)
        if visitor.state.person:
            visitor.handover.append(seen)
        if item.identifiers:
            self.exchange.link(visitor, item.identifiers, item.offset)
        return "sessionised"

    def _is_erased(self, item: Item) -> bool:
        """Tell whether its visitor was erased later; who else it names may have been, too."""
        site, erased = item.touchpoint.site, self.partition.erased
        item.identifiers = tuple(
            name for name in item.identifiers if item.offset >= erased(site, name).before
        )
        user = f"user:{item.touchpoint.user_id}"
        item.is_written = item.offset >= erased(site, user).before
        return item.offset < erased(site, item.visitor_id).before


def _read_message(line: bytes) -> Message:
    try:
        return decode_message(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.INVALID_FIELD, str(error)) from None


def milliseconds(instant: datetime) -> int:
    """Give whole milliseconds since 1970, cut off as ClickHouse cuts them off."""
    return (instant - _EPOCH) // _MILLISECOND


STEPS: tuple[tuple[str, Callable[[Chunk], None]], ...] = (
    ("decode", Chunk.decode),
    ("enrich", Chunk.enrich),
    ("fold", Chunk.fold),
    ("remember", Chunk.remember),
    ("write", Chunk.write),
)


def process(
    partition: Partition,
    records: Sequence[RawRecord],
    rules: Rules,
    partitions: int,
    took: Callable[[str, Callable[[], None]], None],
) -> Output:
    """Take `records`, in order, through all steps; `took` runs each step and may time it."""
    chunk = Chunk(partition, rules, partitions, records, Output(records[-1].offset))
    for name, step in STEPS:
        took(name, partial(step, chunk))
    return chunk.output


def checkpoint(partition: Partition) -> Output:
    """Give everything that the chunks since the last checkpoint have left to be written."""
    output = Output(partition.position)
    facts, output.state = partition.checkpoint()
    for topic, row in facts:
        output.rows.setdefault(topic, []).append(row)
    return output
