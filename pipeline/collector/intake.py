"""One Segment call becomes one touchpoint. PURE: no I/O, and the time of arrival is an argument.

Nothing that a call says is lost: what has no column stands in the properties, the rest of the
context under `properties.context`. Left out on purpose are the switches for other tools
(`integrations`, `_metadata`), the write key, and what `privacy` keeps out: e-mail addresses, of
which the hash stays, and `context.ip`: the column `ip` holds the network of the connection.

The constraints of `schemas.touchpoint` are held here in a faster way: lengths and nesting by the
decoder's types, control characters by a look at the bytes. A test compares both.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from pipeline.collector.arrival import Arrival
from pipeline.collector.clock import occurred, plausible
from pipeline.collector.consent import check_consent
from pipeline.collector.decoding import JsonObject, decoded, values
from pipeline.collector.names import Names
from pipeline.collector.vocabularies.segment import NAMES, told_channel, usual_channel
from pipeline.privacy.addresses import without_addresses
from schemas.codec import Refused, encode
from schemas.dead_letter import Reason
from schemas.fields import Channel, OptionalId
from schemas.touchpoint import Touchpoint, TouchpointType, visitor_of

_MOST_KEYS = 256
_LONGEST_TEXT = 4096
_LONGEST_LABEL = 256

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

_Word = OptionalId | None
_Id = OptionalId | Annotated[int, Meta(ge=0, le=2**63 - 1)] | None
_Time = Annotated[datetime, Meta(tz=True)] | None
_Value = TypeVar("_Value")


class _Call(Struct, Generic[_Value], rename="camel", gc=False):
    """A call of Segment's tracking API; all that is not named here is no business of ours."""

    type: TouchpointType | None = None
    message_id: _Word = None
    event: _Word = None
    anonymous_id: _Id = None
    user_id: _Id = None
    previous_id: _Id = None
    group_id: _Id = None
    name: str | None = None
    category: str | None = None
    properties: Annotated[dict[str, _Value], Meta(max_length=_MOST_KEYS)] | None = None
    traits: Annotated[dict[str, _Value], Meta(max_length=_MOST_KEYS)] | None = None
    context: Annotated[dict[str, _Value], Meta(max_length=_MOST_KEYS)] | None = None
    timestamp: _Time = None
    original_timestamp: _Time = None
    sent_at: _Time = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What an event may be at most: bytes of JSON, levels of nesting, age on arrival."""

    bytes: int
    depth: int
    age: timedelta


class Intake:
    """Reads calls within `limits`."""

    def __init__(self, limits: Limits, names: Names | None = None) -> None:
        """Take every name if there are no `names` to hold it against."""
        self._limits = limits
        self._names = names
        # The call and its `properties` are two levels; the types below them hold the others.
        inner: Any = values(limits.depth - 2, _MOST_KEYS)
        self._calls: msgspec.json.Decoder[_Call[Any]] = msgspec.json.Decoder(_Call[inner])

    def touchpoint(
        self, raw: bytes, arrival: Arrival, kind: TouchpointType | None = None
    ) -> Touchpoint:
        """Read one call; `kind` is its type where it names none itself.

        A call without `messageId` gets the hash of its site, bytes and time of arrival as id: its
        repetition is a second touchpoint, unless it comes in the same request.

        Raises:
            Refused: the call breaks the contract or the limits.
        """
        if len(raw) > self._limits.bytes:
            raise Refused(Reason.TOO_LARGE, f"an event has {self._limits.bytes} bytes at most")
        call = decoded(self._calls, raw)
        kind = call.type or kind
        if kind is None:
            raise Refused(Reason.MISSING_FIELD, "Object missing required field `type`")
        touchpoint = self._mapped(call, kind, raw, arrival)
        if b"\\" in raw or b"\x7f" in raw:  # nothing else can be a control character in JSON
            _hold_printable(touchpoint, raw)
        if self._names:
            self._names.check(arrival.site, touchpoint.name, arrival.received_at.date())
        return touchpoint

    def _mapped(
        self, call: _Call[Any], kind: TouchpointType, raw: bytes, arrival: Arrival
    ) -> Touchpoint:
        name = (call.event if kind == "track" else NAMES[kind]) or ""
        anonymous_id, user_id = _id(call.anonymous_id), _id(call.user_id)
        if not name:
            raise Refused(Reason.MISSING_FIELD, "a track call names its `event`")
        if not visitor_of(anonymous_id, user_id):
            anonymous_id = arrival.stranger
        if not visitor_of(anonymous_id, user_id):
            raise Refused(Reason.NO_VISITOR_ID, "neither anonymousId nor userId is set")
        sent_at = plausible(call.sent_at or arrival.sent_at)
        timestamp = call.original_timestamp or call.timestamp
        occurred_at = occurred(timestamp, sent_at, arrival.received_at, self._limits.age)
        context, properties = call.context or {}, call.properties or {}
        check_consent(context)
        if arrival.country:
            properties.setdefault("country", arrival.country)
        page = _page(kind, context, properties)
        return Touchpoint(
            touchpoint_id=call.message_id or _hash(raw, arrival),
            site=arrival.site,
            type=kind,
            name=name,
            channel=_channel(kind, name, context, properties),
            occurred_at=occurred_at,
            received_at=arrival.received_at,
            anonymous_id=anonymous_id,
            user_id=user_id,
            previous_id=_id(call.previous_id),
            sent_at=sent_at,
            ts_adjusted=timestamp is not None and occurred_at != timestamp,
            url=_taken(page, "url"),
            title=_taken(page, "title"),
            referrer=_taken(page, "referrer"),
            user_agent=_taken(context, "userAgent") or arrival.user_agent,
            locale=_taken(context, "locale", _LONGEST_LABEL),
            ip=arrival.ip,
            properties=_properties(call, properties, context, b"mail" in raw),
        )


def _hold_printable(touchpoint: Touchpoint, raw: bytes) -> None:
    """Refuse NUL anywhere and control characters in ids and names; in texts they become blanks."""
    if _NUL.search(raw):
        raise Refused(Reason.INVALID_FIELD, "NUL has no place in a touchpoint")
    for field in ("touchpoint_id", "name", "anonymous_id", "user_id", "previous_id"):
        if _CONTROL.search(getattr(touchpoint, field)):
            raise Refused(Reason.INVALID_FIELD, f"a control character in the {field}")
    for field in ("url", "title", "referrer", "user_agent", "locale"):
        setattr(touchpoint, field, _CONTROL.sub(" ", getattr(touchpoint, field)))


def _id(value: str | int | None) -> str:
    return "" if value is None else str(value)


def _hash(raw: bytes, arrival: Arrival) -> str:
    place = f"{arrival.site}\0{arrival.received_at.isoformat()}\0".encode()
    return hashlib.blake2b(place + raw, digest_size=16).hexdigest()


def _channel(
    kind: TouchpointType, name: str, context: JsonObject, properties: JsonObject
) -> Channel:
    if channel := told_channel(context.get("channel")):
        del context["channel"]
        return channel
    return told_channel(properties.get("channel")) or usual_channel(kind, name, properties)


def _page(kind: TouchpointType, context: JsonObject, properties: JsonObject) -> JsonObject:
    told = context.get("page")
    page: JsonObject = told if isinstance(told, dict) else {}
    if kind == "page":
        for field in ("url", "title", "referrer"):
            page.setdefault(field, properties.get(field))
    if page.get("referrer") == "$direct":  # so RudderStack and PostHog call none
        del page["referrer"]
    return page


def _taken(source: JsonObject, field: str, longest: int = _LONGEST_TEXT) -> str:
    text = source.pop(field, None)
    if text is None:
        return ""
    if not isinstance(text, str) or len(text) > longest:
        raise Refused(Reason.INVALID_FIELD, f"`{field}` is a text of {longest} characters at most")
    return text


def _properties(
    call: _Call[Any], properties: JsonObject, context: JsonObject, may_hold_address: bool
) -> Raw:
    for field, value in (
        ("name", call.name),
        ("category", call.category),
        ("groupId", call.group_id),
        ("traits", call.traits),
    ):
        if value is not None:
            properties.setdefault(field, value)
    context.pop("ip", None)
    if not context.get("page"):
        context.pop("page", None)
    if context:
        properties["context"] = context
    return Raw(encode(without_addresses(properties) if may_hold_address else properties))
