"""The oracle: what the tables must hold, computed from the log in one go. Shell around pure folds.

It shares with the tracker the reading of a record and the fold over evidence, and nothing of what
could go wrong: no chunks, no increments, no changelog, no order of arrival within a visitor.
Columns that say how a row came about (`version`, `kafka_*`) are not compared.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client
from msgspec.structs import asdict, replace

from pipeline.journey.clock import Clock
from pipeline.journey.facts import Facts
from pipeline.journey.fold import replay
from pipeline.journey.people import first_names
from pipeline.journey.rules import Rules
from pipeline.journey.state import Evidence
from pipeline.kafka.records import RawRecord
from pipeline.personal.void_rows import Erased, erased_in
from pipeline.tracker.items import Item, TickItem
from pipeline.tracker.partition import Partition, Waiting
from pipeline.tracker.steps import Chunk, fate_of
from schemas import topics
from schemas.codec import encode_row
from schemas.dead_letter import DeadLetter
from schemas.facts import Abandonment, Fact, Identity, Link, Session, Transition
from schemas.times import milliseconds, whole
from schemas.touchpoint import TouchpointRow

Row = dict[str, Any]
Tables = dict[str, dict[str, Row]]

_ID = {
    "touchpoints": ("site", "visitor_id", "touchpoint_id"),
    "sessions": ("session_id",),
    "transitions": ("transition_id",),
    "abandonments": ("abandonment_id",),
    "identities": ("site", "visitor_id"),
    "links": ("site", "visitor_id", "identifier"),
    "dead_letters": ("dead_letter_id",),
}
_TABLE_OF: dict[type, str] = {
    TouchpointRow: "touchpoints",
    Session: "sessions",
    Transition: "transitions",
    Abandonment: "abandonments",
    Identity: "identities",
    Link: "links",
    DeadLetter: "dead_letters",
}
_NOT_COMPARED = ("version", "is_deleted", "kafka_partition", "kafka_offset")


class Difference(NamedTuple):
    """A place where a table is not what the log says; a column of `*` is the whole row.

    The column `rows` tells that a row stands there more than once.
    """

    table: str
    id: str
    column: str
    expected: object
    actual: object


@dataclass
class _Visitor:
    """What the log holds of one visitor: evidence by id, and who it was seen to be."""

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
    """Which records of a partition stand before the erasure of a name."""

    ends: dict[tuple[str, str], int]

    def __call__(self, site: str, name: str, offset: int) -> bool:
        return offset < self.ends.get((site, name), -1)


def _before(erased: Sequence[Erased], partition: int) -> _Before:
    ends: dict[tuple[str, str], int] = {}
    for each in erased:
        if bounds := each.bounds.get(partition):
            ends |= {(each.site, name): bounds.final for name in each.names}
    return _Before(ends)


def expected_tables(partitions: Sequence[Sequence[RawRecord]], rules: Rules) -> Tables:
    """Replay the log, a list of records per partition, into the rows the tables must hold."""
    tables: Tables = {table: {} for table in _ID}
    clocks: list[Clock] = []
    visitors: list[_Visitor] = []
    erased = erased_in(partitions)
    for number, records in enumerate(partitions):
        chunk = Chunk(Partition(number), rules, len(partitions), records=records)
        _add(tables, _read(chunk, clocks, visitors, rules, _before(erased, number)))
    _add(tables, _facts(visitors, clocks, rules))
    return tables


def _add(tables: Tables, rows: Iterable[AnyRow]) -> None:
    for row in rows:
        table = _TABLE_OF[type(row)]
        columns = asdict(row)
        # The first copy of a touchpoint wins; of facts there is only one.
        tables[table].setdefault(_name(table, columns), _comparable(columns))


def _read(
    chunk: Chunk,
    clocks: list[Clock],
    visitors: list[_Visitor],
    rules: Rules,
    is_erased: _Before,
) -> Iterator[AnyRow]:
    chunk.decode()
    chunk.enrich()
    for _, value, _ in chunk.output.rows.get(topics.DEAD_LETTERS.name, ()):
        yield msgspec.json.decode(value or b"", type=DeadLetter)
    clock = Clock()
    found: dict[bytes, _Visitor] = {}
    for item in chunk.items:
        if isinstance(item, TickItem):
            clock.hear_tick(milliseconds(item.tick.tick), item.tick.site)
        elif isinstance(item, Item):
            site = item.touchpoint.site
            if is_erased(site, item.visitor_id, item.offset):
                clock.hear_touchpoint(site, item.evidence.at, item.recorded_at)
                continue
            item.identifiers = tuple(
                name for name in item.identifiers if not is_erased(site, name, item.offset)
            )
            user = f"user:{item.touchpoint.user_id}"
            who = (item.touchpoint.site, item.visitor_id, chunk.partition.number)
            visitor = found.setdefault(item.key, _Visitor(*who))
            if _accept(item, clock, visitor, rules) and not is_erased(site, user, item.offset):
                row = encode_row(item.touchpoint, item.enrichment)
                yield msgspec.json.decode(row, type=TouchpointRow)
    clocks.append(clock)
    visitors += found.values()


def _accept(item: Item, clock: Clock, visitor: _Visitor, rules: Rules) -> bool:
    seen = item.evidence
    now = clock.hear_touchpoint(visitor.site, seen.at, item.recorded_at)
    if visitor.waiting.knows(seen.id):
        return False
    horizon = clock.horizon(visitor.site)
    item.enrichment.is_late = fate_of(seen.at, horizon, visitor.waiting, rules) != "sessionised"
    if not item.enrichment.is_late:
        visitor.waiting.add(seen, item.offset, now)
    visitor.identifiers.update(item.identifiers)
    return True


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


def compare(client: Client, expected: Tables, ends: Sequence[int]) -> list[Difference]:
    """Compare every row and column of the tables with what they must hold.

    Of `dead_letters` only those of the tracker are compared: the log of touchpoints does not
    know of the others. Rows that a record at or after `ends`, one offset per partition, has
    written or changed are left out: the log that was replayed did not hold it.
    """
    differences: list[Difference] = []
    for table, rows in expected.items():
        actual, moved_on = _actual(client, table, ends)
        still = {name: row for name, row in rows.items() if name not in moved_on}
        differences += (
            Difference(table, name, "rows", 1, len(copies))
            for name, copies in actual.items()
            if len(copies) > 1
        )
        newest = {name: copies[-1] for name, copies in actual.items()}
        differences += _differences(table, still, newest)
    return differences


def _actual(
    client: Client, table: str, ends: Sequence[int]
) -> tuple[dict[str, list[Row]], set[str]]:
    where = " WHERE stage = 'track'" if table == "dead_letters" else ""
    result = client.query(f"SELECT * FROM {table} FINAL{where}")  # noqa: S608 - our own names
    rows: dict[str, list[Row]] = defaultdict(list)
    moved_on: set[str] = set()
    for row in result.named_results():
        name = _name(table, row)
        partition, offset = _place(row)
        if partition >= len(ends) or offset >= ends[partition]:
            moved_on.add(name)
        else:
            rows[name].append(_comparable(dict(row)))
    return rows, moved_on


def _place(row: Row) -> tuple[int, int]:
    if "source" in row:
        return int(row["source"].rpartition("-")[2]), row["position"]
    return int(row["kafka_partition"]), int(
        row["version"] if "version" in row else row["kafka_offset"]
    )


def _name(table: str, row: Row) -> str:
    return " ".join(str(row[column]) for column in _ID[table])


def _differences(
    table: str, expected: dict[str, Row], actual: dict[str, Row]
) -> Iterator[Difference]:
    for id_ in expected.keys() - actual.keys():
        yield Difference(table, id_, "*", expected[id_], None)
    for id_ in actual.keys() - expected.keys():
        yield Difference(table, id_, "*", None, actual[id_])
    for id_ in expected.keys() & actual.keys():
        for column, value in expected[id_].items():
            if actual[id_].get(column) != value:
                yield Difference(table, id_, column, value, actual[id_].get(column))


def _comparable(row: Row) -> Row:
    return {column: _value(value) for column, value in row.items() if column not in _NOT_COMPARED}


def _value(value: object) -> object:
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    if isinstance(value, list):
        parts = msgspec.to_builtins(value, builtin_types=(Decimal,))
        return [_comparable(part) if isinstance(part, dict) else part for part in parts]
    if isinstance(value, datetime):
        known = value if value.tzinfo else value.replace(tzinfo=UTC)
        return whole(known.astimezone(UTC))
    if isinstance(value, Decimal):
        return float(value)
    return str(value) if isinstance(value, str) else value


def by_partition(records: Iterable[Any], partitions: int) -> list[list[RawRecord]]:
    """Sort records of a topic into its partitions; one may be empty."""
    found: dict[int, list[RawRecord]] = defaultdict(list)
    for record in records:
        found[record.partition].append(record)
    return [found[number] for number in range(partitions)]
