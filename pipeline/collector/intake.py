"""One Segment call becomes one touchpoint. PURE: no I/O, and the time of arrival is an argument.

Nothing in a call is lost: fields without a column stay in the properties, the rest of the context
under `properties.context`. Left out on purpose are the switches for other tools (`integrations`,
`_metadata`), the write key, and what `privacy` removes: e-mail addresses, of which the hash stays,
and `context.ip`, because the column `ip` has the network of the connection.

The constraints of `schemas.touchpoint` are enforced here in a faster way: lengths and nesting by
the decoder's types; control characters become blanks. A test compares both.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from pipeline.collector.arrival import Arrival
from pipeline.collector.clock import (
    LARGEST_LEAD,
    Clocks,
    occurred,
    plausible,
    sequence,
    with_readable_times,
)
from pipeline.collector.consent import check_consent
from pipeline.collector.decoding import JsonObject, decoded, json_value, values
from pipeline.collector.names import Names
from pipeline.collector.vocabularies.segment import NAMES, is_commerce, told_channel, usual_channel
from pipeline.privacy.addresses import without_addresses
from pipeline.values.identifiers import identifier
from pipeline.values.texts import harmless, line
from schemas.codec import Refused, encode
from schemas.dead_letter import Reason
from schemas.fields import LARGEST_SEQUENCE, LONGEST_ID, Channel
from schemas.touchpoint import Touchpoint, TouchpointType, visitor_of

_MOST_KEYS = 256
_LONGEST_TEXT = 4096
_LONGEST_LABEL = 256
_NUMBERS = (int, float)

_Id = str | int | float | bool | None
_Time = Annotated[datetime, Meta(tz=True)] | None
_Value = TypeVar("_Value")
_Shape = TypeVar("_Shape")


_NoObject = Annotated[list[None], Meta(max_length=0)]
"""PHP's empty object."""


class _Call(Struct, Generic[_Value], rename="camel", gc=False):
    """A call of Segment's tracking API; everything that is not named here is ignored."""

    type: TouchpointType | None = None
    message_id: _Id = None
    event: str | None = None
    anonymous_id: _Id = None
    user_id: _Id = None
    previous_id: _Id = None
    group_id: _Id = None
    name: str | None = None
    category: str | None = None
    properties: Annotated[dict[str, _Value], Meta(max_length=_MOST_KEYS)] | _NoObject | None = None
    traits: Annotated[dict[str, _Value], Meta(max_length=_MOST_KEYS)] | _NoObject | None = None
    context: Annotated[dict[str, _Value], Meta(max_length=_MOST_KEYS)] | _NoObject | None = None
    timestamp: _Time = None
    original_timestamp: _Time = None
    sent_at: _Time = None
    sequence: Any = None


class _Times(Struct, rename="camel", gc=False):
    """The part of a call that says when it happened."""

    timestamp: _Time = None
    original_timestamp: _Time = None


_times = msgspec.json.Decoder(_Times)


def _read(decoder: msgspec.json.Decoder[_Shape], call: bytes) -> _Shape:
    """Decode a call; times in another form than the decoder's are rewritten."""
    try:
        return decoded(decoder, call)
    except Refused as why:
        if why.reason is not Reason.INVALID_TIME:
            raise
    return decoded(decoder, encode(with_readable_times(json_value(call))))


