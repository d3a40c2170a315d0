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
from pipeline.journey.fold import (
    Facts,
    is_late,
    is_over,
    next_deadline,
    observe,
    seal,
    settle,
)
from pipeline.journey.rules import Rules
from pipeline.journey.state import (
    Evidence,
    VisitorState,
    decode_state,
    encode_state,
    is_known,
    new_state,
)
from pipeline.records import Row, partition_for
from pipeline.tracker.enrich import enrich
from pipeline.tracker.partition import META_KEY, Partition, site_of
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
from schemas.facts import Abandonment, Fact, Session
from schemas.topics import record_key
from schemas.touchpoint import Enrichment, Touchpoint, visitor_of

LARGEST = 128 * 1024
"""Bytes of a touchpoint. In a dead letter they may become six times as many, and Kafka refuses a
record of more than a megabyte for ever."""

_WAKES_PER_TICK = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class RawRecord(Protocol):
    """A consumed record, as aiokafka gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Item(msgspec.Struct):
    """A touchpoint on its way; `enrichment` and `evidence` are filled in by `enrich`."""

    offset: int
    recorded_at: int
    at: int
    key: bytes
    visitor_id: str
    touchpoint: Touchpoint
    enrichment: Enrichment = None  # type: ignore[assignment]
    evidence: Evidence = None  # type: ignore[assignment]
    is_written: bool = True


class TickItem(msgspec.Struct):
    """Time on its way."""

    offset: int
    tick: Tick


class Visitor(msgspec.Struct):
    """A visitor touched by this chunk; records up to `known_offset` are already in its state."""

    key: bytes
    state: VisitorState
    facts: Facts
    known_offset: int
    is_changed: bool = False
    is_heard: bool = False


@dataclass(slots=True)
class Output:
    """What a chunk came to: records per topic, the changelog's last, and each record's fate."""

    offset: int
    rows: dict[str, list[Row]] = field(default_factory=dict)
    state: list[Row] = field(default_factory=list)
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
    items: list[Item | TickItem] = field(default_factory=list)
    visitors: dict[bytes, Visitor] = field(default_factory=dict)

    def decode(self) -> None:
        """Read every line of every record; what breaks the contract becomes a dead letter."""
        for record in self.records:
            self.now = record.timestamp
            if record.offset <= self.partition.offset:
                self.output.fates["replayed"] += 1
                continue
            value = record.value or b""
            lines = [value] if b"\n" not in value else [line for line in value.splitlines() if line]
            for line in lines:
                try:
                    self.items.append(self._read(record, line))
                except Refused as refusal:
                    self._refuse(record, line, refusal)

    def enrich(self) -> None:
        """Add what the touchpoint's own strings tell."""
        for item in self.items:
            if isinstance(item, Item):
                item.enrichment, item.evidence = enrich(
                    item.touchpoint, item.visitor_id, item.at, self.partition.number, item.offset
                )

    def fold(self) -> None:
        """Decide the fate of every touchpoint and fold it into its visitor; let ticks pass time."""
        for item in self.items:
            if isinstance(item, TickItem):
                hear_tick(self.partition.times, milliseconds(item.tick.tick), item.tick.site)
                self._wake(item.offset)
                self.output.fates["tick"] += 1
            else:
                fate = self._follow(item)
                item.is_written = fate in ("sessionised", "late")
                self.output.fates[fate] += 1

    def remember(self) -> None:
        """Close the visitors: seal what is old, write facts and states."""
        self.partition.offset = max(self.partition.offset, self.records[-1].offset)
        for visitor in self.visitors.values():
            if not visitor.is_changed:
                continue
            now = self.partition.times[visitor.facts.site]
            seal(visitor.state, now, visitor.facts)
            for fact in visitor.facts.all().values():
                self.output.write(_topic_of(fact), visitor.key, encode_fact(fact), self.now)
            self._keep(visitor, now)
        self.output.state.append((META_KEY, self.partition.meta(), self.now))

    def write(self) -> None:
        """Write the rows of `touchpoints`."""
        for item in self.items:
            if isinstance(item, Item) and item.is_written:
                row = encode_row(item.touchpoint, item.enrichment)
                self.output.write(topics.TOUCHPOINTS, item.key, row, item.recorded_at)

    def _read(self, record: RawRecord, line: bytes) -> Item | TickItem:
        if len(line) > LARGEST:
            raise Refused(
                Reason.TOO_LARGE, f"{len(line)} bytes; the first {LARGEST} of them are kept here"
            )
        if is_tick(line):
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
        visitor = self._visitor(item.key, site, item.visitor_id)
        visitor.is_heard = True
        now = hear_touchpoint(self.partition.times, site, seen.at, item.recorded_at)
        if item.offset <= visitor.known_offset:
            return "replayed"
        if is_known(visitor.state, seen.id):
            return "duplicate"
        if is_late(visitor.state, seen.at, now, self.rules):
            item.enrichment.is_late = True
            return "late"
        visitor.is_changed = True
        visitor.facts.version = visitor.state.offset = item.offset
        observe(visitor.state, seen, now, visitor.facts)
        return "sessionised"

    def _wake(self, offset: int) -> None:
        for visitor in self.visitors.values():
            self._schedule(visitor)
        for wake_at, key in self.partition.due(_WAKES_PER_TICK):
            site, visitor_id = key.decode().split(":", 1)
            if key not in self.visitors and key not in self.partition.states:
                continue
            visitor = self._visitor(key, site, visitor_id)
            if visitor.state.wake_at == wake_at:
                visitor.is_changed = True
                visitor.state.wake_at = 0
                visitor.facts.version = visitor.state.offset = max(offset, visitor.state.offset)
                settle(visitor.state, self.partition.times[site], visitor.facts)

    def _visitor(self, key: bytes, site: str, visitor_id: str) -> Visitor:
        visitor = self.visitors.get(key)
        if visitor is None:
            stored = self.partition.states.get(key)
            state = decode_state(stored) if stored is not None else new_state()
            facts = Facts(site, visitor_id, self.partition.number, self.rules)
            visitor = self.visitors[key] = Visitor(key, state, facts, state.offset)
        return visitor

    def _keep(self, visitor: Visitor, now: int) -> None:
        key, state = visitor.key, visitor.state
        # Who was heard in this chunk stays: a crash before the partition's own entry is durable
        # must not find the visitor gone.
        if is_over(state, now, self.rules) and not visitor.is_heard:
            if self.partition.states.pop(key, None) is not None:
                self.output.state.append((key, None, self.now))
            return
        self._schedule(visitor)
        value = self.partition.states[key] = encode_state(state)
        self.output.state.append((key, value, self.now))

    def _schedule(self, visitor: Visitor) -> None:
        deadline = next_deadline(visitor.state, self.rules)
        if not visitor.state.wake_at or deadline < visitor.state.wake_at:
            visitor.state.wake_at = deadline
            self.partition.schedule(visitor.key, deadline)


def _topic_of(fact: Fact) -> topics.Topic:
    if isinstance(fact, Session):
        return topics.SESSIONS
    return topics.ABANDONMENTS if isinstance(fact, Abandonment) else topics.TRANSITIONS


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
