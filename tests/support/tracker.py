"""The tracker of one partition over a log in memory: chunks, crashes, a changelog, tables."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import asdict

import schemas
from pipeline.journey.people import Limits
from pipeline.journey.rules import Rules, compile_rules
from pipeline.kafka.in_memory import Fetched
from pipeline.kafka.records import Row
from pipeline.tracker.output import Output
from pipeline.tracker.partition import Partition
from pipeline.tracker.steps import checkpoint, process
from schemas.codec import Tick, encode
from schemas.dead_letter import DeadLetter
from schemas.facts import Abandonment, Identity, Link, Session, Transition
from schemas.topics import RAW, TABLES, record_key
from schemas.touchpoint import TouchpointRow, visitor_of
from tests.support.journeys import NOON, RULES, SITE, VISITOR

AnyRow = TouchpointRow | Session | Transition | Abandonment | Identity | Link | DeadLetter

ROW_OF: dict[str, type[AnyRow]] = {
    "touchpoints": TouchpointRow,
    "sessions": Session,
    "transitions": Transition,
    "abandonments": Abandonment,
    "identities": Identity,
    "links": Link,
    "dead_letters": DeadLetter,
}

_LIFECYCLE = RULES.models[0].model
QUICK = compile_rules(
    [
        _LIFECYCLE.model_copy(
            update={
                "abandonment": tuple(
                    rule.model_copy(
                        update={
                            "timeout": min(rule.timeout, timedelta(hours=2)),
                            "limits": {"service": timedelta(hours=5.5)},
                            "recovery": timedelta(hours=3),
                        }
                    )
                    for rule in _LIFECYCLE.abandonment
                )
            }
        )
    ],
    allowed_lateness=timedelta(hours=2),
    journey_timeout=timedelta(hours=5),
    customer_timeout=timedelta(hours=9),
    evidence_retention=timedelta(hours=2),
)
"""The default rules, but everything is over within a day."""

LINKED = compile_rules(
    [model.model for model in QUICK.models],
    allowed_lateness=timedelta(hours=2),
    journey_timeout=timedelta(hours=5),
    customer_timeout=timedelta(days=9),
    evidence_retention=timedelta(days=9),
    limits=Limits(visitors=3, identifiers=2),
)
"""The same, but evidence is kept for as long as links may come, and four are too many."""


def instant(milliseconds: int) -> datetime:
    """Give a time of the log as a datetime."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def touchpoint(id_: str, at: int, **more: Any) -> bytes:
    """Write a value of `touchpoints.raw` of the time `at`; `more` are fields of `Touchpoint`."""
    who = {"anonymous_id": VISITOR} if not more.keys() & {"anonymous_id", "user_id"} else {}
    fields = {
        "touchpoint_id": id_,
        "site": SITE,
        "type": "track",
        "name": "Page Viewed",
        "channel": "website",
        "occurred_at": instant(at),
        "received_at": instant(at),
        "properties": {},
    }
    return encode(fields | who | more)


def tick(at: int, site: str | None = None) -> bytes:
    """Write a tick."""
    return encode(Tick(tick=instant(at), site=site))


def key_of(value: bytes) -> bytes | None:
    """Give the key that a producer of ours puts on `value`."""
    fields = msgspec.json.decode(value.split(b"\n")[0])
    if "tick" in fields:
        return None
    who = visitor_of(fields.get("anonymous_id", ""), fields.get("user_id", ""))
    return record_key(fields["site"], who)


@dataclass
class Log:
    """One partition of `touchpoints.raw`."""

    records: list[Fetched] = field(default_factory=list)
    partition: int = 0

    def add(self, value: bytes | None, at: int = NOON, key: bytes | None = None) -> None:
        """Append a record with the timestamp `at`."""
        self.records.append(Fetched(RAW.name, self.partition, len(self.records), at, key, value))

    def say(self, value: bytes, at: int = NOON) -> None:
        """Append a record with its proper key."""
        self.add(value, at, key_of(value))


def log_of(*values: bytes | None, key: bytes | None = b"shop:ada") -> Log:
    """Make a log of `values`, all of them with the same key and the timestamp of noon."""
    log = Log()
    for value in values:
        log.add(value, NOON, key)
    return log


