"""The journey map for a terminal. Lays out what `pipeline.reports.journey_map.answer` has read."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.reports.journey_map.answer import JourneyMap, MapCell
from pipeline.reports.span import BEGINNING, END
from schemas.fields import Language

_NARROWEST = 9
_FEW = 10
"""With fewer people, a percentage says nothing."""

_NOTES: dict[Language, dict[str, str]] = {
    "en": {"needs": "needs", "key_moment": "key moment", "picture": "picture", "team": "team"},
    "de": {
        "needs": "Bedürfnisse",
        "key_moment": "Schlüsselmoment",
        "picture": "Bild",
        "team": "Team",
    },
}

_LEGEND = (
    "Each cell: people → how many went on to a later phase; median time in the phase; "
    "! pain points (abandoned, asked for help, complained, noted by staff); "
    "☺ satisfaction from 0 to 100."
)


def render(found: JourneyMap, lang: Language = "en") -> RenderableType:
    """Lay out phases × channels, with the canvas notes below the labels."""
    table = Table(show_lines=True)
    table.add_column("")
    for phase in found.phases:
        table.add_column(getattr(phase, lang) or phase.id, overflow="fold")
    for note, label in _NOTES[lang].items():
        if any(getattr(phase, note) for phase in found.phases):
            table.add_row(label, *(getattr(phase, note) for phase in found.phases), style="italic")
    cells = {(cell.channel, cell.phase): cell for cell in found.cells}
    for phase, column in zip(found.phases, table.columns[1:], strict=True):
        lines = (line for cell in found.cells if cell.phase == phase.id for line in _lines(cell))
        column.min_width = max(_NARROWEST, *map(len, lines), 0)
    for channel in found.channels:
        row = (_cell(cells.get((channel, phase.id))) for phase in found.phases)
        table.add_row(channel or "all", *row, style="" if channel else "bold")
    return Group(Text(_title(found)), table, Text(_LEGEND), *_elsewhere(found))


def rows(found: JourneyMap) -> Iterator[dict[str, Any]]:
    """Give the cells, for CSV; the empty channel is all channels."""
    return map(asdict, found.cells)


def _title(found: JourneyMap) -> str:
    span = found.span
    parts = [span.site or "all sites", f"model: {found.model}"]
    parts.append(f"segment: {found.segment or 'all'}")
    if span.start > BEGINNING:
        parts.append(f"from {span.start:%Y-%m-%d %H:%M %Z}")
    if span.end < END:
        parts.append(f"until {span.end:%Y-%m-%d %H:%M %Z}")
    return " · ".join(parts)


def _cell(cell: MapCell | None) -> str:
    return "" if cell is None else "\n".join(_lines(cell))


def _lines(cell: MapCell) -> Iterator[str]:
    if cell.people:
        yield f"{cell.people:,}{_onward(cell)}"
    if cell.median_seconds is not None:
        yield _duration(cell.median_seconds)
    signs = [f"!{cell.pain_points:,}"] if cell.pain_points else []
    if cell.satisfaction is not None:
        signs.append(f"☺ {cell.satisfaction:.0f}")
    if signs:
        yield "  ".join(signs)


def _onward(cell: MapCell) -> str:
    if not cell.went_on:
        return ""
    if cell.people < _FEW:
        return f" → {cell.went_on}"
    return f" → {100 * cell.went_on / cell.people:.0f} %"


def _duration(seconds: int) -> str:
    for unit, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds} s"


def _elsewhere(found: JourneyMap) -> Iterator[Text]:
    """Name phases that people are still in, but that the model file no longer has."""
    known = {phase.id for phase in found.phases}
    gone = sorted({cell.phase for cell in found.cells} - known)
    if gone:
        yield Text(f"Not shown, because the model has no such phase now: {', '.join(gone)}.")
