"""PURE: what is remembered about a visitor.

The memory is the evidence itself, in time order; everything else is a left fold over it. `base` is
the fold over what can no longer change, `evidence` is what still can, and `head` is the fold over
both and over the silence since then. A touchpoint in order costs one step from `head`; one that
arrives late folds again from `base`. So any order of arrival within the allowed lateness ends in
the same state.

Times are integer milliseconds since 1970, UTC. The structs encode as MessagePack arrays: they are
the values of the changelog, so a new field goes to the end and has a default.
"""

from hashlib import blake2b

import msgspec
from msgspec import Raw

from schemas.facts import AbandonmentKind

Scalar = str | float
"""A property's value, as rules compare it."""

Place = tuple[int, int, str, str]
"""The position of a touchpoint among the others: time, turn, id, visitor."""

NOWHERE: Place = (0, 0, "", "")


class Line(msgspec.Struct, array_like=True, gc=False):
    """A number of pieces of one product, and their value together."""

    product_id: str
    name: str
    quantity: int
    value: float


class Evidence(msgspec.Struct, array_like=True, gc=False):
    """What a fold needs to know about one touchpoint.

    `visitor_id` is empty in the state of the visitor itself, and set in that of a person.
    `products` are those of a list; with `is_whole_cart` they are the whole cart.
    """

    at: int
    id: str
    name: str
    channel: str = ""
    is_page: bool = False
    path: str = ""
    referrer_host: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    device: str = ""
    is_bot: bool = False
    order_id: str = ""
    value: float = 0.0
    items: int = 0
    currency: str = ""
    visitor_id: str = ""
    properties: dict[str, Scalar] | None = None
    product_id: str = ""
    product_name: str = ""
    form: str = ""
    step: str = ""
    click_id: str = ""
    utm_term: str = ""
    search_term: str = ""
    country: str = ""
    turn: int = 0
    products: list[Line] | None = None
    is_whole_cart: bool = False

    def place(self) -> Place:
        """Give the position in time order; equal times are ordered by turn, then by id."""
        return self.at, self.turn, self.id, self.visitor_id


