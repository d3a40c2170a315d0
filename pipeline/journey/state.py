"""PURE: what is remembered of a visitor.

The memory is the evidence itself, in time order, and everything else is a left fold over it:
`base` is the fold over what can no longer change, `evidence` what still can, `head` the fold over
both and over the silence that the log has seen since. A touchpoint in order costs one step from
`head`; one that arrives late folds again from `base`. So any order of arrival within the allowed
lateness ends in the same state.

Times are integer milliseconds since 1970, UTC. The structs encode as MessagePack arrays: they are
the values of the changelog, so a new field goes to the end and has a default.
"""

from hashlib import blake2b

import msgspec
from msgspec import Raw


class Evidence(msgspec.Struct, array_like=True, gc=False):
    """What a fold needs to know of one touchpoint."""

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
    user_id: str = ""
    order_id: str = ""
    value: float = 0.0
    items: int = 0
    currency: str = ""
    click_id: str = ""
    utm_term: str = ""
    search_term: str = ""
    country: str = ""

    def place(self) -> tuple[int, str]:
        """Give the position in time order; equal times are ordered by id."""
        return self.at, self.id


class Traffic(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What brought a session; `group` is Google Analytics' default channel group."""

    source: str = ""
    medium: str = ""
    campaign: str = ""
    group: str = ""
    keyword: str = ""
    is_branded: bool = False


class OpenSession(msgspec.Struct, array_like=True):
    """The session of the newest touchpoint folded so far."""

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
    person_id: str
    touchpoints: int = 0
    page_views: int = 0
    revenue: float = 0.0
    steps: list[str] = msgspec.field(default_factory=list)
    order_ids: list[str] = msgspec.field(default_factory=list)
    orders: int = 0
    traffic: Traffic = Traffic()
    country: str = ""


class Journey(msgspec.Struct, array_like=True, gc=False):
    """Where a person is in one model; an empty `phase` is before its beginning."""

    phase: str = ""
    since: int = 0
    cycle: int = 1


class Basket(msgspec.Struct, array_like=True, gc=False):
    """A cart or checkout that awaits its order; `abandoned_at` is 0 while it is still open."""

    kind: str
    opened_at: int
    opened_id: str
    session_id: str
    step: str
    last_at: int
    last_id: str
    last_path: str
    items: int = 0
    value: float = 0.0
    currency: str = ""
    abandoned_at: int = 0


class Cursor(msgspec.Struct, array_like=True):
    """The fold's result so far.

    `settled_at` is the newest deadline that silence alone has decided; evidence from before it
    must be folded again from the base.
    """

    last_at: int = 0
    settled_at: int = 0
    user_id: str = ""
    person_id: str = ""
    session: OpenSession | None = None
    journeys: dict[str, Journey] = msgspec.field(default_factory=dict)
    orders: int = 0
    order_session_id: str = ""
    basket: Basket | None = None
    lost: list[Basket] = msgspec.field(default_factory=list)


class VisitorState(msgspec.Struct, array_like=True):
    """A visitor's memory.

    `base` and `evidence` stay encoded until somebody needs them: a touchpoint in order looks at
    `head`, `newest` and `oldest_at` alone. `offset` is the newest record of the log that the state
    reflects, `sealed_to` the time of the newest evidence in the base, `wake_at` the time at which
    silence is to be judged next.
    """

    base: Raw
    evidence: list[Raw]
    head: Cursor
    newest: tuple[int, str] = (0, "")
    oldest_at: int = 0
    offset: int = -1
    sealed_to: int = 0
    wake_at: int = 0


class _Schedule(msgspec.Struct, array_like=True):
    base: Raw
    evidence: Raw
    head: Raw
    newest: Raw
    oldest_at: int
    offset: int
    sealed_to: int
    wake_at: int


_encode = msgspec.msgpack.Encoder().encode
encode_state = _encode
decode_state = msgspec.msgpack.Decoder(VisitorState).decode
_decode_schedule = msgspec.msgpack.Decoder(_Schedule).decode
_decode_cursor = msgspec.msgpack.Decoder(Cursor).decode
_decode_evidence = msgspec.msgpack.Decoder(Evidence).decode
_NOTHING = Raw(_encode(None))


def new_state() -> VisitorState:
    """Give the memory of a visitor never seen."""
    return VisitorState(base=_NOTHING, evidence=[], head=Cursor())


def pack_cursor(cursor: Cursor) -> Raw:
    """Encode a cursor to be a base; the empty one takes no room."""
    return Raw(_encode(cursor)) if cursor.last_at else _NOTHING


def unpack_cursor(base: Raw) -> Cursor:
    """Give a cursor of its own, equal to the one that was packed."""
    return Cursor() if base == _NOTHING else _decode_cursor(base)


def remember(state: VisitorState, evidence: list[Evidence]) -> None:
    """Make `evidence`, which is in time order, the state's evidence."""
    state.evidence = [Raw(_encode(seen)) for seen in evidence]
    state.newest = evidence[-1].place() if evidence else (0, "")
    state.oldest_at = evidence[0].at if evidence else 0


def append(state: VisitorState, seen: Evidence) -> None:
    """Add evidence that is newer than all there is."""
    state.evidence.append(Raw(_encode(seen)))
    state.newest = seen.place()
    state.oldest_at = state.oldest_at or seen.at


def recall(state: VisitorState) -> list[Evidence]:
    """Give the state's evidence in time order."""
    return [_decode_evidence(packed) for packed in state.evidence]


def is_known(state: VisitorState, touchpoint_id: str) -> bool:
    """Tell whether this touchpoint is already part of the evidence."""
    return touchpoint_id.encode() in b"".join(state.evidence) and any(
        seen.id == touchpoint_id for seen in recall(state)
    )


def read_schedule(value: bytes) -> tuple[int, int]:
    """Give offset and `wake_at` of an encoded state."""
    schedule = _decode_schedule(value)
    return schedule.offset, schedule.wake_at


def identifier(*parts: str) -> str:
    """Hash `parts` to an id: the same parts, the same id, on every machine and in every replay."""
    return blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
