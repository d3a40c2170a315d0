"""Who is erased is a stranger: to memory, tables and replays, wherever workers die meanwhile."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any, cast

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given
from hypothesis import strategies as st

from pipeline.journey.messages import Erasure, encode_message
from pipeline.journey.people import Limits
from pipeline.journey.rules import Rules
from pipeline.kafka.records import partition_for
from pipeline.operations.comparison import compare
from pipeline.operations.oracle import expected_tables
from pipeline.personal.erasures import Erased, erased_in
from pipeline.tracker.changelog import fresh_meta
from pipeline.tracker.partition import ERASED, META_KEY, PERSON
from schemas.facts import Link
from schemas.topics import record_key
from schemas.touchpoint import TouchpointRow
from tests.support.journeys import HOUR, MINUTE, NOON, SITE
from tests.support.tracker import LINKED, Log, Tables, Worker, finish_all, line, tick
from tests.unit.tracker.test_linked import CARRIED, NAMES, PARTITIONS, VISITORS, new_logs, say

RULES = replace(LINKED, limits=Limits(visitors=99, identifiers=99))
"""Nothing is shared: how many have shared something before an erasure is not known after it."""

IDENTIFIERS = {
    "user:7": ("user_id", "7"),
    "user:8": ("user_id", "8"),
    "customer:c-1": ("customer_id", "c-1"),
    "email:e-1": ("email_sha256", "e-1"),
    "subscriber:s-1": ("subscriber_id", "s-1"),
    "user:9": ("previous_id", "9"),
    "9": ("previous_id", "9"),
}


WHO = VISITORS[:3]


class Stage:
    """Workers over a log that grows, and what was said to them."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.workers = line(new_logs(), rules)
        self.now = NOON
        self.count = 0
        self.links: list[tuple[str, str]] = []

    @property
    def logs(self) -> list[Log]:
        return [worker.log for worker in self.workers]

    def say(self, who: str, name: str, carried: dict[str, Any], wait: int, late: int) -> None:
        """Have a visitor do something, `wait` after the last one; empty is a user alone."""
        self.now, self.count = self.now + wait, self.count + 1
        said = {"anonymous_id": who, "name": name} | carried
        say(self.logs, f"t{self.count}", self.now - late, self.now, **said)
        visitor = who or f"user:{carried['user_id']}"
        self.links += [(visitor, name) for name, told in IDENTIFIERS.items() if told in _all(said)]

    def erase(self, names: Iterable[str], meanwhile: "Iterable[Act]" = ()) -> None:
        """Write an erasure as the command does: first to all, then to all again, in any order.

        `meanwhile` is what happens between one partition and the next.
        """
        at = self.now = self.now + 1
        acts = iter(meanwhile)
        for is_final in (False, True):
            value = encode_message(Erasure(SITE, sorted(names), at, is_final))
            for log in sorted(self.logs, key=lambda log: (log.partition + at) % PARTITIONS):
                log.add(value, self.now)
                for act in islice(acts, 2):
                    act(self)

    def person(self, who: str) -> set[str]:
        """Give all names that hang together with `who`."""
        found = {who}
        while more := {
            other
            for link in self.links
            for name, other in (link, link[::-1])
            if name in found and other not in found
        }:
            found |= more
        return found

    def end(self) -> None:
        """Read the rest, and then silence."""
        finish_all(self.workers)
        for _ in range(2):
            for log in self.logs:
                log.add(tick(self.now + 7 * HOUR, SITE), self.now + 7 * HOUR)
            finish_all(self.workers)

    def agrees(self) -> None:
        """Delete what is void, as the command does, and compare the tables with the oracle's."""
        records = [log.records for log in self.logs]
        tables = self.workers[0].tables
        delete(tables, erased_in(records))
        expected = expected_tables(records, RULES)
        found = compare(cast("Client", tables), expected, [len(log) for log in records])
        assert found == []

    def replay(self, *, is_kept: bool) -> None:
        """Have the log read again into empty tables; memory knows who was erased, or nothing."""
        tables = Tables()
        for worker in self.workers:
            worker.tables = tables
            end = len(worker.log.records)
            kept = {key: value for key, value in worker.changelog if key.startswith(ERASED)}
            worker.changelog = [(META_KEY, fresh_meta(end)), *(kept.items() if is_kept else ())]
            worker.committed = 0
            worker.die(0)


