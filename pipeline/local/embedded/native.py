"""What chdb leaves out of the Native format. Pure: bytes in, bytes out.

For an empty result chdb writes nothing; a server sends the names and types of the columns. chdb
writes blocks as the oldest clients read them; once a client names its protocol version, a server
puts information before each block and a byte before each column. clickhouse-connect notices the
difference and copes; clickhouse-go, and so Grafana's data source, does not.
"""

from collections.abc import Iterable
from typing import Any

from clickhouse_connect.datatypes.container import Array, Map, Tuple
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.datatypes.special import SimpleAggregateFunction
from clickhouse_connect.datatypes.string import String
from clickhouse_connect.driver.common import write_leb128

REVISION_WITH_SERIALISATION = 54454
"""Clients that name this `client_protocol_version` or a later one expect a byte per column."""

_BLOCK_INFORMATION = b"\x01\x00\x02\xff\xff\xff\xff\x00"  # no overflow row, no bucket number
_USUAL_SERIALISATION = b"\x00"


class UnknownTypeError(Exception):
    """The size of a column of this type cannot be computed."""


def empty_block(columns: Iterable[tuple[str, str]]) -> bytes:
    """Write the block of a result without rows, given the names and types of its columns."""
    described = list(columns)
    block = bytearray()
    write_leb128(len(described), block)
    write_leb128(0, block)
    for text in (text.encode() for column in described for text in column):
        write_leb128(len(text), block)
        block += text
    return bytes(block)


def with_block_information(body: bytes) -> bytes:
    """Add to plain blocks what clients expect from REVISION_WITH_SERIALISATION on.

    Raises UnknownTypeError for columns of JSON, Variant, Dynamic and aggregate function states.
    """
    out = bytearray()
    at = 0
    while at < len(body):
        start = at
        columns, at = _leb128(body, at)
        rows, at = _leb128(body, at)
        out += _BLOCK_INFORMATION + body[start:at]
        for _ in range(columns):
            start, at = at, _after_text(body, at, 1)
            named, at = at, _after_text(body, at, 1)
            column_type = get_from_name(_text(body, named))
            end = _after_column(body, at, column_type, rows)
            out += body[start:at] + _USUAL_SERIALISATION + body[at:end]
            at = end
    return bytes(out)


def _after_column(body: bytes, at: int, column_type: Any, rows: int) -> int:
    return _after(body, at + _prefix_size(column_type), column_type, rows) if rows else at


def _prefix_size(column_type: Any) -> int:
    """Count the version numbers of the LowCardinality types in a type: 8 bytes each."""
    if column_type.low_card:
        return 8
    return sum(_prefix_size(inner) for inner in _inner_types(column_type))


def _inner_types(column_type: Any) -> list[Any]:
    match column_type:
        case Array() | SimpleAggregateFunction():
            return [column_type.element_type]
        case Map():
            return [column_type.key_type, column_type.value_type]
        case Tuple():
            return list(column_type.element_types)
    return []


def _after(body: bytes, at: int, column_type: Any, rows: int) -> int:
    if column_type.low_card:
        return _after_low_cardinality(body, at, column_type, rows)
    return _after_values(body, at + rows * column_type.nullable, column_type, rows)


def _after_values(body: bytes, at: int, column_type: Any, rows: int) -> int:
    if isinstance(column_type, Array | Map):
        at += 8 * rows
        rows = _number(body, at - 8) if rows else 0
    elif isinstance(column_type, String):
        return _after_text(body, at, rows)
    inner = _inner_types(column_type)
    if not inner and not column_type.byte_size:
        raise UnknownTypeError(column_type.name)
    for each in inner:
        at = _after(body, at, each, rows)
    return at if inner else at + column_type.byte_size * rows


def _after_low_cardinality(body: bytes, at: int, column_type: Any, rows: int) -> int:
    if not rows:
        return at
    key_size = 1 << body[at]
    at = _after_values(body, at + 16, column_type, _number(body, at + 8))
    return at + 8 + key_size * _number(body, at)


def _after_text(body: bytes, at: int, count: int) -> int:
    for _ in range(count):
        size, at = _leb128(body, at)
        at += size
    return at


def _text(body: bytes, at: int) -> str:
    size, at = _leb128(body, at)
    return body[at : at + size].decode()


def _number(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 8], "little")


def _leb128(body: bytes, at: int) -> tuple[int, int]:
    """Read a number of variable length; return it and its end."""
    number = shift = 0
    while body[at] & 0x80:
        number |= (body[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return number | body[at] << shift, at + 1
