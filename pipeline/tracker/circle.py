"""PURE: the visitors and people that a chunk touches: found, woken, kept or forgotten."""

import msgspec

from pipeline.journey.fold import Facts, is_over, next_deadline, settle
from pipeline.journey.handover import expel
from pipeline.journey.rules import Rules
from pipeline.journey.state import Evidence, PersonState, VisitorState, new_person, new_state
from pipeline.tracker.partition import PERSON, Partition
from schemas.topics import record_key

_WAKES_PER_TICK = 10_000


class Visitor(msgspec.Struct):
    """A visitor; records up to `known_offset` are already in its state.

    `handover` is evidence that its person is still to get.
    """

    key: bytes
    state: VisitorState
    facts: Facts
    known_offset: int
    is_changed: bool = False
    handover: list[Evidence] = msgspec.field(default_factory=list)

    @property
    def may_seal(self) -> bool:
        """Not while it waits to be told whom it is: in a backlog that comes after all evidence."""
        return not self.state.identifiers or self.state.epoch >= 0


class Person(msgspec.Struct):
    """A person of several visitors; like a visitor, but for its state.

    It may seal when a tick has woken it: until then visitors may hand over what is older.
    """

    key: bytes
    state: PersonState
    facts: Facts
    known_offset: int
    is_changed: bool = False
    may_seal: bool = False


Somebody = Visitor | Person


class Circle:
    """Everybody touched by one chunk, each read from the partition once."""

    def __init__(self, partition: Partition, rules: Rules) -> None:
        self._partition = partition
        self._rules = rules
        self._visitors: dict[bytes, Visitor] = {}
        self._people: dict[bytes, Person] = {}

    def everybody(self) -> list[Somebody]:
        """Give all who were touched."""
        return [*self._visitors.values(), *self._people.values()]

    def visitor(self, key: bytes, site: str, visitor_id: str) -> Visitor:
        """Find a visitor, perhaps a new one; `key` is that of its records."""
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

    def knows(self, key: bytes) -> bool:
        """Tell whether anything is known of the visitor or person `key`."""
        return key in self._visitors or key in self._people or key in self._partition.states

    def drop(self, key: bytes) -> None:
        """Forget the visitor `key`, and what was to be said of it."""
        self._visitors.pop(key, None)
        self._partition.forget(key)

    def person(self, site: str, name: str, offset: int) -> Person:
        """Find a person by its first name, perhaps a new one; without who was erased.

        `offset` is that of the record for which it is looked for.
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
            expel(state, erased, self._partition.times.get(site, 0), person.facts)

    def wake(self, offset: int) -> None:
        """Judge the silence of all whose time has come; the tick stands at `offset`."""
        for somebody in self.everybody():
            self._schedule(somebody)
        for wake_at, key in self._partition.due(_WAKES_PER_TICK):
            sleeper = self._find(key, offset)
            if sleeper is not None and sleeper.state.wake_at == wake_at:
                sleeper.is_changed = True
                if isinstance(sleeper, Person):
                    sleeper.may_seal = True
                sleeper.state.wake_at = 0
                sleeper.facts.version = sleeper.state.offset = max(offset, sleeper.state.offset)
                settle(sleeper.state, self._partition.times[sleeper.facts.site], sleeper.facts)

    def keep(self, somebody: Somebody, now: int) -> None:
        """Put the state back, or forget it when it is over.

        Who was heard since the last checkpoint stays: a crash before the next one must not find
        them gone.
        """
        key, state = somebody.key, somebody.state
        is_nobody = isinstance(state, PersonState) and not state.members
        is_done = key not in self._partition.changed and is_over(state, now, self._rules)
        if is_nobody or is_done:
            self._partition.forget(key)
        else:
            self._schedule(somebody)
            self._partition.keep(key, state)

    def _find(self, key: bytes, offset: int) -> Somebody | None:
        if not self.knows(key):
            return None
        site, name = key.lstrip(PERSON).decode().split(":", 1)
        if key.startswith(PERSON):
            return self.person(site, name, offset)
        return self.visitor(key, site, name)

    def _schedule(self, somebody: Somebody) -> None:
        state = somebody.state
        deadline = next_deadline(state, self._rules)
        if not state.wake_at or deadline < state.wake_at:
            state.wake_at = deadline
            self._partition.schedule(somebody.key, deadline)