def _all(said: Any) -> list[tuple[str, Any]]:
    """Give all that is said, at any depth."""
    return [
        pair
        for name, value in said.items()
        for pair in (_all(value) if isinstance(value, dict) else [(name, value)])
    ]


def delete(tables: Tables, erased: Iterable[Erased]) -> None:
    """Do in memory what `pipeline.personal.delete` does in ClickHouse."""
    for each in erased:
        for name, rows in tables.rows.items():
            for id_, row in list(rows.items()):
                if name != "dead_letters" and _is_void(name, row, each):
                    del rows[id_]


def _is_void(table: str, row: Any, erased: Erased) -> bool:
    names = [row.visitor_id]
    if isinstance(row, TouchpointRow) and row.user_id:
        names.append(f"user:{row.user_id}")
    if isinstance(row, Link):
        names.append(row.identifier)
    bounds = erased.bounds.get(row.kafka_partition)
    at = row.kafka_offset if isinstance(row, TouchpointRow) else row.version
    return bounds is not None and any(
        name in erased.names and at < bounds[_which(table, row, name)] for name in names
    )


def _which(table: str, row: Any, name: str) -> int:
    is_home = row.kafka_partition == partition_for(record_key(row.site, name), PARTITIONS)
    if table == "identities" or (table in ("transitions", "abandonments") and not is_home):
        return 0
    return 1


Act = Callable[[Stage], None]
places = st.integers(0, PARTITIONS - 1)


@st.composite
def speak(draw: st.DrawFn) -> Act:
    carried = draw(st.sampled_from((*CARRIED, {"user_id": "7"}, {"user_id": "7"})))
    who, name = draw(st.sampled_from(VISITORS)), draw(st.sampled_from(NAMES))
    if carried.get("user_id", "null") != "null" and draw(st.booleans()):
        who = ""
    wait = draw(st.sampled_from((0, MINUTE, MINUTE, 20 * MINUTE, HOUR)))
    late = draw(st.sampled_from((0, 0, 30 * MINUTE)))
    return lambda stage: stage.say(who, name, carried, wait, late)


work: st.SearchStrategy[Act] = st.builds(
    lambda who, most: lambda stage: stage.workers[who].work(most), places, st.integers(1, 5)
)
send: st.SearchStrategy[Act] = places.map(lambda who: lambda stage: stage.workers[who].send())
hurry: st.SearchStrategy[Act] = places.map(lambda who: lambda stage: stage.workers[who].hurry())
stutter: st.SearchStrategy[Act] = st.builds(
    lambda who, sent: lambda stage: stage.workers[who].stutter(sent), places, st.integers(0, 20)
)
die: st.SearchStrategy[Act] = st.builds(
    lambda who, sent, compacted: lambda stage: stage.workers[who].die(sent, is_compacted=compacted),
    places,
    st.integers(0, 30),
    st.booleans(),
)
settle: st.SearchStrategy[Act] = st.just(lambda stage: finish_all(stage.workers))
meanwhile: st.SearchStrategy[list[Act]] = st.lists(
    settle | work | hurry | send | speak(), max_size=12
)
erase_person: st.SearchStrategy[Act] = st.builds(
    lambda who, acts: lambda stage: stage.erase(stage.person(who), acts),
    st.sampled_from(WHO),
    meanwhile,
)
erase_some: st.SearchStrategy[Act] = st.builds(
    lambda names, acts: lambda stage: stage.erase(names, acts),
    st.sets(st.sampled_from((*WHO, *IDENTIFIERS)), min_size=1, max_size=3),
    meanwhile,
)