def _times_of(call: bytes) -> _Times:
    try:
        return _read(_times, call)
    except Refused:
        return _Times()


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an event: bytes of JSON, levels of nesting, age on arrival."""

    bytes: int
    depth: int
    age: timedelta


class Intake:
    """Reads calls within `limits`.

    `placeholders` are words of each site that mean nobody, besides the usual ones.
    """

    def __init__(
        self,
        limits: Limits,
        names: Names | None = None,
        placeholders: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """Accept every name if there is no list of `names`."""
        self._limits = limits
        self._names = names
        self._placeholders = placeholders or {}
        self._clocks = Clocks()
        # The call and its `properties` are two levels; the types below them hold the others.
        inner: Any = values(limits.depth - 2, _MOST_KEYS)
        self._calls: msgspec.json.Decoder[_Call[Any]] = msgspec.json.Decoder(_Call[inner])

    def latest(self, calls: Iterable[bytes], received_at: datetime) -> datetime | None:
        """Give the latest time among `calls`, up to a day after their arrival."""
        told = map(_timestamp, map(_times_of, calls))
        return max((t for t in told if t and t <= received_at + LARGEST_LEAD), default=None)

    def touchpoint(
        self, raw: bytes, arrival: Arrival, kind: TouchpointType | None = None, place: int = 0
    ) -> Touchpoint:
        """Read one call; `kind` is its type if it names none, `place` its position in the request.

        A call without `messageId` gets a hash of what its sender has fixed as id, so a repeated
        call has the same id. If it has no time of its own, only its connection tells whether it is
        repeated (`repeats`). Two equal calls in one request are two.

        Raises:
            Refused: the call breaks the contract or the limits.
        """
        if len(raw) > self._limits.bytes:
            raise Refused(Reason.TOO_LARGE, f"an event has {self._limits.bytes} bytes at most")
        call = _read(self._calls, harmless(raw))
        kind = call.type or kind
        if kind is None:
            raise Refused(Reason.MISSING_FIELD, "Object missing required field `type`")
        touchpoint = self._mapped(call, kind, raw, arrival)
        touchpoint.sequence = _sequence(call, touchpoint, place)
        if self._names:
            self._names.admit(arrival.site, touchpoint.name, arrival.received_at.date())
        return touchpoint

    def _mapped(
        self, call: _Call[Any], kind: TouchpointType, raw: bytes, arrival: Arrival
    ) -> Touchpoint:
        name = line(call.event or "") if kind == "track" else NAMES[kind]
        if not name:
            raise Refused(Reason.MISSING_FIELD, "a track call names its `event`")
        nobody = self._placeholders.get(arrival.site, frozenset())
        anonymous_id, user_id = who = _who(call, arrival, nobody)
        sent_at = plausible(call.sent_at or arrival.sent_at)
        timestamp = _timestamp(call)
        skew = self._skew(visitor_of(*who), sent_at, arrival)
        named = _id(call.message_id, nobody)
        first_at = arrival.received_at if named or timestamp else arrival.first_at(raw)
        occurred_at = occurred(timestamp, skew, first_at, self._limits.age)
        context, properties = _object(call.context), _object(call.properties)
        check_consent(context)
        touchpoint_id = named or _made(call, (kind, name, *who), raw, arrival, first_at)
        _add(properties, name, arrival)
        page = _page(kind, context, properties)
        return Touchpoint(
            touchpoint_id=touchpoint_id,
            site=arrival.site,
            type=kind,
            name=_fitting(name),
            channel=_channel(kind, name, context, properties),
            occurred_at=occurred_at,
            received_at=arrival.received_at,
            anonymous_id=anonymous_id,
            user_id=user_id,
            previous_id=_id(call.previous_id, nobody),
            sent_at=sent_at,
            ts_adjusted=timestamp is not None and occurred_at != timestamp,
            url=_taken(page, "url"),
            title=_taken(page, "title"),
            referrer=_taken(page, "referrer"),
            user_agent=_taken(context, "userAgent") or arrival.user_agent,
            locale=_taken(context, "locale", _LONGEST_LABEL),
            ip=arrival.ip,
            properties=_properties(call, kind, properties, context, b"mail" in raw.lower()),
        )

    def _skew(self, who: str, sent_at: datetime | None, arrival: Arrival) -> timedelta:
        received_at, latest = arrival.received_at, arrival.latest
        if latest and latest > received_at and (sent_at is None or sent_at > received_at):
            sent_at = max(latest, sent_at or latest)
        return self._clocks.skew(f"{arrival.site}:{who}", sent_at, received_at)


def _timestamp(call: _Call[Any] | _Times) -> datetime | None:
    """Give when it happened, by the sender's own clock if it says two times."""
    told = (call.original_timestamp, call.timestamp)
    return next((at for at in told if at and at.year > 1), None)  # the year 1 is not set


