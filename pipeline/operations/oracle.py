"""The oracle: what the tables must contain, computed from the whole log. Shell around pure folds.

It shares with the tracker only the reading of a record and the fold over evidence, and nothing that
could go wrong: no chunks, no increments, no changelog, no order of arrival within a visitor.
`comparison` compares.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from pipeline.journey.clock import Clock
from pipeline.journey.facts import Facts
from pipeline.journey.fold import replay
from pipeline.journey.memory import is_late
from pipeline.journey.messages import Rebuild
from pipeline.journey.people import first_names
from pipeline.journey.rules import Rules
from pipeline.journey.state import Evidence
from pipeline.kafka.records import RawRecord
from pipeline.kafka.topics import read_topic
from pipeline.operations.comparison import ID, Tables, comparable, name_of
from pipeline.personal.erasures import Erased, erased_in
from pipeline.settings import Settings
from pipeline.tracker.anew import told_anew
from pipeline.tracker.items import Item, TickItem
from pipeline.tracker.partition import Partition
from pipeline.tracker.rebuild import SILENCE
from pipeline.tracker.steps import Chunk, fate_of
from pipeline.tracker.waiting import Waiting
from schemas import topics
from schemas.codec import Tick, encode_row
from schemas.dead_letter import DeadLetter
from schemas.facts import Abandonment, Fact, Identity, Link, Session, Transition
from schemas.times import milliseconds
from schemas.touchpoint import TouchpointRow

_TABLE_OF: dict[type, str] = {
    TouchpointRow: "touchpoints",
    Session: "sessions",
    Transition: "transitions",
    Abandonment: "abandonments",
    Identity: "identities",
    Link: "links",
    DeadLetter: "dead_letters",
}


@dataclass
class _Visitor:
    """What the log contains about one visitor: evidence by id, and its identifiers."""

    site: str
    visitor_id: str
    partition: int
    waiting: Waiting = field(default_factory=lambda: Waiting("", ""))
    identifiers: set[str] = field(default_factory=set)

    @property
    def evidence(self) -> Collection[Evidence]:
        """What is sessionised."""
        return self.waiting.evidence.values()


AnyRow = TouchpointRow | Fact | DeadLetter


@dataclass(frozen=True)
class _Before:
    """Which records of a partition come before the erasure of a name, and when that was."""

    ends: dict[tuple[str, str], int]
    times: dict[tuple[str, str], int]

    def __call__(self, item: Item, name: str) -> bool:
        who = (item.touchpoint.site, name)
        place = item.offset if item.place is None else item.place
        is_older = bool(item.rebuild) and item.rebuild < self.times.get(who, -1)
        return is_older or place < self.ends.get(who, -1)


def _before(erased: Sequence[Erased], partition: int) -> _Before:
    before = _Before({}, {})
    for each in erased:
        names = [(each.site, name) for name in each.names]
        before.times.update(dict.fromkeys(names, each.at))
        if bounds := each.bounds.get(partition):
            before.ends.update(dict.fromkeys(names, bounds.final))
    return before


def expected_tables(partitions: Sequence[Sequence[RawRecord]], rules: Rules) -> Tables:
    """Replay the log, a list of records per partition, into the rows the tables must contain."""
    tables: Tables = {table: {} for table in ID}
    clocks: list[Clock] = []
    visitors: list[_Visitor] = []
    erased = erased_in(partitions)
    for number, records in enumerate(partitions):
        chunk = Chunk(Partition(number), rules, len(partitions), records=records)
        heard = _Hearing(number, rules, _before(erased, number))
        _add(tables, heard.hear(chunk))
        clocks.append(heard.clock)
        visitors += heard.visitors.values()
    _add(tables, _facts(visitors, clocks, rules))
    return tables


def _add(tables: Tables, rows: Iterable[AnyRow]) -> None:
    for row in rows:
        table = _TABLE_OF[type(row)]
        columns = asdict(row)
        # The first copy of a touchpoint wins; a fact exists only once.
        tables[table].setdefault(name_of(table, columns), comparable(columns))


@dataclass
class _Rebuild:
    """The newest rebuild of a site; without `names` it covers everybody."""

    at: int
    names: set[str]
    heard_at: int

    def concerns(self, name: str) -> bool:
        return not self.names or name in self.names


@dataclass
class _Hearing:
    """A partition, read from its beginning to its end."""

    number: int
    rules: Rules
    is_erased: _Before
    clock: Clock = field(default_factory=Clock)
    visitors: dict[bytes, _Visitor] = field(default_factory=dict)
    rows: dict[tuple[str, str, str], TouchpointRow] = field(default_factory=dict)
    rebuilds: dict[str, _Rebuild] = field(default_factory=dict)

    def hear(self, chunk: Chunk) -> Iterator[AnyRow]:
        chunk.decode()
        chunk.enrich()
        for _, value, _ in chunk.output.rows.get(topics.DEAD_LETTERS.name, ()):
            yield msgspec.json.decode(value or b"", type=DeadLetter)
        for item in chunk.items:
            if isinstance(item, TickItem):
                self._pass_time(item.tick)
            elif isinstance(item, Item):
                self._hear(item)
            elif isinstance(item.message, Rebuild):
                self._rebuild(item.message)
        yield from self.rows.values()

    def _pass_time(self, tick: Tick) -> None:
        at = milliseconds(tick.tick)
        self.clock.hear_tick(at, tick.site)
        for site, rebuild in self.rebuilds.items():
            if tick.site is None and rebuild.heard_at and at > rebuild.heard_at + SILENCE:
                self._end(site, 0)

    def _rebuild(self, message: Rebuild) -> None:
        site, known = message.site, self.rebuilds.get(message.site)
        if known is not None and message.at < known.at:
            return
        if message.stage == "begin":
            self._begin(message, known)
        elif known is not None and known.heard_at:
            known.heard_at = message.said_at
            if message.stage == "end":
                self._end(site, message.now)

    def _begin(self, message: Rebuild, known: _Rebuild | None) -> None:
        site, names = message.site, set(message.names)
        if known is not None and known.heard_at and known.at < message.at:
            self._end(site, 0)
        if known is not None and known.at == message.at:
            names |= known.names
        rebuild = self.rebuilds[site] = _Rebuild(message.at, names, message.said_at)

        def is_left(of: _Visitor | TouchpointRow) -> bool:
            return of.site != site or not rebuild.concerns(of.visitor_id)

        self.visitors = {key: one for key, one in self.visitors.items() if is_left(one)}
        self.rows = {key: row for key, row in self.rows.items() if is_left(row)}

    def _end(self, site: str, now: int) -> None:
        self.rebuilds[site].heard_at = 0
        self.clock.join(told_anew(site), site, now)

    def _hear(self, item: Item) -> None:
        site, name, at = item.touchpoint.site, item.visitor_id, item.evidence.at
        rebuild = self.rebuilds.get(site)
        is_concerned = rebuild is not None and rebuild.concerns(name)
        if item.rebuild and (not is_concerned or rebuild is None or rebuild.at != item.rebuild):
            return
        is_anew = is_concerned and rebuild is not None and rebuild.heard_at > 0
        clock_name = told_anew(site) if is_anew and item.rebuild else site
        now = self.clock.hear_touchpoint(clock_name, at, item.recorded_at)
        if self.is_erased(item, name):
            return
        horizon = 0 if item.rebuild else self.clock.horizon(site)
        if is_anew and not item.rebuild:
            item.enrichment.is_late = is_late(at, horizon, self.rules)
            self._write(item)
        else:
            self._accept(item, now, horizon)

    def _accept(self, item: Item, now: int, horizon: int) -> None:
        who = (item.touchpoint.site, item.visitor_id, self.number)
        visitor = self.visitors.setdefault(item.key, _Visitor(*who))
        seen, waiting = item.evidence, visitor.waiting
        if waiting.knows(seen.id):
            return
        item.enrichment.is_late = fate_of(seen.at, horizon, waiting, self.rules) != "sessionised"
        if not item.enrichment.is_late:
            waiting.add(seen, item.offset, now)
        visitor.identifiers.update(n for n in item.identifiers if not self.is_erased(item, n))
        self._write(item)

    def _write(self, item: Item) -> None:
        touchpoint = item.touchpoint
        if self.is_erased(item, f"user:{touchpoint.user_id}"):
            return
        id_ = (touchpoint.site, item.visitor_id, touchpoint.touchpoint_id)
        if item.rebuild or id_ not in self.rows:
            row = encode_row(touchpoint, item.enrichment)
            self.rows[id_] = msgspec.json.decode(row, type=TouchpointRow)


def _facts(visitors: Iterable[_Visitor], clocks: Sequence[Clock], rules: Rules) -> Iterator[AnyRow]:
    by_site: dict[str, list[_Visitor]] = defaultdict(list)
    for visitor in visitors:
        by_site[visitor.site].append(visitor)
    for site, of_site in by_site.items():
        links = [(v.visitor_id, name) for v in of_site for name in v.identifiers]
        persons = first_names(links, rules.limits)
        together: dict[str, list[Evidence]] = defaultdict(list)
        for visitor in of_site:
            person = persons.get(visitor.visitor_id, "")
            yield from _facts_of(visitor, person, clocks[visitor.partition].times[site], rules)
            if person:
                together[person] += (
                    replace(seen, visitor_id=visitor.visitor_id) for seen in visitor.evidence
                )
        now = max(clock.times.get(site, 0) for clock in clocks)
        for person, evidence in together.items():
            facts = Facts(site, person, 0, rules, has_sessions=False)
            yield from replay(evidence, now, facts).values()
        for name in persons.keys() - {visitor.visitor_id for visitor in of_site}:
            facts = Facts(site, name, 0, rules, person=persons[name])
            facts.add_identity()
            yield from facts.rows.values()


def _facts_of(visitor: _Visitor, person: str, now: int, rules: Rules) -> Iterator[AnyRow]:
    facts = Facts(visitor.site, visitor.visitor_id, visitor.partition, rules, person=person)
    for name in visitor.identifiers:
        facts.add_link(name)
    if person:
        facts.add_identity()
    yield from replay(visitor.evidence, now, facts).values()


async def read_log(settings: Settings) -> list[list[RawRecord]]:
    """Read all that is in the log of touchpoints now: the records of each partition."""
    records = [record async for record in read_topic(settings, topics.RAW.name)]
    return by_partition(records, settings.kafka_partitions)


def ends_of(log: Sequence[Sequence[RawRecord]]) -> list[int]:
    """Give the end of each partition of a log that was read whole."""
    return [records[-1].offset + 1 if records else 0 for records in log]


def cut_in(log: Sequence[Sequence[RawRecord]]) -> list[RawRecord]:
    """Give what each partition begins with now whose beginning Kafka no longer has."""
    return [records[0] for records in log if records and records[0].offset]


def by_partition(records: Iterable[Any], partitions: int) -> list[list[RawRecord]]:
    """Group the records of a topic by partition; one may be empty."""
    found: dict[int, list[RawRecord]] = defaultdict(list)
    for record in records:
        found[record.partition].append(record)
    return [found[number] for number in range(partitions)]