def rounds(erase: st.SearchStrategy[Act], *faults: st.SearchStrategy[Act]) -> Any:
    """Draw talk and what workers do meanwhile, an erasure, and talk again."""
    meanwhile = st.one_of(settle, work, hurry, send, *faults)
    talk = st.lists(speak() | speak() | meanwhile, min_size=2, max_size=8)
    one = st.tuples(talk, settle | meanwhile, erase, st.lists(meanwhile, max_size=3), talk)
    return st.lists(one, min_size=1, max_size=3).map(_in_a_row)


def _in_a_row(all_: list[tuple[Any, ...]]) -> list[Act]:
    acts: list[Act] = []
    for talk, before, erase, after, more in all_:
        acts += [*talk, before, erase, *after, *more]
    return acts


def played(acts: Sequence[Act], rules: Rules = RULES) -> Stage:
    stage = Stage(rules)
    for act in acts:
        act(stage)
    return stage


def remembered(workers: Iterable[Worker]) -> bytes:
    """Give all that memories and changelogs hold, the newest of each key, but for hashes."""
    held: list[bytes] = []
    for worker in workers:
        for memory in (worker.partition.states, dict(worker.changelog)):
            held += [key + b"=" + value for key, value in memory.items() if value]
    return re.sub(rb"[0-9a-f]{32}", b"", b"\n".join(held))


@given(rounds(erase_person))
def test_rows_are_the_oracles_when_people_are_erased(acts: list[Act]) -> None:
    stage = played(acts)
    stage.end()
    stage.agrees()


@given(rounds(erase_some | erase_person, stutter, die))
def test_rows_are_the_oracles_whoever_is_erased_and_wherever_workers_die(acts: list[Act]) -> None:
    stage = played(acts)
    stage.end()
    stage.agrees()


@given(rounds(erase_some, stutter, die), st.sampled_from(WHO))
def test_of_a_person_erased_nothing_is_left_anywhere(acts: list[Act], who: str) -> None:
    stage = played(acts)
    names = stage.person(who)
    stage.erase(names)
    stage.end()
    stage.agrees()
    held = remembered(stage.workers)
    # A number, or two letters, stand in any bytes.
    assert {name for name in names if len(name) > 2 and name.encode() in held} == set()
    tables = stage.workers[0].tables
    rows = [row for table in tables.rows for row in tables.rows[table].values()]
    assert [row for row in rows if getattr(row, "visitor_id", "") in names] == []


@given(rounds(erase_some, stutter, die), st.sampled_from(WHO[:2]), st.lists(work, max_size=12))
def test_no_person_that_somebody_erased_had_left_keeps_the_name(
    acts: list[Act], who: str, meanwhile: list[Act]
) -> None:
    stage = played(acts, LINKED)  # who is shared leaves those who stay
    stage.erase({who}, meanwhile)
    finish_all(stage.workers)
    held = [worker.partition.states.items() for worker in stage.workers]
    assert [key for key, state in chain(*held) if key[:1] == PERSON and who.encode() in state] == []


@given(rounds(erase_some | erase_person), st.booleans())
def test_a_replay_brings_nobody_back(acts: list[Act], is_kept: bool) -> None:
    stage = played(acts)
    stage.end()
    stage.agrees()
    before = set(stage.workers[0].tables.rows["touchpoints"])
    stage.replay(is_kept=is_kept)
    finish_all(stage.workers)
    if is_kept:  # then not even for a moment
        assert set(stage.workers[0].tables.rows["touchpoints"]) == before
    stage.end()
    stage.agrees()


@pytest.mark.parametrize("effects", range(12))
def test_dying_amid_an_erasure_leaves_the_name_with_nobody(effects: int) -> None:
    stage = Stage()
    stage.say("ada", "Page Viewed", {"user_id": "8"}, 0, 0)
    stage.say("bob", "Page Viewed", {"user_id": "8"}, 0, 0)
    finish_all(stage.workers)
    stage.erase(["user:8"])
    graph = stage.workers[partition_for(SITE.encode(), PARTITIONS)]
    graph.work(9)
    graph.die(effects)
    stage.say("ada", "Page Viewed", {"user_id": "7"}, 0, 0)
    stage.end()
    stage.agrees()
