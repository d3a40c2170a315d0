"""The house that the packages are: its rooms, floors and arrows, counted. `make house` prints it.

A room is a folder of `pipeline`, a file in its root, or another package. An arrow leads from a room
to another one that it imports, also inside a function. It leads down, to a lower floor.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("pipeline", "schemas", "sinks")

FLOORS: tuple[tuple[str, ...], ...] = (
    ("schemas", "terminal", "values"),
    ("journey", "metrics", "privacy", "reports", "settings", "signed", "sinks", "tracing"),
    ("clickhouse", "kafka"),
    ("collector", "importer", "live", "local", "personal", "roles", "tracker"),
    ("demo", "operations"),
    ("cli",),
)
"""The rooms of each floor, from the ground up."""

FLOOR = {room: number for number, rooms in enumerate(FLOORS, 1) for room in rooms}
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 40
MANY_LINES_OF_A_FUNCTION = 30

Graph = Mapping[str, set[str]]


def module_of(path: Path) -> str:
    """Give the dotted name of a file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def sources() -> dict[str, str]:
    """Read the text of every module."""
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {module_of(path): path.read_text() for path in paths}


SOURCES = sources()


def within(name: str, parts: Iterable[str]) -> bool:
    """Tell whether the module `name` is one of `parts`, or inside of one."""
    return any(f"{name}.".startswith(f"{part}.") for part in parts)


def imports(source: str) -> Iterator[str]:
    """Name what is imported, as `package.module.name`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def our_imports(source: str) -> set[str]:
    """Name the modules of ours that are imported."""
    return {
        max((module for module in SOURCES if within(name, [module])), key=len)
        for name in imports(source)
        if within(name, PACKAGES)
    }


def room_of(module: str) -> str:
    """Give the room of a module; `pipeline` itself is none."""
    package, *rest = module.split(".")
    return rest[0] if package == "pipeline" and rest else package


def arrows(modules: Mapping[str, str]) -> dict[str, set[str]]:
    """Give the rooms that each room imports."""
    found: dict[str, set[str]] = {}
    for module, text in modules.items():
        room = room_of(module)
        found.setdefault(room, set()).update(map(room_of, our_imports(text)))
    return {room: others - {room} for room, others in found.items() if room != "pipeline"}


def back_up(graph: Graph) -> list[tuple[str, str]]:
    """Name the arrows that do not lead to a lower floor."""
    return [
        (room, other)
        for room, others in graph.items()
        for other in sorted(others)
        if FLOOR[room] <= FLOOR[other]
    ]


def circle(graph: Graph) -> list[str]:
    """Give the members of a circle, or none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def shortened(graph: Graph) -> dict[str, set[str]]:
    """Give the arrows without those from where a longer way leads to the same room."""
    return {room: others - _further(graph, others) for room, others in graph.items()}


def _further(graph: Graph, rooms: Iterable[str]) -> set[str]:
    """Give what the rooms import, and what that imports, and so on."""
    found: set[str] = set()
    ahead = [other for room in rooms for other in graph[room]]
    while ahead:
        room = ahead.pop()
        if room not in found:
            found.add(room)
            ahead.extend(graph[room])
    return found


def longest_files(modules: Mapping[str, str]) -> list[tuple[int, str]]:
    """Give the lines of each module, the longest first."""
    return sorted(((text.count("\n"), module) for module, text in modules.items()), reverse=True)


def long_functions(modules: Mapping[str, str], more_than: int) -> list[tuple[int, str]]:
    """Give the functions with more lines than that, the longest first."""
    found = []
    for module, text in modules.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > more_than:
                    found.append((lines, f"{module}.{node.name}"))
    return sorted(found, reverse=True)


def summary() -> Iterator[tuple[str, object]]:
    """Count the house."""
    graph = arrows(SOURCES)
    modules = {module: our_imports(text) - {module} for module, text in SOURCES.items()}
    yield "rooms", len(graph)
    yield "floors", len({FLOOR[room] for room in graph})
    yield "arrows", sum(map(len, graph.values()))
    yield "arrows back up", back_up(graph) or 0
    yield "circles", circle(modules) or 0
    yield "modules", len(SOURCES)
    yield "longest file", "{} lines, {}".format(*longest_files(SOURCES)[0])
    longest = long_functions(SOURCES, 0)
    yield "functions", len(longest)
    yield "longest function", "{} lines, {}".format(*longest[0])
    yield (
        f"functions over {MANY_LINES_OF_A_FUNCTION} lines",
        len(long_functions(SOURCES, MANY_LINES_OF_A_FUNCTION)),
    )


if __name__ == "__main__":
    for what, count in summary():
        sys.stdout.write(f"{what:<28} {count}\n")
