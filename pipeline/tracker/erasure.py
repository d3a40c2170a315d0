"""PURE: how a partition forgets names: in the graph, in people, and last the visitors themselves.

Anything newer than the erasure stays: after a crash the erasure is read again, perhaps over states
that already contain later records.
"""

from collections.abc import Callable

from msgspec import structs

from pipeline.journey.messages import Erasure, Handover, Told
from pipeline.journey.people import regroup
from pipeline.tracker.graph import Graph
from pipeline.tracker.partition import Erased, Partition
from pipeline.tracker.touched import Touched
from schemas.topics import record_key

Tell = Callable[[Told], None]


def erase(
    partition: Partition, touched: Touched, tell: Tell, erasure: Erasure, offset: int
) -> None:
    """Carry out the erasure at `offset`; `tell` sends messages to other partitions."""
    site = erasure.site
    for name in erasure.names:
        known = partition.erased(site, name)
        at = max(known.at, erasure.at)
        if erasure.is_final and erasure.at >= known.told:
            partition.note_erased(site, name, Erased(at, erasure.at, offset))
        else:
            partition.note_erased(site, name, structs.replace(known, at=at))
    if erasure.is_final:
        _forget_visitors(partition, touched, erasure, offset)
    else:
        _forget_people(touched, erasure, offset)
        _cut_out(partition, tell, erasure, offset)


def _forget_visitors(partition: Partition, touched: Touched, erasure: Erasure, offset: int) -> None:
    for name in erasure.names:
        key = record_key(erasure.site, name)
        partition.waiting.pop(key, None)  # all of it came before
        state = touched.known(key)
        if state is None or state.offset > offset:
            continue
        touched.drop(key)
        if state.person and state.era >= erasure.at:  # who the name is now, told meanwhile
            visitor = touched.visitor(key, erasure.site, name)
            fresh = visitor.state
            fresh.person, fresh.epoch, fresh.era = state.person, state.epoch, state.era
            fresh.offset, fresh.kept_from = offset, state.kept_from
            visitor.facts.belong_to(fresh.person)
            visitor.known_offset, visitor.is_changed = offset, True
            visitor.facts.version = offset
            visitor.facts.add_identity()  # what was to be said of it has been dropped


def _forget_people(touched: Touched, erasure: Erasure, offset: int) -> None:
    for person in touched.people_with(erasure.site, erasure.names):
        touched.person(erasure.site, person, offset)


def _cut_out(partition: Partition, tell: Tell, erasure: Erasure, offset: int) -> None:
    """Remove the names from the site's graph; send the others their new people."""
    site, now = erasure.site, partition.times.get(erasure.site, 0)
    graph = Graph(partition, site, offset)
    touched: set[str] = set()
    for name in erasure.names:
        node = graph.cut_out(name)
        touched.update(node.neighbours)
        if node.root and node.root not in erasure.names:
            # The visitor's partition learns from this that it was erased.
            era = partition.erased(site, name).at
            tell(Handover(site, node.root, name, offset, now, is_gone=True, era=era))
    changed = regroup(graph.find, touched - set(erasure.names), offset)
    graph.keep(erasure.names)
    for assignment in graph.assignments(changed, now):
        tell(assignment)