class Traffic(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What brought a session; `group` is Google Analytics' default channel group."""

    source: str = ""
    medium: str = ""
    campaign: str = ""
    group: str = ""
    keyword: str = ""
    is_branded: bool = False


class OpenSession(msgspec.Struct, array_like=True):
    """The session of a visitor's newest touchpoint folded so far."""

    id: str
    started_at: int
    ended_at: int
    first_id: str
    last_id: str
    entry_path: str
    exit_path: str
    channel: str
    referrer_host: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    device: str
    is_bot: bool
    touchpoints: int = 0
    page_views: int = 0
    revenue: float = 0.0
    steps: list[str] = msgspec.field(default_factory=list)
    order_ids: list[str] = msgspec.field(default_factory=list)
    orders: int = 0
    traffic: Traffic = Traffic()
    country: str = ""
    currency: str = ""


class Past(msgspec.Struct, array_like=True, gc=False):
    """What had happened before a cycle began: the same counts as in a cursor."""

    orders: int = 0
    visits: int = 0
    counts: dict[str, int] = msgspec.field(default_factory=dict)


class Journey(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Where a person is in one model.

    An empty `phase` is before the beginning of the first cycle or, with `since`, of the next one.
    `past` is what lies before the cycle; None in the first.
    """

    phase: str = ""
    since: int = 0
    cycle: int = 1
    past: Past | None = None


class Cart(msgspec.Struct, array_like=True, gc=False):
    """What was put into the cart since the last order."""

    lines: list[Line] = msgspec.field(default_factory=list)
    currency: str = ""


class Stake(msgspec.Struct, array_like=True, gc=False):
    """Something begun that awaits its end: a cart its order, a form its submission.

    `opened_by` is the visitor whose touchpoint began it, `visitor_id` the one whose touchpoint came
    last. `count` and `due` belong to the kinds that count openings in a row. The fields from
    `last_at` on say how it ended; they are set once it is abandoned.
    """

    kind: AbandonmentKind
    opened_at: int
    opened_id: str
    step: str = ""
    visitor_id: str = ""
    form: str = ""
    count: int = 0
    due: int = 0
    cart: Cart | None = None
    last_at: int = 0
    last_id: str = ""
    last_path: str = ""
    session_id: str = ""
    abandoned_at: int = 0
    cause: str = ""
    cause_id: str = ""
    opened_by: str = ""


class Cursor(msgspec.Struct, array_like=True):
    """The fold's result so far.

    `settled_at` is the newest deadline that silence alone has decided; evidence from before it must
    be folded again from the base. `sessions` has the newest session of each visitor; `visitor_id`
    is the visitor with the last touchpoint. `open` are the stakes that await their end, `lost`
    those that may still be recovered. `troubles` has, by cause, the newest touchpoint that may
    explain a loss. `counts` says how often each counted name was seen, `visits` how many sessions
    there were, including the present one, `order_ids` are the newest orders, `ordered_at` is the
    time of the last one. `is_emptied` says that everything was removed from the cart again.
    """

    last_at: int = 0
    settled_at: int = 0
    sessions: dict[str, OpenSession] = msgspec.field(default_factory=dict)
    journeys: dict[str, Journey] = msgspec.field(default_factory=dict)
    orders: int = 0
    order_session_id: str = ""
    open: dict[str, Stake] = msgspec.field(default_factory=dict)
    lost: list[Stake] = msgspec.field(default_factory=list)
    cart: Cart | None = None
    troubles: dict[str, tuple[int, str]] = msgspec.field(default_factory=dict)
    visits: int = 0
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    visitor_id: str = ""
    order_ids: list[str] = msgspec.field(default_factory=list)
    ordered_at: int = 0
    is_emptied: bool = False

    @property
    def session(self) -> OpenSession | None:
        """The session of the newest touchpoint."""
        return self.sessions.get(self.visitor_id)


class Mark(msgspec.Struct, array_like=True):
    """The fold over the first `count` pieces of the evidence, `size` bytes; `newest` is the last.

    A late touchpoint is folded from the mark before it instead of from the base.
    """

    count: int
    size: int
    newest: Place
    cursor: Raw


class Memory(msgspec.Struct, array_like=True):
    """What is remembered about a visitor or person.

    `base` and `evidence` stay encoded until they are needed: a touchpoint in order reads only
    `head`, `newest` and `oldest_at`. `evidence` consists of `count` pieces, one after the other.
    `offset` is the newest record of the log that the state reflects, `sealed_to` the time of the
    newest evidence in the base, `wake_at` the time at which silence must be judged next, and
    `kept_from` the time from which the retention counts.
    """

    base: Raw
    evidence: bytes
    count: int
    head: Cursor
    newest: Place = NOWHERE
    oldest_at: int = 0
    offset: int = -1
    sealed_to: int = 0
    wake_at: int = 0
    kept_from: int = 0


class VisitorState(Memory):
    """A visitor: its sessions, and its journey while it is a person of its own.

    `person` is the first name of its person, `epoch` says since which assignment, `identifiers` are
    the newest it was seen with, and `era` is that of the assignment. `weight` is what it did since
    it became a crowd (`pipeline.journey.crowd`).
    """

    person: str = ""
    epoch: int = -1
    identifiers: list[str] = msgspec.field(default_factory=list)
    era: int = 0
    marks: list[Mark] = msgspec.field(default_factory=list)
    weight: int = 0


class Member(msgspec.Struct, array_like=True):
    """A visitor of a person, by its newest assignment; `is_gone`: it now belongs to another person.

    Its evidence up to `sealed_to` is already joined; `era` is that of its handover.
    """

    epoch: int
    is_gone: bool = False
    sealed_to: int = 0
    era: int = 0


class PersonState(Memory):
    """A person with several visitors: the journey is folded over the evidence of all of them."""

    members: dict[str, Member] = msgspec.field(default_factory=dict)
    marks: list[Mark] = msgspec.field(default_factory=list)


Remembered = VisitorState | PersonState


class Schedule(msgspec.Struct, array_like=True):
    """The part of an encoded state that can be read without reading all of it."""

    base: Raw
    evidence: Raw
    count: int
    head: Raw
    newest: Raw
    oldest_at: int
    offset: int
    sealed_to: int
    wake_at: int


class VisitorSchedule(Schedule):
    """The same of a visitor, with its weight."""

    kept_from: int = 0
    person: Raw = Raw()
    epoch: Raw = Raw()
    identifiers: Raw = Raw()
    era: Raw = Raw()
    marks: Raw = Raw()
    weight: int = 0


_encode = msgspec.msgpack.Encoder().encode
encode_state = _encode
encode_evidence = _encode
decode_state = msgspec.msgpack.Decoder(VisitorState).decode
decode_person = msgspec.msgpack.Decoder(PersonState).decode
read_schedule = msgspec.msgpack.Decoder(Schedule).decode
read_visitor = msgspec.msgpack.Decoder(VisitorSchedule).decode
decode_place = msgspec.msgpack.Decoder(Place).decode
_decode_cursor = msgspec.msgpack.Decoder(Cursor).decode
_decode_evidence = msgspec.msgpack.Decoder(list[Evidence]).decode
_ARRAY_32 = b"\xdd"
"""MessagePack's head of an array whose length follows in four bytes."""
_NOTHING = Raw(_encode(None))


def new_state() -> VisitorState:
    """Give the memory of a visitor who was never seen."""
    return VisitorState(base=_NOTHING, evidence=b"", count=0, head=Cursor())


def new_person() -> PersonState:
    """Give the memory of a person before any handover."""
    return PersonState(base=_NOTHING, evidence=b"", count=0, head=Cursor())


def pack_cursor(cursor: Cursor) -> Raw:
    """Encode a cursor as a base; an empty one takes no bytes."""
    return Raw(_encode(cursor)) if cursor.last_at else _NOTHING


def unpack_cursor(base: Raw) -> Cursor:
    """Give a new cursor, equal to the packed one."""
    return Cursor() if base == _NOTHING else _decode_cursor(base)


def remember(state: Memory, evidence: list[Evidence]) -> None:
    """Make `evidence`, which is in time order, the state's evidence."""
    state.evidence, state.count = b"".join(map(_encode, evidence)), len(evidence)
    state.newest = evidence[-1].place() if evidence else NOWHERE
    state.oldest_at = evidence[0].at if evidence else 0


def append(state: Memory, seen: Evidence) -> None:
    """Add evidence that is newer than all existing evidence."""
    state.evidence += _encode(seen)
    state.count += 1
    state.newest = seen.place()
    state.oldest_at = state.oldest_at or seen.at


def recall(state: Memory, start: Mark | None = None) -> list[Evidence]:
    """Give the state's evidence in time order, or only the part after a mark."""
    count, size = (start.count, start.size) if start else (0, 0)
    return _decode_evidence(_ARRAY_32 + (state.count - count).to_bytes(4) + state.evidence[size:])


def cut(state: Memory, start: Mark | None) -> None:
    """Forget the evidence after a mark, or all of it."""
    if start is None:
        remember(state, [])
        return
    state.evidence, state.count = state.evidence[: start.size], start.count
    state.newest = start.newest


def is_known(encoded: bytes, touchpoint_id: str) -> bool:
    """Tell whether this touchpoint is part of the evidence of an encoded visitor."""
    return touchpoint_id.encode() in encoded and any(
        seen.id == touchpoint_id for seen in recall(decode_state(encoded))
    )


def identifier(*parts: str) -> str:
    """Hash `parts` to an id, which is the same on every machine and in every replay."""
    return blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
