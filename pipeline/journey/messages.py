"""PURE: messages between partitions about people, sent through `touchpoints.raw` like ticks.

A visitor's partition reports an identifier (`Link`). The partition with the site's graph answers
which person the visitor is now (`Assignment`). From then on the visitor's evidence goes to the
partition of that person (`Handover`), where the journey is folded. Each can arrive twice and in any
order: an assignment counts if its epoch is newer, evidence is a set. `now` is the site's time at
the sender, in milliseconds.

A `Rebuild` replays a site, or some of its people, from the table of touchpoints. An `Erasure` makes
all partitions forget names. A message about a name has an `era`: the time of the newest erasure or
rebuild that its sender had read to the end. A receiver ignores messages of an older era than it
knows.
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
        """Give the record key, which brings all links of a site together."""
        return self.site.encode()


class Assignment(msgspec.Struct, omit_defaults=True):
    """Who a visitor is: the person's first name, or empty for a person of its own."""

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

    `base` is what was sealed before; `is_gone` says that the visitor now belongs to another person.
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
    """Names of a site's visitors and identifiers to be forgotten; `at` is the time of the erasure.

    It is written to every partition twice. The second time, when all of them have the first one, it
    `is_final`. So the erasure always comes before anything new about a name.
    """

    site: Site
    names: list[str]
    at: _Time
    is_final: bool = False


class Rebuild(msgspec.Struct, omit_defaults=True):
    """A site is rebuilt: everybody, or the people with `names`; `at` identifies the rebuild.

    It `begin`s by clearing their memory, repeats every minute, at `said_at`, that it will `go_on`,
    and `end`s with the site's time at `now` or later. It is written to every partition.
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
    """Distinguish a message from a touchpoint by its first bytes."""
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

    A message that does not fit into a state is not one: only a foreign producer can have written
    it, and it would be read again and again.
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
