"""PURE: visitors and people, each read from a partition once: found, woken, kept or forgotten."""

from collections.abc import Collection, Iterable

import msgspec

from pipeline.journey.facts import Facts
from pipeline.journey.handover import expel
from pipeline.journey.memory import is_over, next_deadline, observe, seal, settle
from pipeline.journey.rules import Rules
from pipeline.journey.state import Evidence, PersonState, VisitorState, new_person, new_state
from pipeline.tracker.partition import PERSON, Partition
from pipeline.tracker.waiting import Waiting
from schemas import topics
from schemas.codec import encode_fact
from schemas.facts import Abandonment, Fact, Identity, Link, Session, Transition
from schemas.topics import record_key

_TOPICS: dict[type[Fact], topics.Topic] = {
    Session: topics.SESSIONS,
    Transition: topics.TRANSITIONS,
    Abandonment: topics.ABANDONMENTS,
    Identity: topics.IDENTITIES,
    Link: topics.LINKS,
}


class Visitor(msgspec.Struct):
    """A visitor; records up to `known_offset` are already in its state.

    `handover` is evidence that its person has not got yet.
    """

    key: bytes
    state: VisitorState
    facts: Facts
    known_offset: int
    is_changed: bool = False
    handover: list[Evidence] = msgspec.field(default_factory=list)

    def hear(self, waiting: Waiting) -> None:
        """Take all waiting touchpoints."""
        state, arriving = self.state, waiting.evidence.values()
        self.is_changed = True
        self.facts.version = state.offset = max(state.offset, waiting.offset)
        state.weight, state.sealed_to = waiting.weight, max(state.sealed_to, waiting.sealed_to)
        observe(state, arriving, waiting.now, self.facts)
        if state.person:
            self.handover.extend(arriving)

    @property
    def may_seal(self) -> bool:
        """Not while its assignment is pending: in a backlog that comes after all evidence."""
        return not self.state.identifiers or self.state.epoch >= 0


class Person(msgspec.Struct):
    """A person with several visitors; like a visitor, except for its state.

    It may seal evidence once a tick has woken it: until then visitors may hand over older evidence.
    """

    key: bytes
    state: PersonState
    facts: Facts
    known_offset: int
    is_changed: bool = False
    may_seal: bool = False


Somebody = Visitor | Person


