"""A site is told anew, whatever happens meanwhile, and ends as the oracle says."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from pipeline.operations.rebuild import told
from pipeline.operations.rebuild.told import COLUMNS, by_partition, told_row
from pipeline.tracker.rebuild import SILENCE
from schemas.touchpoint import TouchpointRow
from tests.support.journeys import DAY, HOUR, MINUTE, NOON, SITE
from tests.support.tracker import LINKED, Log, Worker, finish_all, line, tick
from tests.unit.tracker.test_linked import differences, end, lived, new_logs, say, traffic

LATER = NOON + 300 * DAY
"""When sites are told anew; the log's time is that of the history until then."""


FACTS = ("sessions", "transitions", "abandonments", "identities", "links")


def facts(workers: list[Worker]) -> dict[str, dict[str, dict[str, Any]]]:
    """What the tables hold, without how it came about."""
    return {table: dict(_named(workers, table)) for table in FACTS}


def _named(workers: list[Worker], table: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in workers[0].tables.of(table):
        ids = ("session_id", "transition_id", "abandonment_id", "visitor_id", "identifier")
        name = " ".join(str(row.get(id_, "")) for id_ in ids)
        yield name, {key: value for key, value in row.items() if key != "version"}


class Teller:
    """A rebuild, step by step, as `touchstream rebuild` does it."""

    def __init__(self, workers: list[Worker], at: int = LATER, names: tuple[str, ...] = ()) -> None:
        self.workers, self.at, self.names = workers, at, names
        self.ends: list[int] = []
        self.rows: list[dict[str, Any]] = []

    def say(self, value: bytes) -> None:
        for worker in self.workers:
            worker.log.add(value, self.at)

    def begin(self) -> None:
        for value in told.begin(SITE, self.at, list(self.names)):
            self.say(value)
        self.ends = [len(worker.log.records) for worker in self.workers]
        finish_all(self.workers)
        self.rows = self.known()

    def known(self) -> list[dict[str, Any]]:
        """The rows of the table, in order of time."""
        rows = [row for row in self.workers[0].tables.of("touchpoints") if self.is_ours(row)]
        return sorted(rows, key=lambda row: (row["occurred_at"], row["kafka_offset"]))

    def is_ours(self, row: dict[str, Any]) -> bool:
        return row["site"] == SITE and (not self.names or row["visitor_id"] in self.names)

    def tell(self, rows: list[dict[str, Any]]) -> None:
        again = [told_row(_columns(row), self.at) for row in rows]
        for number, batch in by_partition(again, len(self.workers), self.at).items():
            for key, value, at in batch:
                self.workers[number].log.add(value, at, key)

    def end(self) -> None:
        finish_all(self.workers)
        self.say(told.end(SITE, self.at, self.at, 0))
        finish_all(self.workers)
        known = {row["touchpoint_id"] for row in self.rows}
        self.tell([row for row in self.known() if row["touchpoint_id"] not in known])
        finish_all(self.workers)
        self.void()

    def void(self) -> None:
        for table in FACTS:
            rows = self.workers[0].tables.rows[table]
            for id_, row in list(rows.items()):
                columns = asdict(row)
                is_older = columns["version"] < self.ends[columns["kafka_partition"]]
                if self.is_ours(columns) and is_older:
                    del rows[id_]

    def all(self) -> None:
        self.begin()
        self.tell(self.rows)
        self.end()


def _columns(row: dict[str, Any]) -> dict[str, Any]:
    columns = {name: row[name] for name in (*COLUMNS, "kafka_offset")}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in columns.items()
    }


def merge(one: list[Log], other: list[Log]) -> list[Log]:
    """One log behind the other."""
    logs = new_logs()
    for log, *parts in zip(logs, one, other, strict=True):
        for part in parts:
            for record in part.records:
                log.add(record.value, record.timestamp, record.key)
    return logs


@given(traffic())
def test_a_site_told_anew_has_the_same_facts(logs: list[Log]) -> None:
    workers = lived(logs)
    before = facts(workers)
    Teller(workers).all()
    assert facts(workers) == before
    assert differences(workers) == []


@given(traffic(), traffic(), st.lists(st.integers(0, 3), min_size=14, max_size=14))
def test_what_is_done_meanwhile_counts_as_if_nothing_had_been(
    logs: list[Log], live: list[Log], stages: list[int]
) -> None:
    """`stages` says in which stage of the rebuild each of the live touchpoints arrives."""
    live = later(live)
    plain = line(merge(logs, live), LINKED)
    end(plain)
    workers = line(logs, LINKED)
    finish_all(workers)
    told_anew = Teller(workers)
    parts: list[Callable[[], None]] = [
        told_anew.begin,
        lambda: told_anew.tell(told_anew.rows),
        told_anew.end,
        lambda: end(workers),
    ]
    for stage, part in enumerate(parts):
        for log, worker in zip(live, workers, strict=True):
            for record, when in zip(log.records, stages, strict=False):
                if when == stage:
                    worker.log.add(record.value, record.timestamp, record.key)
        part()
    assert differences(workers) == []
    assert facts(workers) == facts(plain)


