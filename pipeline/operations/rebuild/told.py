"""What a rebuild writes into the log: touchpoints in order of time, once more. PURE."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import fields

from pipeline.journey.messages import Rebuild, encode_message
from pipeline.kafka.records import Row, partition_for
from schemas.codec import encode
from schemas.topics import record_key
from schemas.touchpoint import Touchpoint, visitor_of

COLUMNS = tuple(field.name for field in fields(Touchpoint))
"""The columns that are replayed; the others are recomputed."""

_NAMES = 5_000
"""Most names in one message: even the longest stay below Kafka's limit."""


class Told(NamedTuple):
    """A replayed touchpoint: when it happened, its record's key and value."""

    occurred_at: str
    key: bytes
    value: bytes


def told_row(row: dict[str, Any], rebuild: int) -> Told:
    """Replay a row of the table; it has `COLUMNS` and `kafka_offset`, and is consumed."""
    offset = row.pop("kafka_offset")
    row["properties"] = msgspec.Raw(row["properties"].encode())
    return _told(row, rebuild, offset)


class Placed(NamedTuple):
    """A touchpoint that is not in the table, and its first offset in the log; None: it has none."""

    touchpoint: Touchpoint
    offset: int | None = None


def told_touchpoint(one: Placed, rebuild: int) -> Told:
    """Send a touchpoint that is not in the table."""
    return _told(msgspec.structs.asdict(one.touchpoint), rebuild, one.offset)


def _told(row: dict[str, Any], rebuild: int, offset: int | None) -> Told:
    key = record_key(row["site"], visitor_of(row["anonymous_id"], row["user_id"]))
    value = encode({"again": {"rebuild": rebuild, "offset": offset, "touchpoint": row}})
    at = row["occurred_at"]
    return Told(at if isinstance(at, str) else _iso(at), key, value)


def _iso(at: Any) -> str:
    """Write a time as ClickHouse does, so that the two can be compared."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def by_partition(told: Iterable[Told], partitions: int, now: int) -> dict[int, list[Row]]:
    """Sort records into the partitions of their keys; `now` is their timestamp."""
    batches: dict[int, list[Row]] = defaultdict(list)
    for one in told:
        batches[partition_for(one.key, partitions)].append((one.key, one.value, now))
    return batches


def begin(site: str, at: int, names: list[str]) -> Iterator[bytes]:
    """Give the messages that begin a rebuild; without `names` it covers everybody."""
    for start in range(0, len(names) or 1, _NAMES):
        some = names[start : start + _NAMES]
        yield encode_message(Rebuild(site, at, "begin", at, some))


def go_on(site: str, at: int, now: int) -> bytes:
    """Give the message that the rebuild continues."""
    return encode_message(Rebuild(site, at, "go_on", now))


def end(site: str, at: int, now: int, until: int) -> bytes:
    """Give the message that ends it, with the time of the site being `until`, or later."""
    return encode_message(Rebuild(site, at, "end", now, now=until))
