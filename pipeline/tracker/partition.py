"""PURE: the memory of one partition: every visitor's state, each site's time, and who wakes when.

A touchpoint waits until the next checkpoint, or until somebody asks for its visitor, and all that
wait of one visitor are folded at once: to read a state and to write it again costs more than to
fold.

States are kept as the bytes that stand in the changelog: a tenth of the memory of live objects,
nothing for the garbage collector to walk, and recovery is reading. (Keeping those heard lately as
objects costs more than to decode them again: they do not fit into the processor's cache.)
"""

from collections.abc import Iterable
from heapq import heappop, heappush

import msgspec

from pipeline.journey.clock import Clock, SiteTimes
from pipeline.journey.people import Node
from pipeline.journey.state import (
    Evidence,
    Memory,
    PersonState,
    VisitorState,
    decode_person,
    decode_state,
    encode_state,
    identifier,
    read_schedule,
)
from pipeline.kafka.records import Row

META_KEY = b"\x00meta"
"""Changelog key of the partition's own entry; no visitor's key begins with a control character."""

PERSON, NODE = b"\x01", b"\x02"
"""What the keys of people, and of the nodes of a site's graph of links, begin with."""


ERASED = b"\x03"
"""What the keys of erased names begin with; a hash follows, nothing else."""

_OTHERS = (PERSON, NODE, ERASED)


class Erased(msgspec.Struct, array_like=True, frozen=True):
    """What is known of an erased name: since which erasure, `at`, nothing older is listened to.

    The newest that was heard to its end is `told`; it stands at `before`, and touchpoints before
    that are nobody's.
    """

    at: int = 0
    told: int = 0
    before: int = -1


_NOT_ERASED = Erased()


class Meta(msgspec.Struct, array_like=True):
    """What a partition remembers besides its visitors; `offset` is the newest applied record.

    Messages before `void_before` are of an earlier reading of the log: they will be said again.
    """

    offset: int
    clock: Clock
    void_before: int = 0


_encode_meta = msgspec.msgpack.Encoder().encode
_decode_meta = msgspec.msgpack.Decoder(Meta).decode
_decode_node = msgspec.msgpack.Decoder(Node).decode
_decode_erased = msgspec.msgpack.Decoder(Erased).decode


class Waiting(msgspec.Struct, gc=False):
    """Touchpoints of a visitor, by id, that are not in its state yet.

    `offset` and `now`, the site's time, are those of the last one, `oldest_at` is the time of the
    oldest.
    """

    site: str
    visitor_id: str
    oldest_at: int
    evidence: dict[str, Evidence] = msgspec.field(default_factory=dict)
    offset: int = -1
    now: int = 0