def later(logs: list[Log]) -> list[Log]:
    """The same a day later, as touchpoints of other ids."""
    moved = new_logs()
    for log, to in zip(logs, moved, strict=True):
        for record in log.records:
            value = (record.value or b"").replace(b'"t', b'"live-')
            for day in (3, 2, 1):
                value = value.replace(b"2026-01-0%d" % day, b"2026-01-0%d" % (day + 1))
            to.add(value, record.timestamp + DAY, record.key)
    return moved


@given(traffic(), st.integers(0, 14))
def test_one_that_was_interrupted_and_began_again_ends_the_same(logs: list[Log], most: int) -> None:
    workers = lived(logs)
    before = facts(workers)
    broken = Teller(workers)
    broken.begin()
    broken.tell(broken.rows[:most])
    again = Teller(workers, LATER + 1)
    again.begin()
    broken.tell(broken.rows[most:])  # what was still on its way
    again.tell(again.rows)
    again.end()
    assert facts(workers) == before
    assert differences(workers) == []


@given(traffic(), st.data())
def test_trackers_that_die_anywhere_end_the_same(logs: list[Log], data: st.DataObject) -> None:
    workers = lived(logs)
    before = facts(workers)
    teller = Teller(workers)
    teller.begin()
    teller.tell(teller.rows)
    for worker in workers:
        for _ in range(data.draw(st.integers(0, 3))):
            worker.work(data.draw(st.integers(1, 5)))
            if data.draw(st.booleans()):
                worker.hurry()
            worker.die(data.draw(st.integers(0, 20)))
    teller.end()
    assert facts(workers) == before
    assert differences(workers) == []


@given(traffic())
def test_some_people_can_be_told_anew(logs: list[Log]) -> None:
    workers = lived(logs)
    before = facts(workers)
    identities = list(workers[0].tables.of("identities"))
    people = {row["person_id"] for row in identities if row["visitor_id"] == "ada"}
    names = {row["visitor_id"] for row in identities if row["person_id"] in people} | {"ada"}
    Teller(workers, names=tuple(sorted(names))).all()
    assert facts(workers) == before
    assert differences(workers) == []


@given(traffic(), st.sets(st.integers(0, 13), min_size=1))
def test_rows_that_are_gone_leave_no_fact_behind(logs: list[Log], gone: set[int]) -> None:
    ids = {f"t{number}" for number in gone}
    workers = lived(logs)
    rows = workers[0].tables.rows["touchpoints"]
    for id_, row in list(rows.items()):
        if isinstance(row, TouchpointRow) and row.touchpoint_id in ids:
            del rows[id_]
    Teller(workers).all()
    assert differences(workers) == []
    without = line(only_touchpoints(logs, ids), LINKED)
    finish_all(without)
    # How far silence was judged is not the same.
    for table in ("sessions", "transitions", "identities", "links"):
        assert facts(workers)[table] == facts(without)[table]


def only_touchpoints(logs: list[Log], without: set[str]) -> list[Log]:
    """The log as it would be if those of the ids `without` had never been sent."""
    kept = new_logs()
    for log, to in zip(logs, kept, strict=True):
        for record in log.records:
            value = record.value or b""
            is_touchpoint = value.startswith(b'{"touchpoint_id"')
            if is_touchpoint and not any(f'"{id_}"'.encode() in value for id_ in without):
                to.add(value, record.timestamp, record.key)
    return kept


def test_what_came_too_late_counts_when_it_is_told_anew() -> None:
    logs = new_logs()
    say(logs, "new", NOON + 9 * DAY, NOON + 9 * DAY)
    say(logs, "old", NOON, NOON + 9 * DAY)
    workers = lived(logs)
    assert [row["is_late"] for row in workers[0].tables.of("touchpoints")] == [False, True]
    Teller(workers).all()
    assert [row["is_late"] for row in workers[0].tables.of("touchpoints")] == [False, False]
    assert len(list(workers[0].tables.of("sessions"))) == 2
    assert differences(workers) == []


def test_a_rebuild_that_falls_silent_lets_what_is_done_count_again() -> None:
    logs = new_logs()
    say(logs, "a", NOON, NOON)
    workers = lived(logs)
    teller = Teller(workers)
    teller.begin()
    teller.tell(teller.rows)
    teller.say(tick(LATER + SILENCE))
    say([worker.log for worker in workers], "held", NOON + HOUR, LATER)
    teller.say(tick(LATER + SILENCE + 1))
    say([worker.log for worker in workers], "b", NOON + HOUR + MINUTE, LATER)
    finish_all(workers)
    assert [row["touchpoints"] for row in workers[0].tables.of("sessions")] == [1, 1]
    assert differences(workers) == []
    Teller(workers, LATER + 1).all()
    assert sorted(row["touchpoints"] for row in workers[0].tables.of("sessions")) == [1, 2]
    assert differences(workers) == []