def run(
    log: Log, rules: Rules = RULES, partition: Partition | None = None, partitions: int = 1
) -> Output:
    """Take the whole log through the steps as one chunk, with a checkpoint after it."""
    partition = partition or Partition(0)
    output = process(partition, log.records, rules, partitions, untimed)
    for part in checkpoint(partition, rules, partitions, untimed):
        for topic, rows in part.rows.items():
            output.rows.setdefault(topic, []).extend(rows)
        output.state += part.state
        output.offset = part.offset
    return output


def written(output: Output, topic: str) -> list[Any]:
    """Give the rows that a chunk has written to `topic`."""
    return [_row(topic, row) for row in output.rows.get(topic, ())]


def _row(topic: str, row: Row) -> AnyRow:
    return msgspec.json.decode(row[1] or b"", type=ROW_OF[TABLES[topic]])


def untimed(_name: str, step: Callable[[], None]) -> None:
    """Run a step without timing it."""
    step()


MIGRATIONS = Path(schemas.__file__).parent / "clickhouse"

_SORTING = re.compile(r"^(?:PARTITION|ORDER) BY (.+)$", re.MULTILINE)
_SORTED = {
    chunk.split()[0]: [
        column
        for line in _SORTING.findall(chunk.split("SETTINGS")[0])
        for column in re.findall(r"[a-z_]+\b(?!\()", line)
    ]
    for path in sorted(MIGRATIONS.glob("*.sql"))
    for chunk in path.read_text().split("CREATE TABLE ")[1:]
}
"""The columns by which ClickHouse sorts and parts each table."""


@dataclass
class Tables:
    """What ClickHouse makes of the topics; `query` stands in for its client.

    Of rows with the same id the highest version stays, of touchpoints the first one of the log.
    Two rows of the same id and version must be the same row: that is what replays rely on. A
    touchpoint that is told again may be late no longer.
    """

    rows: dict[str, dict[str, AnyRow]] = field(
        default_factory=lambda: {table: {} for table in ROW_OF}
    )

    def insert(self, topic: str, row: Row) -> None:
        """Take a record of `topic`."""
        table = self.rows[TABLES[topic]]
        new = _row(topic, row)
        old = table.setdefault(_name(new), new)
        for column in _SORTED[TABLES[topic]]:  # else ClickHouse would keep both rows
            assert getattr(new, column) == getattr(old, column), column
        if _precedence(new) == _precedence(old):
            assert _as_told_again(old, new) == new
            table[_name(new)] = new
        elif _precedence(new) > _precedence(old):
            table[_name(new)] = new

    def query(self, sql: str) -> "Tables":
        """Answer `SELECT * FROM table FINAL`, whatever follows."""
        table = sql.split()[3]
        return replace(self, rows={table: self.rows[table]})

    def named_results(self) -> Iterator[dict[str, Any]]:
        """Give the rows as clickhouse-connect does."""
        for table in self.rows:
            yield from self.of(table)

    def of(self, table: str) -> Iterator[dict[str, Any]]:
        """Give the rows of one table that are not deleted."""
        for row in self.rows[table].values():
            if not getattr(row, "is_deleted", False):
                yield _columns(row)


def _as_told_again(old: AnyRow, new: AnyRow) -> AnyRow:
    if isinstance(old, TouchpointRow) and isinstance(new, TouchpointRow):
        return msgspec.structs.replace(old, is_late=new.is_late)
    return old


def _name(row: AnyRow) -> str:  # noqa: PLR0911 - one for each table
    match row:
        case TouchpointRow():
            return f"{row.site} {row.visitor_id} {row.touchpoint_id}"
        case Session():
            return row.session_id
        case Transition():
            return row.transition_id
        case Abandonment():
            return row.abandonment_id
        case Identity():
            return f"{row.site} {row.visitor_id}"
        case Link():
            return f"{row.site} {row.visitor_id} {row.identifier}"
        case DeadLetter():
            return row.dead_letter_id


def _precedence(row: AnyRow) -> int:
    if isinstance(row, TouchpointRow):
        return -row.kafka_offset
    return 0 if isinstance(row, DeadLetter) else row.version


def _columns(row: AnyRow) -> dict[str, Any]:
    columns = asdict(row)
    if isinstance(row, TouchpointRow):
        columns["properties"] = bytes(row.properties).decode()
    return columns


