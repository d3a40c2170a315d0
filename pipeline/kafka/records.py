"""PURE: a Kafka record as we write it, and the partition it belongs to."""

from functools import lru_cache
from typing import NamedTuple, Protocol

from aiokafka.partitioner import murmur2

from schemas.topics import Headers


class Record(NamedTuple):
    """A record in a partition; a `value` of None is a tombstone."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int


class Carrying(Record):
    """A record with headers; everybody else unpacks it as any other."""

    headers: Headers = ()


def carrying(row: "Row", headers: Headers) -> Record:
    """Give a row with `headers`."""
    record = Carrying(*row)
    record.headers = headers
    return record


Row = tuple[bytes | None, bytes | None, int]
"""A record as a plain tuple: key, value, timestamp. `Record` is one with names."""


@lru_cache(maxsize=65_536)
def partition_for(key: bytes, partitions: int) -> int:
    """Choose the partition as Kafka's own default partitioner does, so every client agrees.

    Cached, because this murmur2 is pure Python and a visitor comes more than once.
    """
    hashed: int = murmur2(key)
    return (hashed & 0x7FFFFFFF) % partitions


class RawRecord(Protocol):
    """A consumed record, as aiokafka gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
