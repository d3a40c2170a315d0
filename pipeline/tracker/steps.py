"""PURE: the way of a chunk of records through the tracker, as a list of named steps.

    decode → enrich → judge → remember → write        a chunk
                              fold → remember         a checkpoint

`decode` refuses input that breaks the contract. `judge` decides each touchpoint's fate (late,
duplicate, sessionised) and lets it wait for the next checkpoint. `fold` hands the waiting
touchpoints to `pipeline.journey`, visitor by visitor, and judges the silence of the others.
`remember` closes everybody whom the fold or a message has touched. Nothing here does I/O: the
result is an `Output` that the shell sends.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from pipeline.journey.memory import is_late
from pipeline.journey.messages import is_message
from pipeline.journey.rules import Rules
from pipeline.kafka.records import RawRecord, Row, partition_for
from pipeline.tracker.enrich import enrich, read_properties
from pipeline.tracker.exchange import Exchange
from pipeline.tracker.identifiers import read_identifiers
from pipeline.tracker.items import LARGEST, DecodedItem, Item, MessageItem, TickItem, read_message
from pipeline.tracker.output import Output
from pipeline.tracker.partition import Partition, site_of
from pipeline.tracker.rebuild import break_off
from pipeline.tracker.touched import Touched, Visitor
from pipeline.tracker.waiting import Waiting
from schemas import topics
from schemas.codec import (
    Refused,
    Tick,
    decode_again,
    decode_tick,
    decode_touchpoint,
    encode_fact,
    encode_row,
    is_again,
    is_tick,
)
from schemas.dead_letter import Reason, dead_letter
from schemas.fates import Fate
from schemas.refusals import site_in
from schemas.times import DAY_MS, instant, milliseconds
from schemas.topics import record_key
from schemas.touchpoint import visitor_of

_WAKES = 10_000
_SLEEPERS = 64
"""How many are woken at a checkpoint, in one go."""
MOST_REPEATED = 8
"""The fold may repeat so many touchpoints for each that waits until a visitor is dear."""
_WRITTEN: frozenset[Fate] = frozenset({"sessionised", "late", "set_aside", "held"})
_NEWLINE = ord("\n")
_TOUCHPOINT_PREFIX = b'{"touchpoint_id":'
"""How most touchpoints begin, and neither messages nor ticks do."""


Took = Callable[[str, Callable[[], None]], None]
"""Runs a step, given its name and function; may time it."""


@dataclass
class Work:
    """Work on one partition: whom it touches, the messages between them, and the output."""

    partition: Partition
    rules: Rules
    partitions: int
    output: Output = field(default_factory=Output)

    def __post_init__(self) -> None:
        self.touched = Touched(self.partition, self.rules)
        self.exchange = Exchange(self.partition, self.touched, self.rules.limits, self.partitions)

    def remember(self) -> None:
        """Close everybody touched: seal old evidence, write facts, keep states, hand over."""
        for somebody in self.touched.changed():
            if isinstance(somebody, Visitor):
                self.exchange.hand_over(somebody)
            self.touched.close(somebody)
        self.output.messages = self.exchange.told


@dataclass
class Part(Work):
    """The work on some of the visitors of a checkpoint."""

    keys: Sequence[bytes] = ()
    due: Sequence[tuple[int, bytes]] = ()

    def fold(self) -> None:
        """Fold the waiting touchpoints into the visitors' states, and wake those who are due."""
        self.touched.fold(self.keys)
        self.touched.wake(self.due)