def _who(call: _Call[Any], arrival: Arrival, nobody: frozenset[str]) -> tuple[str, str]:
    """Give device and user; without a device, it may be the daily visitor, if there is one."""
    anonymous_id, user_id = _id(call.anonymous_id, nobody), _id(call.user_id, nobody)
    anonymous_id = anonymous_id or arrival.device_of(user_id)
    if not visitor_of(anonymous_id, user_id):
        raise Refused(Reason.NO_VISITOR_ID, "neither anonymousId nor userId is set")
    return anonymous_id, user_id


def _add(properties: JsonObject, name: str, arrival: Arrival) -> None:
    """Add what the arrival knows and the call does not say: country, an order's currency."""
    if arrival.country:
        properties.setdefault("country", arrival.country)
    if arrival.currency and is_commerce(name) and not properties.get("currency"):
        properties["currency"] = arrival.currency


def _object(said: JsonObject | list[None] | None) -> JsonObject:
    return said if isinstance(said, dict) else {}


def _id(value: str | float | None, placeholders: frozenset[str]) -> str:
    return _fitting(identifier(value, placeholders))


def _fitting(name: str) -> str:
    if len(name) > LONGEST_ID:
        raise Refused(Reason.INVALID_FIELD, f"an id or a name has {LONGEST_ID} characters at most")
    return name


def _sequence(call: _Call[Any], made: Touchpoint, place: int) -> int:
    told = call.sequence  # a number that the sender counts up
    if type(told) is int and 0 <= told <= LARGEST_SEQUENCE:
        return told
    left_at = None if made.ts_adjusted else made.sent_at
    return sequence(made.occurred_at, left_at or made.received_at, place)


def _made(
    call: _Call[Any], what: tuple[str, ...], raw: bytes, arrival: Arrival, first_at: datetime
) -> str:
    """Make an id for a call without one: the same whenever it is sent again."""
    timestamp = _timestamp(call)
    if timestamp is None:
        place = f"{arrival.site}\0{first_at.isoformat()}\0".encode()
        return arrival.told_apart(_hash(place + raw))
    page = _object(call.context).get("page")
    more = call.previous_id, call.group_id, call.name, call.category
    said = call.properties, call.traits, page
    fixed = encode((arrival.site, timestamp.astimezone(UTC), *what, *more, *said))
    return arrival.told_apart(_hash(fixed))


def _hash(fixed: bytes) -> str:
    return hashlib.blake2b(fixed, digest_size=16).hexdigest()


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
    """Remove and give a text; what is none says nothing, and stays where it is."""
    told = source.get(field)
    text = str(told) if type(told) in _NUMBERS else told
    if text and not isinstance(text, str):
        return ""
    source.pop(field, None)
    if text and len(text) > longest:
        raise Refused(Reason.INVALID_FIELD, f"`{field}` is a text of {longest} characters at most")
    return line(text or "")


def _traits(
    call: _Call[Any], kind: TouchpointType, properties: JsonObject, context: JsonObject
) -> JsonObject | None:
    """Give the user's traits, even those in the context: there they join nobody.

    The traits of a group call belong to the group.
    """
    told = context.get("traits")
    if kind == "group" or not isinstance(told, dict) or "traits" in properties:
        return None if call.traits is None else _object(call.traits)
    del context["traits"]
    return told | _object(call.traits) or None


def _properties(
    call: _Call[Any],
    kind: TouchpointType,
    properties: JsonObject,
    context: JsonObject,
    may_hold_address: bool,
) -> Raw:
    for field, value in (
        ("name", call.name),
        ("category", call.category),
        ("groupId", call.group_id),
        ("traits", _traits(call, kind, properties, context)),
    ):
        if value is not None:
            properties.setdefault(field, value)
    context.pop("ip", None)
    if not context.get("page"):
        context.pop("page", None)
    if context:
        properties["context"] = context
    return Raw(encode(without_addresses(properties) if may_hold_address else properties))
