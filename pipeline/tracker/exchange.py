"""PURE: the messages between partitions about people, and how they are handled.

    link → assignment → handover

A visitor's partition reports an identifier, the partition of the site's graph says which person the
visitor is, and the visitor's partition hands the evidence to that of the person. Messages are sent
before the states that remember them are durable, so after a crash they are sent again and change
nothing.
"""

from msgspec import structs

from pipeline.journey.handover import everything, pieces, receive
from pipeline.journey.memory import reassign
from pipeline.journey.messages import (
    Assignment,
    Erasure,
    Handover,
    Link,
    Message,
    Rebuild,
    Told,
    encode_message,
)
from pipeline.journey.people import Limits, connect
from pipeline.kafka.records import Row, partition_for
from pipeline.tracker.erasure import erase
from pipeline.tracker.graph import Graph
from pipeline.tracker.partition import Partition
from pipeline.tracker.rebuild import hear_rebuild
from pipeline.tracker.touched import Touched, Visitor
from schemas.topics import record_key

_IDENTIFIERS = 50
"""How many reported identifiers of a visitor are remembered; the graph knows them all."""


class Exchange:
    """Handles messages; `told` has the answers, by partition."""

    def __init__(
        self, partition: Partition, touched: Touched, limits: Limits, partitions: int
    ) -> None:
        self._partition = partition
        self._touched = touched
        self._limits = limits
        self._partitions = partitions
        self.told: dict[int, list[Row]] = {}

    def link(self, visitor: Visitor, identifiers: tuple[str, ...], offset: int) -> None:
        """Report the identifiers that the visitor was not seen with before."""
        state, facts = visitor.state, visitor.facts
        now = self._partition.time_of(facts.site, facts.visitor_id)
        for name in identifiers:
            era = self._partition.erased(facts.site, name).told
            noted = f"{name}\0{era}" if era else name
            if noted not in state.identifiers:
                visitor.is_changed = True
                state.offset = facts.version = offset
                state.kept_from = now
                state.identifiers = [*state.identifiers[1 - _IDENTIFIERS :], noted]
                facts.add_link(name)
                own = self._told_era(facts.site, facts.visitor_id)
                self._tell(Link(facts.site, facts.visitor_id, name, now, own, era))
        self._partition.linked[visitor.key] = identifiers

    def hand_over(self, visitor: Visitor) -> None:
        """Send the visitor's evidence to its person."""
        if visitor.handover:
            state, facts = visitor.state, visitor.facts
            now = self._partition.time_of(facts.site, facts.visitor_id)
            for piece in pieces(state, visitor.handover, facts.site, facts.visitor_id, now):
                self._tell_of(piece)

    def hear(self, message: Message, offset: int) -> None:
        """Handle the message at `offset`, unless it is about somebody erased."""
        if isinstance(message, Erasure):
            erase(self._partition, self._touched, self._tell, message, offset)
            return
        if isinstance(message, Rebuild):
            hear_rebuild(self._partition, self._touched, message, offset)
            return
        self._partition.clock.hear(message.site, message.now)
        if self._is_stale(message):
            return
        match message:
            case Link():
                self._connect(message, offset)
            case Assignment():
                self._assign(message, offset)
            case Handover():
                self._receive(message, offset)

    def _connect(self, link: Link, offset: int) -> None:
        graph = Graph(self._partition, link.site, offset)
        changed = connect(graph.find, (link.visitor_id, link.identifier), self._limits, offset)
        # Answer even if nothing has changed: the sender may have forgotten the answer.
        changed.setdefault(link.visitor_id, graph.find(link.visitor_id).root)
        graph.keep()
        for assignment in graph.assignments(changed, link.now):
            self._tell(assignment)

    def _assign(self, assignment: Assignment, offset: int) -> None:
        site, visitor_id, person = assignment.site, assignment.visitor_id, assignment.person
        visitor = self._touched.visitor(record_key(site, visitor_id), site, visitor_id)
        state, facts = visitor.state, visitor.facts
        if offset <= visitor.known_offset or assignment.epoch <= state.epoch:
            return
        now, before = self._partition.time_of(site, visitor_id), state.person
        visitor.is_changed = True
        state.offset = facts.version = offset
        state.epoch, state.era, state.kept_from = assignment.epoch, assignment.era, now
        if person == before:
            return
        if before:
            self._tell_of(Handover(site, before, visitor_id, state.epoch, now, is_gone=True))
        reassign(state, person, now, facts)
        facts.add_identity()
        if person:
            for handover in everything(state, site, visitor_id, now):
                self._tell_of(handover)

    def _receive(self, handover: Handover, offset: int) -> None:
        if handover.is_gone:
            self._learn_of_erasure(handover)
        person = self._touched.person(handover.site, handover.person, offset)
        if offset <= person.known_offset:
            return
        if handover.is_gone and handover.era and handover.visitor_id not in person.state.members:
            return  # it was erased, and has just left
        now = self._partition.time_of(handover.site, handover.person)
        person.facts.version = person.state.offset = offset
        person.is_changed |= receive(person.state, handover, now, person.facts)

    def _learn_of_erasure(self, handover: Handover) -> None:
        """Note the erasure for which somebody leaves its person: it may be read later than this."""
        site, name, era = handover.site, handover.visitor_id, handover.era
        known = self._partition.erased(site, name)
        if known.at < era:
            self._partition.note_erased(site, name, structs.replace(known, at=era))

    def _is_stale(self, message: Told) -> bool:
        """Tell whether a name was erased after this message about it was sent."""
        erased, site = self._partition.erased, message.site
        if message.era < erased(site, message.visitor_id).at:
            return True
        return isinstance(message, Link) and (
            message.identifier_era < erased(site, message.identifier).at
        )

    def _told_era(self, site: str, name: str) -> int:
        return self._partition.erased(site, name).told

    def _tell_of(self, handover: Handover) -> None:
        handover.era = self._told_era(handover.site, handover.visitor_id)
        self._tell(handover)

    def _tell(self, message: Told) -> None:
        key = message.key()
        row = (key, encode_message(message), self._partition.recorded_at)
        self.told.setdefault(partition_for(key, self._partitions), []).append(row)