@dataclass
class Chunk(Work):
    """The work on one chunk of records, and the steps it goes through."""

    records: Sequence[RawRecord] = ()
    decoded: list[DecodedItem | TickItem | MessageItem] = field(default_factory=list)
    items: list[Item | TickItem | MessageItem] = field(default_factory=list)

    def decode(self) -> None:
        """Read every line of every record; lines that break the contract become dead letters."""
        for record in self.records:
            if record.offset <= self.partition.offset:
                self.output.fates["replayed"] += 1
                continue
            value = record.value or b""
            is_one = _NEWLINE not in value
            lines = [value] if is_one else [line for line in value.splitlines() if line]
            for line in lines:
                try:
                    self.decoded.append(self._read(record, line))
                except Refused as refusal:
                    self._refuse(record, line, refusal)

    def enrich(self) -> None:
        """Add what the touchpoint's own fields reveal."""
        self.items = [
            self._enriched(item) if isinstance(item, DecodedItem) else item for item in self.decoded
        ]

    def judge(self) -> None:
        """Decide the fate of every touchpoint; advance time by ticks, and handle messages."""
        partition, last = self.partition, self.records[-1]
        partition.recorded_at = last.timestamp
        for item in self.items:
            if isinstance(item, TickItem):
                self._pass_time(item.tick)
                self.output.fates["tick"] += 1
            elif isinstance(item, MessageItem):
                if item.offset >= partition.void_before or item.is_for_all_time:
                    self.exchange.hear(item.message, item.offset)
                self.output.fates["message"] += 1
            else:
                fate = self._fate(item)
                item.is_written = item.is_written and fate in _WRITTEN
                self.output.fates[fate] += 1
        partition.position, partition.is_ahead = last.offset, True
        partition.offset = max(partition.offset, partition.position)

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

    def _read(self, record: RawRecord, line: bytes) -> DecodedItem | TickItem | MessageItem:
        is_plain = line.startswith(_TOUCHPOINT_PREFIX)
        if not is_plain and is_message(line):  # may be larger than a touchpoint: it holds several
            return MessageItem(record.offset, read_message(line))
        if len(line) > LARGEST:
            raise Refused(Reason.TOO_LARGE, f"{len(line)} bytes; the first {LARGEST} are kept here")
        if not is_plain and is_tick(line):
            return TickItem(record.offset, decode_tick(line))
        if not is_plain and is_again(line):
            again = decode_again(line)
            item = self._item(record, bytes(again.touchpoint))
            item.rebuild, item.place = again.rebuild, again.offset
            return item
        return self._item(record, line)

    def _item(self, record: RawRecord, line: bytes) -> DecodedItem:
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
        return DecodedItem(record.offset, record.timestamp, at, key, visitor_id, touchpoint)

    def _enriched(self, item: DecodedItem) -> Item:
        touchpoint, visitor_id, offset = item.touchpoint, item.visitor_id, item.offset
        place = offset if item.place is None else item.place
        placeholders = self.rules.placeholders
        nobody = placeholders.get(touchpoint.site, ()) if placeholders else ()
        number, events = self.partition.number, self.rules.order_events
        clicks = self.rules.traffic.click_names
        enrichment, evidence = enrich(
            touchpoint, visitor_id, item.at, number, place, nobody, events, click_ids=clicks
        )
        if self.rules.traffic.is_spam(evidence.referrer_host):
            enrichment.is_bot = evidence.is_bot = True
        asked = self.rules.properties.get(touchpoint.name)
        if asked:
            evidence.properties = read_properties(touchpoint.properties, asked)
        identifiers = read_identifiers(touchpoint, visitor_id, nobody)
        # Positional arguments, as for everything made once per touchpoint.
        return Item(
            offset,
            item.recorded_at,
            item.key,
            visitor_id,
            touchpoint,
            enrichment,
            evidence,
            identifiers,
            item.rebuild,
            item.place,
        )

    def _refuse(self, record: RawRecord, line: bytes, refusal: Refused) -> None:
        letter = dead_letter(
            line[:LARGEST],
            site=site_in(line) or (site_of(record.key) if record.key else ""),
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

    def _fate(self, item: Item) -> Fate:
        partition, at, site = self.partition, item.evidence.at, item.touchpoint.site
        if item.rebuild and not partition.awaits(site, item.visitor_id, item.rebuild):
            return "outdated"
        is_erased = partition.erasures and self._is_erased(item)
        clock_name = partition.clock_name(site, item.visitor_id)
        now = partition.clock.hear_touchpoint(
            clock_name if item.rebuild else site, at, item.recorded_at
        )
        horizon = 0 if item.rebuild else partition.clock.horizon(site)
        if is_erased:
            return "erased"
        if clock_name != site and not item.rebuild:
            item.enrichment.is_late = is_late(at, horizon, self.rules)
            return "held"
        return self._add(item, now, horizon)

    def _add(self, item: Item, now: int, horizon: int) -> Fate:
        partition, key, seen, offset = self.partition, item.key, item.evidence, item.offset
        site = item.touchpoint.site
        partition.changed[key] = None
        waiting = partition.waiting_of(key, site, item.visitor_id)
        if offset <= waiting.known_offset:
            return "replayed"
        if waiting.knows(seen.id):
            return "duplicate"
        fate = fate_of(seen.at, horizon, waiting, self.rules)
        if fate == "sessionised":
            waiting.add(seen, offset, now)
            partition.fullest = max(partition.fullest, len(waiting.evidence))
        else:
            item.enrichment.is_late = True
        if item.identifiers and item.identifiers != partition.linked.get(key):
            visitor = self.touched.visitor(key, site, item.visitor_id)
            self.exchange.link(visitor, item.identifiers, offset)
        return fate

    def _is_erased(self, item: Item) -> bool:
        """Tell whether its visitor was erased later; others it names may have been too."""
        site, erased = item.touchpoint.site, self.partition.erased
        place = item.offset if item.place is None else item.place
        item.identifiers = tuple(
            name for name in item.identifiers if place >= erased(site, name).before
        )
        user = f"user:{item.touchpoint.user_id}"
        item.is_written = place >= erased(site, user).before
        return place < erased(site, item.visitor_id).before

    def _pass_time(self, tick: Tick) -> None:
        at = milliseconds(tick.tick)
        self.partition.clock.hear_tick(at, tick.site)
        self.partition.has_ticked = True
        if tick.site is None:
            break_off(self.partition, at)


def fate_of(at: int, horizon: int, waiting: Waiting, rules: Rules) -> Fate:
    """Give the fate of a new touchpoint with the time `at`."""
    if is_late(at, horizon, rules):
        return "late"
    return "set_aside" if at <= waiting.sealed_to else "sessionised"


STEPS: tuple[tuple[str, Callable[[Chunk], None]], ...] = (
    ("decode", Chunk.decode),
    ("enrich", Chunk.enrich),
    ("judge", Chunk.judge),
    ("remember", Chunk.remember),
    ("write", Chunk.write),
)
CHECKPOINT_STEPS: tuple[tuple[str, Callable[[Part], None]], ...] = (
    ("fold", Part.fold),
    ("remember", Part.remember),
)


def process(
    partition: Partition, records: Sequence[RawRecord], rules: Rules, partitions: int, took: Took
) -> Output:
    """Take `records`, in order, through all steps; `took` runs each step and may time it."""
    chunk = Chunk(partition, rules, partitions, records=records)
    for name, step in STEPS:
        took(name, partial(step, chunk))
    return chunk.output


def checkpoint(
    partition: Partition, rules: Rules, partitions: int, took: Took, most: int | None = None
) -> Iterator[Output]:
    """Give the output of all chunks since the last checkpoint.

    It comes in parts, with some visitors each; the last part has the offset. With `most`, visitors
    for whom the fold would repeat more than that for each touchpoint that waits go on waiting. If
    there are any, the checkpoint is incomplete: it wakes nobody, and has no offset.
    """
    held = set() if most is None else partition.dear(most)
    yield Output(place=partition.begin_checkpoint())
    work = partial(_part, partition, rules, partitions, took)
    while keys := partition.next_waiting(held):
        output = work(keys=keys)
        output.write_checkpoint(partition, partition.take_states(keys))
        yield output
    if held:
        others = Output()
        others.write_checkpoint(partition, partition.take_others(held))
        yield others
        return
    due = partition.due(_WAKES) if partition.has_ticked else []
    # An earlier run may have heard the tick later, and so have woken more.
    partition.has_ticked = partition.has_ticked and partition.is_read_again
    for start in range(0, len(due), _SLEEPERS):
        output = work(due=due[start : start + _SLEEPERS])
        output.write_checkpoint(partition, partition.take_states(list(partition.changed)))
        yield output
    last = Output(offset=partition.position)
    last.write_checkpoint(partition, partition.take_rest())
    yield last


def _part(
    partition: Partition,
    rules: Rules,
    partitions: int,
    took: Took,
    keys: Sequence[bytes] = (),
    due: Sequence[tuple[int, bytes]] = (),
) -> Output:
    part = Part(partition, rules, partitions, keys=keys, due=due)
    for name, step in CHECKPOINT_STEPS:
        took(name, partial(step, part))
    return part.output
