"""PURE: the memory of one partition: every visitor's state, each site's time, and who wakes when.

A touchpoint waits until the next checkpoint, or until its visitor is needed, and all waiting
touchpoints of a visitor are folded together: reading a state and writing it back costs more than
folding. States are kept as the bytes that are in the changelog: a tenth of the memory of live
objects, nothing for the garbage collector to walk, and recovery is just reading. (Keeping recent
ones as objects costs more than decoding them again: they do not fit into the processor's cache.)
"""

from collections.abc import Collection, Iterable, Sequence
from heapq import heappop, heappush
from itertools import islice

import msgspec

from pipeline.journey.clock import Clock, SiteTimes
from pipeline.journey.people import Node
from pipeline.journey.state import (
    Memory,
    PersonState,
    VisitorState,
    decode_person,
    decode_state,
    encode_state,
    identifier,
    read_schedule,
)
from pipeline.kafka.records import RawRecord, Row
from pipeline.tracker.anew import Anew, told_anew
from pipeline.tracker.waiting import Waiting

FORMAT = 1
"""Format of the states in the changelog. Every change of the format increments it;
tests/unit/tracker/test_state_format.py says when."""

META_KEY = b"\x00meta"
"""Changelog key of the partition's own entry; no visitor's key begins with a control character."""

PLACES_KEY = b"\x00places"
"""Changelog key of the offsets up to which checkpoints were begun."""

PERSON, NODE = b"\x01", b"\x02"
"""Prefixes of the keys of people, and of the nodes of a site's graph of links."""

ERASED = b"\x03"
"""Prefix of the keys of erased names; only a hash follows."""

_OTHERS = (PERSON, NODE, ERASED)


class Erased(msgspec.Struct, array_like=True, frozen=True):
    """What is known about an erased name: messages older than the erasure `at` are ignored.

    The newest erasure that is complete is `told`; its offset is `before`, and touchpoints before
    that belong to nobody.
    """

    at: int = 0
    told: int = 0
    before: int = -1


_NOT_ERASED = Erased()


class Meta(msgspec.Struct, array_like=True):
    """What a partition remembers besides its visitors; `offset` is the newest applied record.

    Messages before `void_before` are from an earlier reading of the log: they will be sent again.
    `format` is that of its states, 0 if it is unknown. The changelog's first offset is `begins`.
    """

    offset: int
    clock: Clock
    void_before: int = 0
    rebuilds: dict[str, Anew] = msgspec.field(default_factory=dict)
    format: int = 0
    begins: int = 0


_encode_meta = msgspec.msgpack.Encoder().encode
_decode_meta = msgspec.msgpack.Decoder(Meta).decode
_decode_node = msgspec.msgpack.Decoder(Node).decode
_decode_erased = msgspec.msgpack.Decoder(Erased).decode
_decode_places = msgspec.msgpack.Decoder(list[int]).decode
_MOST_PLACES = 128
_PART_VISITORS, _PART_BYTES = 64, 256 * 1024
"""Most evidence folded in one go at a checkpoint: some milliseconds, a little more for a crowd."""
_MOST_VISITORS, _MOST_WAITING = 10_000, 2_048
"""More visitors than this, and more touchpoints of one, do not wait for a checkpoint."""