class Touched:
    """Everybody touched by a chunk or by a part of a checkpoint, each read once."""

    def __init__(self, partition: Partition, rules: Rules) -> None:
        self._partition = partition
        self._rules = rules
        self._visitors: dict[bytes, Visitor] = {}
        self._people: dict[bytes, Person] = {}

    def changed(self) -> list[Somebody]:
        """Give all who were touched and have changed."""
        return [somebody for somebody in self._everybody() if somebody.is_changed]

    def visitor(self, key: bytes, site: str, visitor_id: str) -> Visitor:
        """Find a visitor, perhaps a new one, without waiting touchpoints; `key` is its key."""
        visitor = self._visitors.get(key)
        if visitor is None:
            state = self._partition.visitor(key) or new_state()
            if state.offset < self._partition.erased(site, visitor_id).before:
                state = new_state()  # written by a worker that did not know it had been replaced
            facts = Facts(site, visitor_id, self._partition.number, self._rules)
            facts.person = state.person
            visitor = self._visitors[key] = Visitor(key, state, facts, state.offset)
        return visitor

    def known(self, key: bytes) -> VisitorState | None:
        """Give the state of the visitor `key`, if there is one."""
        visitor = self._visitors.get(key)
        return visitor.state if visitor else self._partition.visitor(key)

    def drop(self, key: bytes) -> None:
        """Forget the visitor or person `key` and its unsent messages."""
        self._visitors.pop(key, None)
        self._people.pop(key, None)
        self._partition.forget(key)

    def person(self, site: str, name: str, offset: int) -> Person:
        """Find a person by its first name, perhaps a new one; without erased visitors.

        `offset` is that of the record for which it is looked up.
        """
        key = PERSON + record_key(site, name)
        person = self._people.get(key)
        if person is None:
            state = self._partition.person(key) or new_person()
            facts = Facts(site, name, self._partition.number, self._rules, has_sessions=False)
            person = self._people[key] = Person(key, state, facts, state.offset)
        if self._partition.erasures:
            self._expel(person, offset)
        return person

    def people_with(self, site: str, names: Collection[str]) -> set[str]:
        """Give the first names of the site's people in whose memory one of `names` stands.

        Nothing says which people somebody left earlier, so all states are searched.
        """
        prefix = PERSON + record_key(site, "")
        written = [msgspec.msgpack.encode(name) for name in names]
        keys = {
            key
            for key, state in self._partition.states.items()
            if key.startswith(prefix) and any(name in state for name in written)
        }
        touched = {key for key in self._people if key.startswith(prefix)}
        return {key.removeprefix(prefix).decode() for key in keys | touched}

    def _expel(self, person: Person, offset: int) -> None:
        site, state = person.facts.site, person.state
        erased = {
            name
            for name, member in state.members.items()
            if member.era < self._partition.erased(site, name).at
        }
        if erased and state.offset <= offset:
            person.is_changed = True
            person.facts.version = state.offset = offset
            expel(state, erased, self._time_of(person), person.facts)

    def fold(self, keys: Iterable[bytes]) -> None:
        """Fold the waiting touchpoints of the visitors `keys` into their states."""
        for key in keys:
            waiting = self._partition.waiting.pop(key)
            if waiting.evidence:
                self.visitor(key, waiting.site, waiting.visitor_id).hear(waiting)

    def wake(self, due: Iterable[tuple[int, bytes]]) -> None:
        """Judge the silence of those who are due."""
        offset = self._partition.position
        for wake_at, key in due:
            sleeper = self._find(key, offset)
            if sleeper is not None and sleeper.state.wake_at == wake_at:
                sleeper.is_changed = True
                if isinstance(sleeper, Person):
                    sleeper.may_seal = True
                sleeper.state.wake_at = 0
                sleeper.facts.version = sleeper.state.offset = max(offset, sleeper.state.offset)
                settle(sleeper.state, self._time_of(sleeper), sleeper.facts)

    def close(self, somebody: Somebody) -> None:
        """Seal old evidence, note facts, and store the state, or forget it when it is over.

        Everybody touched since the last checkpoint stays: a crash before the next one must not find
        them gone.
        """
        partition, key, state, facts = self._partition, somebody.key, somebody.state, somebody.facts
        clock_name = partition.clock_name(facts.site, facts.visitor_id)
        horizon = partition.clock.horizon(clock_name)
        # People being rebuilt keep all evidence, so that later links join them exactly.
        may_seal = somebody.may_seal and clock_name == facts.site
        seal(state, horizon, facts, by_age=may_seal and key not in partition.waiting)
        for id_, fact in facts.all().items():
            row = (key.lstrip(PERSON), encode_fact(fact), partition.recorded_at)
            partition.facts[id_] = (_TOPICS[type(fact)].name, row)
        is_nobody = isinstance(state, PersonState) and not state.members
        is_new = key in partition.changed or key in partition.heard
        is_done = not is_new and is_over(state, horizon, self._rules)
        if is_nobody or is_done:
            partition.forget(key)
        else:
            self._schedule(somebody)
            partition.keep(key, state)

    def _time_of(self, somebody: Somebody) -> int:
        return self._partition.time_of(somebody.facts.site, somebody.facts.visitor_id)

    def _everybody(self) -> list[Somebody]:
        return [*self._visitors.values(), *self._people.values()]

    def _find(self, key: bytes, offset: int) -> Somebody | None:
        if key not in self._partition.states:
            return None
        site, name = key.lstrip(PERSON).decode().split(":", 1)
        if key.startswith(PERSON):
            return self.person(site, name, offset)
        return self.visitor(key, site, name)

    def _schedule(self, somebody: Somebody) -> None:
        state = somebody.state
        clock_name = self._partition.clock_name(somebody.facts.site, somebody.facts.visitor_id)
        silence = self._partition.clock.silence(clock_name)
        deadline = next_deadline(state, self._rules, silence)
        if not state.wake_at or deadline < state.wake_at:
            state.wake_at = deadline
            self._partition.schedule(somebody.key, deadline)
