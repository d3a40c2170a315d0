"""The pictures of the concept pages are shown, load nothing, and say what the rules say."""

import re
from collections.abc import Iterable
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest

from schemas.facts import Abandonment, Fact, Session, Transition
from schemas.journeys import load_models
from tests.support.house import ROOT
from tests.support.journeys import MINUTE, NOON, Life, fold, only, seen

IMAGES = ROOT / "docs/images"
PAGES = {
    "visits": "journeys",
    "phases": "journeys",
    "people": "people",
    "abandonment": "abandonment",
    "rewritten": "guarantees",
}
SVG = "{http://www.w3.org/2000/svg}"
ORDERED = "Order Completed"
HOUR, DAY = 60, 24 * 60
CART = seen("cart", name="Product Added", visitor_id="phone")
ORDER = seen("order", HOUR * MINUTE, ORDERED, visitor_id="laptop")


def drawing(picture: str) -> ET.Element:
    """Read a picture of ours; broken XML is an error."""
    return ET.parse(IMAGES / f"{picture}.svg").getroot()  # noqa: S314 (a file of ours)


def texts(picture: str) -> list[str]:
    """Give what stands in a picture, in the order of its file."""
    return ["".join(text.itertext()) for text in drawing(picture).iter(f"{SVG}text")]


def clock(at: datetime | None) -> str:
    """Give the time of day of a picture, whose day begins at ten instead of noon."""
    assert at
    minutes = int(at.timestamp() * 1000 - NOON) // MINUTE
    return f"{10 + minutes // HOUR}:{minutes % HOUR:02}"


def entries(rows: Iterable[Fact]) -> list[str]:
    """Say when the journey of the default model enters which phase."""
    moves = [row for row in only(Transition, rows) if row.model == "lifecycle"]
    return [f"{clock(row.at)} enters {row.to_phase}" for row in moves]


def carts(rows: Iterable[Fact]) -> list[str]:
    """Say when a cart was abandoned, and when recovered."""
    lost = [row for row in only(Abandonment, rows) if row.kind == "cart"]
    return [
        f"{clock(row.abandoned_at)} cart abandoned"
        + (f", {clock(row.recovered_at)} recovered" if row.recovered_at else "")
        for row in lost
    ]


@pytest.mark.parametrize("picture", PAGES)
def test_a_picture_is_shown_and_described_and_loads_nothing(picture: str) -> None:
    source = (IMAGES / f"{picture}.svg").read_text(encoding="utf-8")
    root = drawing(picture)
    assert all(root.findtext(f"{SVG}{part}") for part in ("title", "desc"))
    assert not re.search(r"href|url\(|@import|<script|<image", source)
    page = (ROOT / f"docs/{PAGES[picture]}.md").read_text(encoding="utf-8")
    assert re.search(rf"!\[[^\]]{{20,}}\]\(images/{picture}\.svg\)", page)


def test_the_phases_and_moves_are_those_of_the_lifecycle() -> None:
    (model,) = load_models(["lifecycle"])
    said = texts("phases")
    assert said[:10] == [label for phase in model.phases for label in (phase.id, phase.de)]
    names = [*said[10:16], "Complaint Made"]
    day = fold(*(seen(str(number), number * MINUTE, name) for number, name in enumerate(names)))
    moves = [row for row in only(Transition, day) if row.model == model.id]
    assert [row.touchpoint_name for row in moves] == [name for name in names if name != ORDERED]
    assert [row.kind for row in moves] == said[18:]
    assert (moves[-1].from_phase, moves[-1].to_phase) == ("loyalty", "service")


def test_a_late_touchpoint_joins_two_visits_and_the_second_is_taken_back() -> None:
    life = Life(offset=38)
    for minute in (0, 10, 25, 65, 85):
        life.see(seen(str(minute), minute * MINUTE))
    written = sessions(life)
    life.offset = 56
    life.see(seen("late", 45 * MINUTE))
    written += sessions(life)
    read = [row for row in sessions(life) if not row[2]]
    numbers = [int(text) for text in texts("rewritten") if text.isdigit()]
    assert numbers == [number for row in [*written, *read] for number in row]


def sessions(life: Life) -> list[tuple[int, int, bool]]:
    """Give touchpoints, version and is_deleted of the newest row of each session."""
    rows = (row for row in life.rows.values() if isinstance(row, Session))
    return [(row.touchpoints, row.version, row.is_deleted) for row in rows]


def test_an_order_on_the_laptop_recovers_the_cart_of_the_phone() -> None:
    phone, laptop, both = (
        fold(*life, now=2 * HOUR * MINUTE) for life in ([CART], [ORDER], [CART, ORDER])
    )
    said = texts("people")
    assert said[4:7] == entries(phone) + carts(phone) + entries(laptop) + carts(laptop)
    assert said[9:11] == entries(both) + carts(both)


def test_a_cart_is_ended_abandoned_and_recovered_at_the_times_of_the_picture() -> None:
    assert {"10:20", "10:30", "day 5", "7 days"} <= set(texts("abandonment"))
    soon = seen("soon", 20 * MINUTE, ORDERED)
    fifth, eighth = (seen("order", day * DAY * MINUTE, ORDERED) for day in (5, 8))
    assert carts(fold(CART, soon, now=HOUR * MINUTE)) == []
    assert carts(fold(CART, now=HOUR * MINUTE)) == ["10:30 cart abandoned"]
    assert "recovered" in carts(fold(CART, fifth))[0]
    assert carts(fold(CART, eighth)) == ["10:30 cart abandoned"]
