"""PURE: what partitions tell each other about people, through `touchpoints.raw` like ticks.

A visitor's partition says that it saw an identifier (`Link`); the partition of the site's graph
answers whom the visitor is now (`Assignment`); from then on the visitor's evidence goes to the
partition of that person (`Handover`), where the journey is folded. Each can arrive twice and in any
order: an assignment counts if its epoch is newer, evidence is a set. `now` is the site's time where
it was said, in milliseconds.

A `Rebuild` has a site, or some of its people, told anew from the table of touchpoints.

An `Erasure` makes strangers of names, in every partition. What is said about a name has an `era`:
the time of the newest erasure or rebuild that its speaker had heard to the end. What is of an older
era than the listener knows is not heard.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pipeline.journey.state import Cursor, Evidence
from schemas.fields import Count, Site
from schemas.times import LAST_MS
from schemas.topics import record_key

_Time = Annotated[int, Meta(ge=0, le=LAST_MS)]


class Link(msgspec.Struct, omit_defaults=True):
    """A visitor was seen with an identifier. Read by the partition that keeps the site's graph."""

    site: Site
    visitor_id: str
    identifier: str
    now: _Time
    era: _Time = 0
    identifier_era: _Time = 0

    def key(self) -> bytes:
        """Give the record key: all links of a site come together."""
        return self.site.encode()


class Assignment(msgspec.Struct, omit_defaults=True):
    """Who a visitor is: the person's first name, or an empty one when it stands for itself."""

    site: Site
    visitor_id: str
    person: str
    epoch: Count
    now: _Time
    era: _Time = 0

    def key(self) -> bytes:
        """Give the record key: the visitor's own."""
        return record_key(self.site, self.visitor_id)


class Handover(msgspec.Struct, omit_defaults=True):
    """Evidence of a visitor for its person.

    `base` is what had been sealed before; `is_gone` says the visitor belongs to somebody else.
    """

    site: Site
    person: str
    visitor_id: str
    epoch: Count
    now: _Time
    evidence: list[Evidence] = msgspec.field(default_factory=list)
    base: Cursor | None = None
    is_gone: bool = False
    era: _Time = 0

    def key(self) -> bytes:
        """Give the record key: that of the person's first name."""
        return record_key(self.site, self.person)


class Erasure(msgspec.Struct):
    """Names of a site, of visitors and identifiers, that are to be forgotten; `at` is when.

    It is written to every partition twice: the second time, when all of them have the first one,
    it `is_final`. So wherever something new is told of a name, the erasure was told before.
    """

    site: Site
    names: list[str]
    at: _Time
    is_final: bool = False


class Rebuild(msgspec.Struct, omit_defaults=True):
    """A site is told anew: everybody, or who is called by `names`; `at` is the rebuild's name.

    It `begin`s with their memory wiped out, says every minute, at `said_at`, that it will `go_on`,
    and `end`s with the site's time being `now`, or later. It is written to every partition.
    """

    site: Site
    at: _Time
    stage: Literal["begin", "go_on", "end"]
    said_at: _Time
    names: list[str] = msgspec.field(default_factory=list)
    now: _Time = 0


Told = Link | Assignment | Handover
Message = Told | Erasure | Rebuild


class _Envelope(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    link: Link | None = None
    assignment: Assignment | None = None
    handover: Handover | None = None
    erasure: Erasure | None = None
    rebuild: Rebuild | None = None


_BEGINNINGS = tuple(f'{{"{name}":'.encode() for name in _Envelope.__struct_fields__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Envelope).decode
_pack = msgspec.msgpack.Encoder().encode


def is_message(value: bytes) -> bool:
    """Tell a message from a touchpoint by its first bytes."""
    return value.startswith(_BEGINNINGS)


def encode_message(message: Message) -> bytes:
    """Write a message as one line of JSON."""
    match message:
        case Link():
            return _encode(_Envelope(link=message))
        case Assignment():
            return _encode(_Envelope(assignment=message))
        case Handover():
            return _encode(_Envelope(handover=message))
        case Erasure():
            return _encode(_Envelope(erasure=message))
        case Rebuild():
            return _encode(_Envelope(rebuild=message))


def decode_message(value: bytes) -> Message:
    """Read a message; `msgspec.DecodeError` if the bytes only look like one.

    What a state could not hold is none: only somebody else can have written it, and it would be
    read again and again.
    """
    envelope = _decode(value)
    try:
        _pack(envelope)
    except OverflowError as error:
        raise msgspec.ValidationError(str(error)) from None
    said = (getattr(envelope, name) for name in _Envelope.__struct_fields__)
    message: Message | None = next(filter(None, said), None)
    if message is None:
        raise msgspec.ValidationError("an empty message")
    return message
