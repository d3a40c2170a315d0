"""The journey map, on a story small enough to count by hand."""

# ruff: noqa: S608 - no text but our own.

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from rich.console import Console

from pipeline.reports.journey_map.answer import (
    JourneyMap,
    MapCell,
    MapFailed,
    read_map,
)
from pipeline.reports.journey_map.text import render
from pipeline.reports.span import Span, as_json
from schemas.fields import Language
from tests.support.engine import EngineServer
from tests.support.stories import DAY, at, give_up, library, move, rows, seen, visit, whole, write


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    """Twelve people look at a page; Ann and Ben go into the shop; Ann is asked about it later."""
    with library(engine) as client:
        for number in range(10):
            look(client, f"p{number}")
        for person in ("ann", "ben"):
            look(client, person)
            visit(client, person, seen(10, "Product Viewed", "shop"), seen(11, "Product Viewed"))
        about: dict[str, Any] = {"survey": "nps", "score": 7, "phase": "consideration"}
        visit(
            client,
            "ann",
            seen(30, "Chat Started", "chat"),
            seen(31, "Identified", traits={"segment": "runner"}),
        )
        visit(client, "ann", seen(DAY, "Survey Answered", "survey", **about))
        for person, minutes in (("ann", 10), ("ben", 10)):
            move(client, person, minutes, "consideration")
        move(client, "ann", 40, "purchase")
        move(client, "ann", 50, "consideration", kind="back")
        give_up(
            client, "ben", "browse", "Product Viewed", last_touchpoint_id="ben 11 Product Viewed"
        )
        noted = {"phase": "service", "department": "delivery"}
        visit(client, "driver", seen(60, "Feedback Noted", "delivery", **noted))
        bot = {"is_bot": True, "session_id": "bot"}
        visit(client, "bot", seen(0, "Page Viewed", "website"), **bot)
        move(client, "bot", 0, "awareness", session_id="bot")
        yield client


def look(client: Client, person: str) -> None:
    visit(client, person, seen(0, "Page Viewed", "website"))
    move(client, person, 0, "awareness", kind="enter")


def cells(client: Client, span: Span | None = None, **of: str) -> dict[tuple[str, str], Any]:
    found = read_map(client, span or Span(site="shop"), model="lifecycle", **of).cells
    return {(cell.phase, cell.channel): cell for cell in found}


def test_a_cell_counts_people_touchpoints_time_pain_and_satisfaction(client: Client) -> None:
    assert cells(client) == {
        # Two of twelve went on, after ten minutes.
        ("awareness", ""): MapCell("awareness", "", 12, 12, 2, 600, 0, None),
        ("awareness", "website"): MapCell("awareness", "website", 12, 12, 2, 600, 0, None),
        # Ann went on after half an hour, and came back; Ben gave up. She called it a 7 of 10.
        ("consideration", ""): MapCell("consideration", "", 2, 7, 1, 1800, 2, 70.0),
        ("consideration", "shop"): MapCell("consideration", "shop", 2, 5, 1, 1800, 1, None),
        ("consideration", "chat"): MapCell("consideration", "chat", 1, 1, 1, 1800, 1, None),
        ("consideration", "survey"): MapCell("consideration", "survey", 1, 1, 0, None, 0, 70.0),
        # Nobody was there; a driver noted something about it.
        ("service", ""): MapCell("service", "", 0, 0, 0, None, 1, None),
        ("service", "delivery"): MapCell("service", "delivery", 0, 0, 0, None, 1, None),
    }


def test_a_segment_has_a_map_of_its_own(client: Client) -> None:
    found = cells(client, segment="runner")
    assert found["awareness", ""] == MapCell("awareness", "", 1, 1, 1, 600, 0, None)
    assert cells(client, segment="walker") == {}


def test_a_span_holds_the_touchpoints_in_it(client: Client) -> None:
    found = cells(client, Span(site="shop", start=at(30), end=at(60)))
    people = {channel: cell.people for (_, channel), cell in found.items()}
    assert people == {"": 1, "chat": 1, "shop": 1}


def test_the_view_labels_its_phases_and_gives_the_share_that_went_on(client: Client) -> None:
    found = f"SELECT rank, de, round(conversion, 1) FROM {whole('journey_map')}"
    assert rows(client, f"{found} WHERE channel = '' ORDER BY rank") == [
        (1, "Aufmerksamkeit", 16.7),
        (2, "Interesse", 50.0),
        (4, "Lieferung und Nutzung", None),
    ]


def test_a_model_that_is_not_in_the_tables_is_named_with_those_that_are(client: Client) -> None:
    with pytest.raises(
        MapFailed, match="do not have the model 'mine', but lifecycle: add it to TOUCHSTREAM_"
    ):
        read_map(client, Span(site="shop"), model="mine")


def printed(found: JourneyMap, lang: Language = "en") -> list[list[str]]:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(render(found, lang))
    return [line.replace("│", " ").split() for line in capture.get().splitlines()]


def test_the_map_for_people_has_labels_as_asked_and_no_percentage_of_few(
    client: Client,
) -> None:
    lines = printed(read_map(client, Span(site="shop"), model="lifecycle"))
    assert lines[0] == ["shop", "·", "model:", "lifecycle", "·", "segment:", "all"]
    assert "Awareness" in lines[2]
    assert "Aufmerksamkeit" not in lines[2]
    german = printed(read_map(client, Span(site="shop"), model="lifecycle"), "de")
    assert "Aufmerksamkeit" in german[2]
    assert ["all", "12", "→", "17", "%", "2", "→", "1", "!1"] in lines
    assert ["10", "min", "30", "min"] in lines
    assert ["!2", "☺", "70"] in lines


def test_the_notes_of_the_canvas_stand_above_the_figures(engine: EngineServer) -> None:
    with library(engine) as client:
        noted = {"model": "lifecycle", "phase": "awareness", "rank": 1, "de": "Aufmerksamkeit"}
        write(client, "journey_models", noted | {"needs": "Ruhe", "revision": 9})
        found = read_map(client, Span(site="shop"), model="lifecycle")
        assert ["needs", "Ruhe"] in printed(found)
        assert ["Bedürfnisse", "Ruhe"] in printed(found, "de")


def test_the_map_for_machines_has_cells_and_labels(client: Client) -> None:
    said = msgspec.json.decode(as_json(read_map(client, Span(site="shop"), model="lifecycle")))
    assert [phase["de"] for phase in said["phases"]][:2] == ["Aufmerksamkeit", "Interesse"]
    assert said["cells"][0] | {"phase": ""} == {
        "phase": "",
        "channel": "",
        "people": 12,
        "touchpoints": 12,
        "went_on": 2,
        "median_seconds": 600,
        "pain_points": 0,
        "satisfaction": None,
    }