class Partition:
    """State of one partition of `touchpoints.raw`.

    `offset` is the newest record applied, `position` the last one read: when the log is read again
    after a crash it is behind. `is_ahead` says that something was read since the last checkpoint;
    `waiting`, `changed`, in the order of writing, and `facts` (topic and row, by id) are what the
    next one will write.
    `linked` holds the identifiers that a visitor carried last: of these it has been told.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.offset = -1
        self.position = -1
        self.is_ahead = False
        self.clock = Clock()
        self.recorded_at = 0
        self.void_before = 0
        self.states: dict[bytes, bytes] = {}
        self.visitors = 0
        self.erasures: dict[bytes, Erased] = {}
        self.changed: dict[bytes, None] = {}
        self.facts: dict[str, tuple[str, Row]] = {}
        self.waiting: dict[bytes, Waiting] = {}
        self.linked: dict[bytes, tuple[str, ...]] = {}
        self._restored_to = -1
        self._sealed_to: SiteTimes = {}
        self._wakes: dict[str, list[tuple[int, bytes]]] = {}

    @property
    def times(self) -> SiteTimes:
        """The time of each site."""
        return self.clock.times

    def schedule(self, key: bytes, wake_at: int) -> None:
        """Have the visitor `key` judged once its site's time has passed `wake_at`."""
        heappush(self._wakes.setdefault(site_of(key), []), (wake_at, key))

    def due(self, most: int) -> list[tuple[int, bytes]]:
        """Take out the visitors whose time has come, at most `most`, earliest first."""
        taken: list[tuple[int, bytes]] = []
        for site, wakes in self._wakes.items():
            now = self.times.get(site, 0)
            while wakes and wakes[0][0] < now and len(taken) < most:
                taken.append(heappop(wakes))
        return taken

    def wait(
        self, key: bytes, site: str, visitor_id: str, seen: Evidence, offset: int, now: int
    ) -> None:
        """Let a touchpoint of the visitor `key`, which `may_wait`, wait for the next checkpoint."""
        waiting = self.waiting.get(key)
        if waiting is None:
            waiting = self.waiting[key] = Waiting(site, visitor_id, seen.at)
        waiting.evidence[seen.id] = seen
        waiting.oldest_at = min(waiting.oldest_at, seen.at)
        waiting.offset, waiting.now = offset, now

    def may_wait(self, key: bytes, site: str, seen: Evidence, offset: int) -> bool:
        """Tell whether `seen` is new for certain, without reading its visitor's state.

        Its id is looked for among the state's bytes; what the state may know from a later reading
        of the log, or may have sealed, is not new for certain.
        """
        waiting = self.waiting.get(key)
        return not (
            offset <= self._restored_to
            or seen.at <= self._sealed_to.get(site, 0)
            or (waiting is not None and seen.id in waiting.evidence)
            or seen.id.encode() in self.states.get(key, b"")
        )

    def overdue(self, soonest_ms: int) -> list[bytes]:
        """Give the keys of those waiting of whom silence may have to be judged.

        No touchpoint makes anything due sooner than `soonest_ms` after it.
        """
        return [
            key
            for key, waiting in self.waiting.items()
            if waiting.oldest_at + soonest_ms < self.times[waiting.site]
        ]

    def visitor(self, key: bytes) -> VisitorState | None:
        """Give the state of the visitor `key`, if there is one; the caller may change it."""
        stored = self.states.get(key)
        return None if stored is None else decode_state(stored)

    def person(self, key: bytes) -> PersonState | None:
        """Give the state of the person `key`, if there is one; the caller may change it."""
        stored = self.states.get(key)
        return None if stored is None else decode_person(stored)

    def node(self, key: bytes) -> Node:
        """Give a node of a graph, perhaps a new one; the caller may change it."""
        stored = self.states.get(key)
        return Node() if stored is None else _decode_node(stored)

    def erased(self, site: str, name: str) -> Erased:
        """Give what is known of the erasure of a name; nothing costs nothing."""
        if not self.erasures:
            return _NOT_ERASED
        return self.erasures.get(erased_key(site, name), _NOT_ERASED)

    def note_erased(self, site: str, name: str, erased: Erased) -> None:
        """Remember that a name was erased, for as long as there is a changelog."""
        key = erased_key(site, name)
        self.linked.clear()
        self.erasures[key] = erased
        self._put(key, _encode_meta(erased))
        self.changed[key] = None

    def keep(self, key: bytes, state: Memory | Node) -> None:
        """Remember `state`."""
        self._put(key, encode_state(state))
        self.changed[key] = None

    def note_sealed(self, site: str, at: int) -> None:
        """Note that a visitor of `site` has sealed evidence of the time `at`."""
        if at > self._sealed_to.get(site, 0):
            self._sealed_to[site] = at

    def forget(self, key: bytes) -> None:
        """Remember nothing of the visitor `key`."""
        self.linked.pop(key, None)
        self._drop(key)
        self.changed[key] = None

    def take_facts(self) -> list[tuple[str, Row]]:
        """Give the facts that were not yet written; they are, now."""
        facts = list(self.facts.values())
        self.facts.clear()
        return facts

    def take_states(self, keys: Iterable[bytes]) -> list[Row]:
        """Give the changelog's entries of `keys`, which have changed; they are written now."""
        states: list[Row] = []
        for key in keys:
            states.append((key, self.states.get(key), self.recorded_at))
            del self.changed[key]
        return states

    def take_rest(self) -> list[Row]:
        """Give the changelog's entries that are left, the partition's own last.

        Once the facts are durable and then the states, everything up to `offset` is.
        """
        states = [*self.take_states(list(self.changed)), (META_KEY, self.meta(), self.recorded_at)]
        self.is_ahead = False
        return states

    def meta(self) -> bytes:
        """Write the partition's own changelog entry."""
        return _encode_meta(Meta(self.offset, self.clock, self.void_before))

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply one changelog entry; of two states of a visitor the one of the later offset wins.

        Without that rule a worker that was paused and woke up after a rebalance could put an old
        state over a new one.
        """
        self.linked.clear()
        if key == META_KEY:
            meta = _decode_meta(value or b"\x92\xff\x90")
            if meta.offset >= self.offset:
                self.offset, self.clock = meta.offset, meta.clock
                self.void_before = meta.void_before
        elif value is None:
            self._drop(key)
        elif key.startswith(ERASED):
            self._put(key, value)
            self.erasures[key] = _decode_erased(value)
        elif key.startswith(NODE):
            if self.node(key).offset <= _decode_node(value).offset:
                self._put(key, value)
        else:
            known = self.states.get(key)
            schedule = read_schedule(value)
            if known is None or read_schedule(known).offset <= schedule.offset:
                self._put(key, value)
                self.schedule(key, schedule.wake_at)
                self.note_sealed(site_of(key), schedule.sealed_to)
                self._restored_to = max(self._restored_to, schedule.offset)

    def _put(self, key: bytes, value: bytes) -> None:
        if key not in self.states and not key.startswith(_OTHERS):
            self.visitors += 1
        self.states[key] = value

    def _drop(self, key: bytes) -> None:
        if self.states.pop(key, None) is not None and not key.startswith(_OTHERS):
            self.visitors -= 1


def fresh_meta(end: int) -> bytes:
    """Write the entry with which a log that ends at `end` is read again from its beginning."""
    return _encode_meta(Meta(-1, Clock(), end))


def erased_key(site: str, name: str) -> bytes:
    """Give the changelog key of an erased name: who does not know the name learns nothing."""
    return ERASED + identifier("erased", site, name).encode()


def site_of(key: bytes) -> str:
    """Give the site in a key, which may be somebody else's and no text at all."""
    return key.lstrip(PERSON + NODE).split(b":", 1)[0].decode(errors="replace")
