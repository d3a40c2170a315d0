"""PURE: the graph of a site's links, node by node, as the partition that keeps it remembers it."""

from collections.abc import Collection, Iterator, Mapping

from pipeline.journey.messages import Assignment
from pipeline.journey.people import Node
from pipeline.tracker.partition import NODE, Partition


class Graph:
    """The graph of a site, as the message at `offset` finds it."""

    def __init__(self, partition: Partition, site: str, offset: int) -> None:
        self._partition = partition
        self._site = site
        self._prefix = NODE + site.encode() + b":"
        self._offset = offset
        self._nodes: dict[str, Node] = {}

    def find(self, name: str) -> Node:
        """Give the node of a name, perhaps a new one; the caller may change it."""
        if name not in self._nodes:
            self._nodes[name] = self._partition.node(self._prefix + name.encode())
        return self._nodes[name]

    def cut_out(self, name: str) -> Node:
        """Remove a node; give what it was, without neighbours if it is newer."""
        node = self.find(name)
        if node.offset > self._offset:
            return Node()
        for other in node.neighbours:
            neighbour = self.find(other)
            if name in neighbour.neighbours and neighbour.offset <= self._offset:
                neighbour.neighbours.remove(name)
                neighbour.offset = self._offset
        # A shared name stays known as shared, but not by whom.
        self._nodes[name] = Node(is_shared=node.is_shared, offset=self._offset)
        return node

    def keep(self, gone: Collection[str] = ()) -> None:
        """Write back the changes; forget the names `gone`.

        These are written last: if a crash comes in between, the erasure is read again and finds in
        them who else must forget them.
        """
        for name, node in sorted(self._nodes.items(), key=lambda named: named[0] in gone):
            key = self._prefix + name.encode()
            if node.offset != self._offset:
                continue
            if name in gone:
                self._partition.changed.pop(key, None)
            if name in gone and not node.is_shared:
                self._partition.forget(key)
            else:
                self._partition.keep(key, node)

    def assignments(self, people: Mapping[str, str], now: int) -> Iterator[Assignment]:
        """Say which person each visitor of `people` is now."""
        for name, person in people.items():
            era = self._partition.erased(self._site, name).at
            yield Assignment(self._site, name, person, self._offset, now, era)
