"""Bytes to contracts and back, fast. Floor 1: imports nothing of ours.

msgspec reads and writes the same contracts that pydantic validates and documents. A test checks
both with the same golden examples.
"""

import re
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec.structs import fields

from schemas.contract import Contract
from schemas.dead_letter import DeadLetter, Reason
from schemas.facts import Fact
from schemas.fields import (
    LONGEST_SITE,
    PRINTABLE,
    SITE,
    Count,
    Instant,
    JsonObject,
    Order,
    Site,
)
from schemas.touchpoint import Enrichment, Touchpoint, visitor_of


class _Strict(Touchpoint, kw_only=True):
    """A touchpoint with all constraints, to find out what is wrong with one."""

    site: Site


_encoder = msgspec.json.Encoder()
_touchpoints = msgspec.json.Decoder(Touchpoint)
_strict = msgspec.json.Decoder(_Strict)

encode = _encoder.encode

_TEXTS = [
    field.name
    for field in fields(Touchpoint)
    if field.type not in (bool, JsonObject, Instant, Instant | None, Order)
]
_printable = re.compile(PRINTABLE).fullmatch
# As numbers: searching for a byte takes five times as long if it is given as bytes.
_BACKSLASH, _DELETE, _COMMA = b"\\\x7f,"


class Tick(Contract, kw_only=True):
    """Time in the log: sessions end and carts are abandoned when nothing else arrives.

    Without a `site` it applies to every site whose log time is less than a day behind it; with one
    (the end of an import) to that site alone.
    """

    tick: Instant
    site: Site | None = None


class Again(Contract, kw_only=True):
    """A touchpoint replayed by the rebuild of its site that began at `rebuild` (ms).

    `offset` is its first offset in the log; None: it was not in the log.
    """

    rebuild: Count
    touchpoint: msgspec.Raw
    offset: Count | None = None


_AGAIN_PREFIX = b'{"again":'
_TICK_PREFIX = b'{"tick":'
_ticks = msgspec.json.Decoder(Tick)
_agains = msgspec.json.Decoder(dict[Literal["again"], Again])


class Refused(ValueError):
    """Input that breaks its contract: the closed `reason`, and a sentence for a person."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def decode_touchpoint(value: bytes) -> Touchpoint:
    """Read a value of `touchpoints.raw`.

    Raises:
        Refused: the bytes are not JSON, break the contract, or name no visitor.
    """
    try:
        touchpoint = _read(value)
        properties = str(touchpoint.properties, "utf-8")
    except msgspec.ValidationError as error:
        raise Refused(reason_of(str(error)), str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.NOT_JSON, str(error)) from None
    if properties[0] != "{":
        raise Refused(Reason.INVALID_FIELD, "Expected `object` - at `$.properties`")
    if _BACKSLASH in value or _DELETE in value:  # JSON writes a control character in no other way
        _refuse_control_characters(touchpoint)
    if not visitor_of(touchpoint.anonymous_id, touchpoint.user_id):
        raise Refused(Reason.NO_VISITOR_ID, "neither anonymous_id nor user_id is set")
    return touchpoint


def _read(value: bytes) -> Touchpoint:
    """Read a touchpoint; matching its site too would take as long as everything else.

    The error is always that of the strict contract: the first of several in the text.
    """
    try:
        touchpoint = _touchpoints.decode(value)
        if len(touchpoint.site) <= LONGEST_SITE and _is_site(touchpoint.site):
            return touchpoint
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return _strict.decode(value)


@lru_cache(maxsize=4096)
def _is_site(text: str) -> bool:
    return re.search(SITE, text) is not None


def _refuse_control_characters(touchpoint: Touchpoint) -> None:
    for name in _TEXTS:
        if not _printable(getattr(touchpoint, name)):
            raise Refused(Reason.INVALID_FIELD, f"control character - at `$.{name}`")


def is_tick(value: bytes) -> bool:
    """Distinguish a tick from a touchpoint by its first bytes."""
    return value.startswith(_TICK_PREFIX)


def decode_tick(value: bytes) -> Tick:
    """Read a tick.

    Raises:
        Refused: the bytes only look like a tick.
    """
    try:
        return _ticks.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.INVALID_FIELD, str(error)) from None


def encode_again(again: Again) -> bytes:
    """Write a replayed touchpoint as one line of JSON."""
    return encode({"again": again})


def is_again(value: bytes) -> bool:
    """Recognise a replayed touchpoint by its first bytes."""
    return value.startswith(_AGAIN_PREFIX)


def decode_again(value: bytes) -> Again:
    """Read a replayed touchpoint, except for the touchpoint itself.

    Raises:
        Refused: the bytes only look like one.
    """
    try:
        return _agains.decode(value)["again"]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError) as error:
        raise Refused(Reason.INVALID_FIELD, str(error)) from None


def reason_of(complaint: str) -> Reason:
    """Sort a msgspec validation message into the closed list of reasons."""
    if complaint.startswith("Object missing required field"):
        return Reason.MISSING_FIELD
    if "$.type" in complaint:
        return Reason.UNKNOWN_TYPE
    if "$.channel" in complaint:
        return Reason.UNKNOWN_CHANNEL
    if complaint.endswith("_at`"):
        return Reason.INVALID_TIME
    if complaint.startswith("Expected `object`") and "$" not in complaint:
        return Reason.NOT_AN_OBJECT
    return Reason.INVALID_FIELD


def encode_row(
    touchpoint: Touchpoint, enrichment: Enrichment, buffer: bytearray | None = None
) -> bytes:
    """Write a row of `touchpoints`: both parts as one JSON object.

    The second part is written directly after the first instead of being copied there; with a
    `buffer` kept for many rows, this takes two thirds of the time.
    """
    row = bytearray() if buffer is None else buffer
    _encoder.encode_into(touchpoint, row)
    end = len(row) - 1
    _encoder.encode_into(enrichment, row, end)
    row[end] = _COMMA
    return bytes(row)


def encode_fact(fact: Fact | DeadLetter) -> bytes:
    """Write a row of the table that the fact belongs to."""
    return _encoder.encode(fact)
