"""PURE: which visitors are one person.

A *visitor* is a device (or a user without one). An *identifier* is something a person carries from
device to device: a user id, a customer number, a hashed e-mail address, a subscriber id. A link
says that a visitor was seen with an identifier. Visitors that are connected by links are one
person, called by its first name: users before customers, addresses and subscribers, then in
alphabetical order. So the result depends on the set of links alone, not on when each became known.

A name that too many share joins nobody: a till's customer number, a test account, a tablet in the
store on which everybody signs in.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

import msgspec

from pipeline.journey.state import identifier
from pipeline.values.identifiers import is_placeholder

KINDS = ("user", "customer", "email", "subscriber")
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}

_LONGEST = len("user:") + 128
_EVERYBODY = frozenset({"test", "user", "admin"})
"""Names of nobody in particular: they join nobody."""

Link = tuple[str, str]
"""A visitor and an identifier that it was seen with."""


class Limits(msgspec.Struct, frozen=True):
    """How many links an identifier or a visitor may have before it counts as shared."""

    visitors: int = 100
    identifiers: int = 5

    def of(self, name: str) -> int:
        """Give the limit of the node `name`."""
        return self.visitors if _is_identifier(name) else self.identifiers


class Node(msgspec.Struct, array_like=True):
    """A visitor or identifier in the graph of links; `root` is its person, empty: itself."""

    neighbours: list[str] = msgspec.field(default_factory=list)
    is_shared: bool = False
    root: str = ""
    offset: int = -1


def name_identifier(kind: str, value: str, placeholders: Collection[str] = ()) -> str:
    """Give the name of an identifier, or an empty one if the value names nobody.

    A hash stands for a value that is too long for a row.
    """
    if is_nobody(value, placeholders):
        return ""
    name = f"{kind}:{value.strip()}"
    return name if len(name) <= _LONGEST else f"{kind}:{identifier(name)}"


def is_nobody(value: str, placeholders: Collection[str] = ()) -> bool:
    """Tell whether the value is a placeholder, or may mean anybody."""
    return is_placeholder(value, placeholders) or value.strip().lower() in _EVERYBODY


def person_id(site: str, name: str) -> str:
    """Give the pseudonym of the person whose first name is `name`."""
    return identifier(site, "person", name)


def first_name(names: Iterable[str]) -> str:
    """Choose the first name of a person."""
    return min(names, key=_rank)


def _rank(name: str) -> tuple[int, str]:
    return _RANK.get(name.partition(":")[0], len(KINDS)) if ":" in name else len(KINDS), name


def _is_identifier(name: str) -> bool:
    return _rank(name)[0] < len(KINDS)


def connect(find: Callable[[str], Node], link: Link, limits: Limits, offset: int) -> dict[str, str]:
    """Add `link`, found at `offset` of the log, to the graph.

    `find` gives the node of a name, always the same one. The result has each visitor whose person
    has changed, with the first name of its new person; empty means a person of its own.
    """
    touched = set(link)
    for name, other in (link, link[::-1]):
        node = find(name)
        if other not in node.neighbours and not node.is_shared:
            node.neighbours.append(other)
            node.offset = offset
            if len(node.neighbours) > limits.of(name):
                node.is_shared = True
                touched.update(node.neighbours)
    return regroup(find, touched, offset)


def regroup(find: Callable[[str], Node], touched: set[str], offset: int) -> dict[str, str]:
    """Find the people of `touched`, which is consumed; give the changes, as `connect` does."""
    changed: dict[str, str] = {}
    while touched:
        together = _together(find, touched.pop())
        touched -= together
        root = first_name(together) if len(together) > 1 else ""
        for name in together:
            node = find(name)
            if node.root != root:
                changed[name] = node.root = root
                node.offset = offset
    return changed


def _together(find: Callable[[str], Node], start: str) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        node = find(waiting.pop())
        if node.is_shared:
            continue
        for name in node.neighbours:
            if name not in found and not find(name).is_shared:
                found.add(name)
                waiting.append(name)
    return found


def first_names(links: Iterable[Link], limits: Limits) -> dict[str, str]:
    """Give the first name of every linked visitor, from all links together (union-find)."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for visitor, other in links:
        neighbours[visitor].add(other)
        neighbours[other].add(visitor)
    joining = {name for name, others in neighbours.items() if len(others) <= limits.of(name)}
    parent = {name: name for name in joining}

    def find(name: str) -> str:
        while parent[name] != name:
            parent[name] = name = parent[parent[name]]
        return name

    for name in joining:
        for other in neighbours[name] & joining:
            lower, higher = sorted((find(name), find(other)), key=_rank)
            parent[higher] = lower
    roots = {name: find(name) for name in joining}
    return {
        name: root
        for name, root in roots.items()
        if root != name or not neighbours[name].isdisjoint(joining)
    }
