"""Takes back what trackers wrote and the log does not bear out. Shell around a pure choice.

A tracker takes back what an earlier run of it wrote; what that may be, its memory says. If the
memory is gone, the oracle says what is true, and the topics of facts what was written.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from msgspec import structs

from pipeline.journey.rules import Rules
from pipeline.kafka import clients
from pipeline.kafka.records import Row
from pipeline.kafka.topics import read_topic
from pipeline.operations.comparison import Tables, name_of
from pipeline.operations.oracle import cut_in, ends_of, expected_tables, read_log
from pipeline.personal.erasures import Erased, erased_in
from pipeline.settings import Settings
from pipeline.tracker.rules import rules_of
from schemas import topics
from schemas.codec import Tick, encode, encode_fact
from schemas.facts import Abandonment, Fact, Identity, Link, Session, Transition
from schemas.times import EPOCH, milliseconds

FACTS: dict[str, type[Fact]] = {
    topics.SESSIONS.name: Session,
    topics.TRANSITIONS.name: Transition,
    topics.ABANDONMENTS.name: Abandonment,
    topics.IDENTITIES.name: Identity,
    topics.LINKS.name: Link,
}
"""The topics of facts, and what stands there."""

_CHUNK = 5_000

NO_BEGINNING = "the log no longer has its beginning"
OTHER_RULES = "some facts were written by other rules than these"


class TakenBack(NamedTuple):
    """How many facts were taken back; `why_not` says why none were looked for."""

    facts: int
    why_not: str = ""


async def take_back(settings: Settings) -> TakenBack:
    """Write a retraction of each fact that does not follow from the log; no tracker may run.

    It takes memory for the whole log. It can be broken off and done again.
    """
    await _end_with_a_tick(settings)
    log = await read_log(settings)
    if cut_in(log):
        return TakenBack(0, NO_BEGINNING)
    rules = rules_of(settings)
    found = Written(expected_tables(log, rules), erased_in(log), rules)
    for topic, kind in FACTS.items():
        read = msgspec.json.Decoder(kind).decode
        async for record in read_topic(settings, topic):
            with suppress(msgspec.MsgspecError):  # not from a tracker: the sink has refused it
                found.hear(topic, read(record.value), (record.partition, record.key))
    if found.is_of_other_rules:
        return TakenBack(0, OTHER_RULES)
    return TakenBack(await _send(settings, found.retractions(ends_of(log))))


def said(done: TakenBack) -> str:
    """Describe the result; empty: there was nothing to take back."""
    if done.why_not:
        return (
            f"{done.why_not}, so outdated facts may stay in the tables: once the trackers have "
            "read the log again, run `touchstream rebuild` for each site"
        )
    return f"{done.facts:,} facts that the log refutes are taken back" if done.facts else ""


class Void(NamedTuple):
    """A fact that does not follow from the log, and the partition and key of its record."""

    topic: str
    fact: Fact
    partition: int
    key: bytes


class Written:
    """What was written and is not `expected`; the rows of people `erased` since are left alone."""

    def __init__(self, expected: Tables, erased: Sequence[Erased], rules: Rules) -> None:
        self.is_of_other_rules = False
        self._expected, self._rules = expected, rules
        self._erased: dict[tuple[str, str], dict[int, int]] = {
            (each.site, name): {number: at.final for number, at in each.bounds.items()}
            for each in erased
            for name in each.names
        }
        self._void: dict[tuple[str, str], Void] = {}

    def hear(self, topic: str, fact: Fact, place: tuple[int, bytes]) -> None:
        """Take the next record of a topic of facts."""
        if getattr(fact, "rule_version", self._rules.version) != self._rules.version:
            self.is_of_other_rules = True
        table = topics.TABLES[topic]
        name = name_of(table, structs.asdict(fact))
        if name in self._expected[table] or self._is_erased(fact):
            return
        known = self._void.get((topic, name))
        if known is None or known.fact.version <= fact.version:
            self._void[topic, name] = Void(topic, fact, *place)

    def retractions(self, ends: Sequence[int]) -> Iterator[Void]:
        """Give the retractions, for a log that ends at `ends` and whose last record is new.

        No earlier run knew that record, so no version of any row is its offset.
        """
        for void in self._void.values():
            if not void.fact.is_deleted:
                version = ends[void.fact.kafka_partition] - 1
                gone = structs.replace(void.fact, version=version, is_deleted=True)
                yield void._replace(fact=gone)

    def _is_erased(self, fact: Fact) -> bool:
        bounds: Mapping[int, int] = self._erased.get((fact.site, fact.visitor_id), {})
        return fact.version < bounds.get(fact.kafka_partition, 0)


async def _end_with_a_tick(settings: Settings) -> None:
    """End every partition with a record that no tracker has read; it tells an old time."""
    async with clients.producer(settings, topics.RAW.name) as producer:
        row = (None, encode(Tick(tick=EPOCH)), milliseconds(datetime.now(UTC)))
        numbers = range(producer.partitions(topics.RAW.name))
        await producer.send_all({(topics.RAW.name, number): [row] for number in numbers})


async def _send(settings: Settings, retractions: Iterable[Void]) -> int:
    now, count = milliseconds(datetime.now(UTC)), 0
    batches: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for void in retractions:
        batches[void.topic, void.partition].append((void.key, encode_fact(void.fact), now))
        count += 1
    async with clients.producer(settings, *FACTS) as producer:
        for place, rows in batches.items():
            for start in range(0, len(rows), _CHUNK):
                await producer.send(*place, rows[start : start + _CHUNK])
    return count
