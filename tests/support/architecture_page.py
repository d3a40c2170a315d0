"""docs/images/rooms.svg: the picture of the house, drawn from the imports. Shell.

`python -m tests.support.architecture_page` draws it anew. Nothing has to run to see it: readers of
the repository and of the built pages get the same file.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tests.support.house import FLOOR, FLOORS, ROOT, SOURCES, Graph, arrows, shortened

PICTURE = ROOT / "docs/images/rooms.svg"

_WIDE, _HIGH, _LEFT = 900, 96, 70
_BOX_WIDE, _BOX_HIGH = 104, 34


class _Place(NamedTuple):
    """The middle of a room."""

    x: float
    y: float


def drawn(graph: Graph) -> str:
    """Draw the rooms, the lowest floor at the bottom; an arrow leads to a room that is imported."""
    places, kept = _places(graph), shortened(graph)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH * len(FLOORS)}"',
        ' font-family="system-ui, sans-serif" font-size="14" role="img"',
        ' aria-label="The rooms of the code on six floors, and what each imports">',
        '<rect width="100%" height="100%" rx="6" fill="#fff"/>',
        *_ways(places, kept),
        *(_room(room, place) for room, place in places.items()),
        *(_name_of_floor(number) for number in range(1, len(FLOORS) + 1)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _places(graph: Graph) -> dict[str, _Place]:
    """Give each room its place; below the rooms that import it, as far as others leave room."""
    places: dict[str, _Place] = {}
    for number, rooms in reversed(list(enumerate(FLOORS, 1))):
        here = sorted(
            (room for room in rooms if room in graph), key=lambda room: _above(room, graph, places)
        )
        step = (_WIDE - _LEFT) / len(here)
        for index, room in enumerate(here):
            places[room] = _Place(_LEFT + step * (index + 0.5), _middle(number))
    return places


def _above(room: str, graph: Graph, places: dict[str, _Place]) -> float:
    """Give how far to the right the rooms are that import it."""
    over = [
        places[other].x for other, others in graph.items() if room in others and other in places
    ]
    return sum(over) / len(over) if over else 0


def _middle(floor: int) -> float:
    return _HIGH * (len(FLOORS) - floor + 0.5)


def _ways(places: dict[str, _Place], kept: Graph) -> Iterator[str]:
    for room in sorted(kept, key=lambda room: (-FLOOR[room], room)):
        for other in sorted(kept[room]):
            yield _way(places[room], places[other])


def _way(start: _Place, end: _Place) -> str:
    """Draw a curve from the lower edge of one box to the upper edge of the other."""
    top, bottom = start.y + _BOX_HIGH / 2, end.y - _BOX_HIGH / 2
    bend = (bottom - top) / 2
    return (
        f'<path d="M{start.x:.0f} {top:.0f}C{start.x:.0f} {top + bend:.0f} '
        f"{end.x:.0f} {bottom - bend:.0f} {end.x:.0f} {bottom - 5:.0f}"
        '" fill="none" stroke="#9aa7b5"/>'
        f'<path d="M{end.x - 4:.0f} {bottom - 7:.0f}h8l-4 7z" fill="#6b7a8a"/>'
    )


def _room(name: str, place: _Place) -> str:
    return (
        f'<rect x="{place.x - _BOX_WIDE / 2:.0f}" y="{place.y - _BOX_HIGH / 2:.0f}" '
        f'width="{_BOX_WIDE}" height="{_BOX_HIGH}" rx="5" fill="#eef3f8" stroke="#3b5b7a"/>'
        f'<text x="{place.x:.0f}" y="{place.y + 5:.0f}" text-anchor="middle" '
        f'fill="#1b2a38">{name}</text>'
    )


def _name_of_floor(number: int) -> str:
    return f'<text x="12" y="{_middle(number) + 5:.0f}" fill="#5a6978">floor {number}</text>'


if __name__ == "__main__":
    PICTURE.write_text(drawn(arrows(SOURCES)), encoding="utf-8")