@dataclass
class Worker:
    """A tracker that owns one partition of several, and may die at any place.

    `committed`, `changelog` and `tables` outlive it; what is `pending` has been computed but not
    been sent. Messages go to the logs of `others`, by number; alone it owns them all.
    """

    log: Log
    rules: Rules = RULES
    committed: int = 0
    changelog: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    tables: Tables = field(default_factory=Tables)
    position: int = 0
    pending: list[Output] = field(default_factory=list)
    others: list["Worker"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.partition = Partition(self.log.partition)

    @property
    def _partitions(self) -> int:
        return len(self.others) or 1

    def work(self, most: int) -> None:
        """Take the next chunk, of at most `most` records."""
        records = self.log.records[self.position : self.position + most]
        if records:
            records = records[: len(self.partition.stretch(records))]
            output = process(self.partition, records, self.rules, self._partitions, untimed)
            self.pending.append(output)
            self.position += len(records)
            if self.partition.is_due:
                self.checkpoint()

    def checkpoint(self) -> None:
        """Make a checkpoint: the states of all that was read so far."""
        if self.partition.is_ahead or self.partition.waiting:
            self.pending += checkpoint(self.partition, self.rules, self._partitions, untimed)

    def hurry(self) -> None:
        """Make a checkpoint durable that leaves out all whose touchpoints are out of order."""
        self.pending += checkpoint(self.partition, self.rules, self._partitions, untimed, most=0)
        self._deliver(len(self._effects()))
        self.pending.clear()
        if not self.partition.waiting:
            self.partition.note_durable(self.partition.position)
            self.committed = self.position

    def send(self) -> None:
        """Make everything pending durable, then commit."""
        self.checkpoint()
        self._deliver(len(self._effects()))
        self.partition.note_durable(self.partition.position)
        self.committed = self.position
        self.pending.clear()

    def stutter(self, effects: int) -> None:
        """Send the first `effects`, hear of a failure, and send everything again."""
        self.checkpoint()
        self._deliver(effects)
        self.send()

    def die(self, effects: int, *, is_compacted: bool = False, has_committed: bool = False) -> None:
        """Send the first `effects` of all that is pending, die, and begin again.

        If it `has_committed`, then all that the changelog says is complete.
        """
        self.checkpoint()
        self._deliver(effects)
        if is_compacted:
            newest = {key: number for number, (key, _) in enumerate(self.changelog)}
            self.changelog = [self.changelog[number] for number in sorted(newest.values())]
        self.partition = Partition(self.log.partition)
        self.pending.clear()
        for key, value in self.changelog:
            self.partition.restore(key, value)
        if has_committed:
            self.committed = max(self.committed, self.partition.offset + 1)
        self.position = self.committed

    def finish(self) -> "Tables":
        """Do the rest record by record, what comes of it included; give the tables."""
        self.send()
        while self.position < len(self.log.records):
            while self.position < len(self.log.records):
                self.work(1)
            self.send()
        return self.tables

    def _effects(self) -> list[tuple[str | int, Row]]:
        """In order: places, all rows, messages by partition, states, which have no topic here."""
        places = [("", output.place) for output in self.pending if output.place]
        rows: list[tuple[str | int, Row]] = [
            (topic, row)
            for output in self.pending
            for topic, batch in output.rows.items()
            for row in batch
        ]
        messages = [
            (number, row)
            for output in self.pending
            for number, batch in output.messages.items()
            for row in batch
        ]
        states = [("", row) for output in self.pending for row in output.state]
        return [*places, *rows, *messages, *states]

    def _deliver(self, effects: int) -> None:
        for to, row in self._effects()[:effects]:
            if isinstance(to, int):
                log = self.others[to].log if self.others else self.log
                log.add(row[1], row[2], row[0])
            elif to:
                self.tables.insert(to, row)
            else:
                self.changelog.append((row[0] or b"", row[1]))


def line(logs: list[Log], rules: Rules = RULES) -> list[Worker]:
    """Give a worker for each partition, all of them writing to the same tables."""
    tables = Tables()
    workers = [Worker(log, rules, tables=tables) for log in logs]
    for worker in workers:
        worker.others = workers
    return workers


def finish_all(workers: list[Worker]) -> None:
    """Do the rest of all partitions, and what they still say to each other."""
    while any(worker.position < len(worker.log.records) or worker.pending for worker in workers):
        for worker in workers:
            worker.finish()
