"""The tracker of one partition over a log in memory: chunks, crashes, a changelog, tables."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from pipeline.journey.rules import Rules, compile_rules
from pipeline.oracle import FileRecord
from pipeline.records import Row
from pipeline.tracker.partition import Partition
from pipeline.tracker.steps import Output, process
from schemas.codec import Tick, encode
from schemas.dead_letter import DeadLetter
from schemas.facts import Abandonment, Session, Transition
from schemas.topics import RAW, TABLES, TOUCHPOINTS, record_key
from schemas.touchpoint import TouchpointRow, visitor_of
from tests.support.journeys import NOON, RULES, SITE, VISITOR

AnyRow = TouchpointRow | Session | Transition | Abandonment | DeadLetter

ROW_OF: dict[str, type[AnyRow]] = {
    "touchpoints": TouchpointRow,
    "sessions": Session,
    "transitions": Transition,
    "abandonments": Abandonment,
    "dead_letters": DeadLetter,
}

_LIFECYCLE = RULES.models[0].model
QUICK = compile_rules(
    [
        _LIFECYCLE.model_copy(
            update={
                "abandonment": tuple(
                    rule.model_copy(update={"recovery": timedelta(hours=3)})
                    for rule in _LIFECYCLE.abandonment
                )
            }
        )
    ],
    allowed_lateness=timedelta(hours=2),
    journey_timeout=timedelta(hours=5),
)
"""The default rules, but everything is over within a day."""


def instant(milliseconds: int) -> datetime:
    """Give a time of the log as a datetime."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def touchpoint(id_: str, at: int, **more: Any) -> bytes:
    """Write a value of `touchpoints.raw`: `at` in milliseconds, fields of `Touchpoint` in `more`."""
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

    records: list[FileRecord] = field(default_factory=list)

    def add(self, value: bytes | None, at: int = NOON, key: bytes | None = None) -> None:
        """Append a record with the timestamp `at`."""
        self.records.append(FileRecord(len(self.records), at, value, key))

    def say(self, value: bytes, at: int = NOON) -> None:
        """Append a record with its proper key."""
        self.add(value, at, key_of(value))


def run(
    log: Log, rules: Rules = RULES, partition: Partition | None = None, partitions: int = 1
) -> Output:
    """Take the whole log through the steps as one chunk."""
    return process(partition or Partition(0), log.records, rules, partitions, _untimed)


def written(output: Output, topic: str) -> list[Any]:
    """Give the rows that a chunk has written to `topic`."""
    return [_row(topic, row) for row in output.rows.get(topic, ())]


def _row(topic: str, row: Row) -> AnyRow:
    return msgspec.json.decode(row[1] or b"", type=ROW_OF[TABLES[topic]])


def _untimed(_name: str, step: Callable[[], None]) -> None:
    step()


def id_of(row: AnyRow) -> str:
    """Name a row as its table does."""
    return str(getattr(row, type(row).__slots__[0])) if not _is_touchpoint(row) else _touchpoint_id(row)


def _is_touchpoint(row: AnyRow) -> bool:
    return isinstance(row, TouchpointRow)


def _touchpoint_id(row: Any) -> str:
    return f"{row.site} {row.touchpoint_id}"