class Partition:
    """State of one partition of `touchpoints.raw`.

    `offset` is the newest record applied, `position` the last one read; it is behind when the log
    is read again after a crash. `is_ahead` says that something was read since the last checkpoint;
    `waiting`, `changed` (in the order of writing) and `facts` (topic and row, by id) are what the
    next one will write, `fullest` is the most that waits of one visitor. `heard` are those who were
    folded or written since the last complete checkpoint. `linked` has the identifiers that a
    visitor carried last, which were already reported. `format` is that of the restored states; only
    `FORMAT` can be read.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.offset = self.position = -1
        self.is_ahead = False
        self.clock = Clock()
        self.recorded_at = 0
        self.void_before = self.begins = 0
        self.rebuilds: dict[str, Anew] = {}
        self.states: dict[bytes, bytes] = {}
        self.visitors = 0
        self.erasures: dict[bytes, Erased] = {}
        self.changed: dict[bytes, None] = {}
        self.facts: dict[str, tuple[str, Row]] = {}
        self.waiting: dict[bytes, Waiting] = {}
        self.fullest = 0
        self.linked: dict[bytes, tuple[str, ...]] = {}
        self.has_ticked = False
        self.heard: set[bytes] = set()
        self.is_remembered = False
        self.format = FORMAT
        self.places: list[int] = []
        self._durable = -1
        self._wakes: dict[str, list[tuple[int, bytes]]] = {}

    @property
    def times(self) -> SiteTimes:
        """The time of each site."""
        return self.clock.times

    def clock_name(self, site: str, name: str) -> str:
        """Name the clock of a visitor or person: people who are being rebuilt have their own."""
        return told_anew(site) if self.is_told_anew(site, name) else site

    def is_told_anew(self, site: str, name: str) -> bool:
        """Tell whether a running rebuild covers the visitor or person `name`."""
        rebuild = self.rebuilds.get(site) if self.rebuilds else None
        return rebuild is not None and rebuild.is_open and self.awaits(site, name, rebuild.at)

    def awaits(self, site: str, name: str, at: int) -> bool:
        """Tell whether the rebuild `at` is the newest and covers `name`, not erased since."""
        rebuild = self.rebuilds.get(site)
        return rebuild is not None and rebuild.at == at == self.erased(site, name).at

    def time_of(self, site: str, name: str) -> int:
        """Give the time of a visitor's or person's clock."""
        return self.times.get(self.clock_name(site, name), 0)

    def end_rebuild(self, site: str, now: int) -> None:
        """Make the clock of the site, at `now` or later, apply to everybody again."""
        anew = told_anew(site)
        self.rebuilds[site].heard_at = 0
        self.clock.join(anew, site, now)
        self.has_ticked = True
        for wake in self._wakes.pop(anew, ()):
            heappush(self._wakes.setdefault(site, []), wake)

    def _clock_of(self, key: bytes) -> str:
        if not self.rebuilds:
            return site_of(key)
        site, _, name = key.lstrip(PERSON).decode(errors="replace").partition(":")
        return self.clock_name(site, name)

    def schedule(self, key: bytes, wake_at: int) -> None:
        """Schedule the visitor `key` for when its site's time has passed `wake_at`."""
        heappush(self._wakes.setdefault(self._clock_of(key), []), (wake_at, key))

    def due(self, most: int) -> list[tuple[int, bytes]]:
        """Remove and give the visitors that are due, at most `most`, earliest first."""
        taken: list[tuple[int, bytes]] = []
        for site, wakes in self._wakes.items():
            now = self.times.get(site, 0)
            while wakes and wakes[0][0] < now and len(taken) < most:
                taken.append(heappop(wakes))
        return taken

    def waiting_of(self, key: bytes, site: str, visitor_id: str) -> Waiting:
        """Give the waiting touchpoints of the visitor `key`; there may be none."""
        waiting = self.waiting.get(key)
        if waiting is None:
            waiting = self.waiting[key] = Waiting(site, visitor_id)
            if stored := self.states.get(key):
                waiting.follow(stored, self.erased(site, visitor_id).before)
        return waiting

    def stretch(self, records: Sequence[RawRecord]) -> Sequence[RawRecord]:
        """Give the first of `records`, up to where an earlier run may have made a checkpoint.

        That run wrote its facts from exactly the log up to there. So a checkpoint is made there
        again: facts that are refuted later are then known, and retracted.
        """
        first = records[0].offset
        place = min((place for place in self.places if place >= first), default=None)
        if place is None:
            return records
        return [record for record in records if record.offset <= place]

    @property
    def is_due(self) -> bool:
        """Whether a checkpoint must be made here: much waits, or an earlier run made one here."""
        is_full = len(self.changed) >= _MOST_VISITORS or self.fullest >= _MOST_WAITING
        return is_full or self.position in self.places

    @property
    def is_read_again(self) -> bool:
        """Whether an earlier run may have made a checkpoint after this place."""
        return self.position < max(self.places, default=-1)

    def begin_checkpoint(self) -> Row:
        """Give the changelog's entry that must be durable before the rest of a checkpoint."""
        done = self._durable
        self.places = [place for place in self.places if done < place != self.position]
        self.places = [*self.places[1 - _MOST_PLACES :], self.position]
        return PLACES_KEY, _encode_meta(self.places), self.recorded_at

    def note_durable(self, position: int) -> None:
        """Note that the checkpoint at `position` is complete: the changelog remembers it."""
        self.is_remembered = True
        self._durable = max(self._durable, position)

    def visitor(self, key: bytes) -> VisitorState | None:
        """Give the state of the visitor `key`, if there is one; the caller may change it."""
        stored = self.states.get(key)
        return None if stored is None else decode_state(stored)

    def offset_of(self, key: bytes) -> int:
        """Give the offset of the newest record that a state or node reflects; -1 without any."""
        stored = self.states.get(key)
        if stored is None:
            return -1
        return self.node(key).offset if key.startswith(NODE) else read_schedule(stored).offset

    def person(self, key: bytes) -> PersonState | None:
        """Give the state of the person `key`, if there is one; the caller may change it."""
        stored = self.states.get(key)
        return None if stored is None else decode_person(stored)

    def node(self, key: bytes) -> Node:
        """Give a node of a graph, perhaps a new one; the caller may change it."""
        stored = self.states.get(key)
        return Node() if stored is None else _decode_node(stored)

    def erased(self, site: str, name: str) -> Erased:
        """Give what is known about the erasure of a name.

        A name that is being rebuilt is treated as if it had been erased.
        """
        known = _NOT_ERASED
        if self.erasures:
            known = self.erasures.get(erased_key(site, name), known)
        if self.rebuilds and (rebuild := self.rebuilds.get(site)) and rebuild.all_at:
            at, told = max(known.at, rebuild.all_at), max(known.told, rebuild.all_at)
            return Erased(at, told, known.before)
        return known

    def note_erased(self, site: str, name: str, erased: Erased) -> None:
        """Remember that a name was erased, for as long as the changelog exists."""
        key = erased_key(site, name)
        self.linked.clear()
        self.erasures[key] = erased
        self._put(key, _encode_meta(erased))
        self.changed[key] = None

    def keep(self, key: bytes, state: Memory | Node) -> None:
        """Remember `state`."""
        self._put(key, encode_state(state))
        self.changed[key] = None

    def forget(self, key: bytes) -> None:
        """Forget the visitor `key`."""
        self.linked.pop(key, None)
        self._drop(key)
        self.changed[key] = None

    def dear(self, most: int) -> set[bytes]:
        """Give those for whom a fold would repeat more than `most` for each touchpoint that waits;
        nobody, if a crash would have to repeat too many checkpoints.
        """
        if len(self.places) > _MOST_PLACES // 2:
            return set()
        return {key for key, waiting in self.waiting.items() if waiting.is_dear(most)}

    def next_waiting(self, held: Collection[bytes]) -> list[bytes]:
        """Choose the visitors to be folded next, few enough not to delay anybody else.

        Those who are `held` go on waiting.
        """
        keys, bytes_left = list[bytes](), _PART_BYTES
        chosen = ((key, waiting) for key, waiting in self.waiting.items() if key not in held)
        for key, waiting in islice(chosen, _PART_VISITORS):
            keys.append(key)
            bytes_left -= len(waiting.stored) + waiting.weight
            if bytes_left < 0:
                break
        self.heard.update(keys)
        return keys

    def take_facts(self) -> list[tuple[str, Row]]:
        """Give the facts that were not yet written, and mark them as written."""
        facts, self.facts = list(self.facts.values()), {}
        return facts

    def take_states(self, keys: Iterable[bytes]) -> list[Row]:
        """Give the changelog's entries of the changed `keys`, and mark them as written."""
        states: list[Row] = []
        for key in keys:
            states.append((key, self.states.get(key), self.recorded_at))
            del self.changed[key]
        return states

    def take_others(self, held: Collection[bytes]) -> list[Row]:
        """Give the remaining changelog entries but for those of who is `held`.

        The partition's own does not change: after a crash the log is read again from there, so
        everybody touched since then stays (`heard`).
        """
        keys = [key for key in self.changed if key not in held]
        self.heard.update(keys)
        self.is_ahead = False
        return self.take_states(keys)

    def take_rest(self) -> list[Row]:
        """Give the remaining changelog entries, the partition's own last.

        Once the facts and then the states are durable, everything up to `offset` is.
        """
        states = [*self.take_states(list(self.changed)), (META_KEY, self.meta(), self.recorded_at)]
        self.heard.clear()
        self.is_ahead, self.fullest = False, 0
        return states

    def meta(self) -> bytes:
        """Write the partition's own changelog entry."""
        known = (self.offset, self.clock, self.void_before, self.rebuilds, FORMAT, self.begins)
        return _encode_meta(Meta(*known))

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply one changelog entry; of two states of a visitor, the one with the later offset
        wins.

        Without that rule, a worker that was paused and wakes up after a rebalance could overwrite a
        new state with an old one.
        """
        self.linked.clear()
        if key == META_KEY:
            self._restore_meta(value)
        elif key == PLACES_KEY:
            self.places = _decode_places(value or b"\x90")
        elif value is None:
            self._drop(key)
        elif key.startswith(ERASED):
            self._put(key, value)
            self.erasures[key] = _decode_erased(value)
        elif key.startswith(NODE):
            if self.node(key).offset <= _decode_node(value).offset:
                self._put(key, value)
        else:
            self._restore_somebody(key, value)

    def _restore_meta(self, value: bytes | None) -> None:
        if value is None:  # the memory begins anew
            self.offset = self._durable = -1
        meta = _decode_meta(value) if value else Meta(-1, Clock(), format=FORMAT)
        self.format = meta.format
        if meta.offset >= self.offset:
            self.offset, self.clock = meta.offset, meta.clock
            self.void_before, self.rebuilds = meta.void_before, meta.rebuilds
            self.begins = meta.begins
        self.note_durable(meta.offset)

    def _restore_somebody(self, key: bytes, value: bytes) -> None:
        known = self.states.get(key)
        schedule = read_schedule(value)
        if known is None or read_schedule(known).offset <= schedule.offset:
            self._put(key, value)
            self.schedule(key, schedule.wake_at)

    def _put(self, key: bytes, value: bytes) -> None:
        if key not in self.states and not key.startswith(_OTHERS):
            self.visitors += 1
        self.states[key] = value

    def _drop(self, key: bytes) -> None:
        if self.states.pop(key, None) is not None and not key.startswith(_OTHERS):
            self.visitors -= 1


def erased_key(site: str, name: str) -> bytes:
    """Give the changelog key of an erased name, from which the name cannot be learned."""
    return ERASED + identifier("erased", site, name).encode()


def site_of(key: bytes) -> str:
    """Give the site in a key, which may be foreign and not even text."""
    return key.lstrip(PERSON + NODE).split(b":", 1)[0].decode(errors="replace")
