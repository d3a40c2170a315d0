"""An event id belongs to its visitor: two visitors with the same ids are told apart everywhere."""

# ruff: noqa: S311, S608 - our own text; chance is enough

import os
import re
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from dataclasses import replace as with_values
from functools import partial
from random import Random
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from pipeline.live.panels import PANELS
from pipeline.reports.attribution.answer import read_attribution
from pipeline.reports.live.people import Behind, read_people
from pipeline.reports.live.view import View
from pipeline.reports.overview.answer import read_report
from pipeline.reports.span import Span
from schemas.journeys import load_models
from schemas.questions import questions
from schemas.touchpoint import Touchpoint
from tests.support.database import track_fully
from tests.support.engine import EngineServer
from tests.support.stories import at, library, whole

[LIFECYCLE] = load_models(["lifecycle"])
NAMES = (
    *("Page Viewed", "Product Viewed", "Product Added", "Checkout Started", "Order Completed"),
    *("Order Completed", "Order Refunded", "Survey Answered", "Support Contacted", "Email Opened"),
    *("Email Link Clicked", "Feedback Noted"),
)
SAID = {
    "Order Completed": {"revenue": 20, "currency": "EUR"},
    "Order Refunded": {"total": 5, "currency": "EUR"},
    "Survey Answered": {"kind": "nps", "score": 9},
    "Email Opened": {"campaign_id": "spring"},
    "Email Link Clicked": {"campaign_id": "spring"},
}
_KNOWN = {"site", "start", "end", "model", "channel", "segment", "kpi", "by", "most", "days"}
QUESTIONS = [
    one.name
    for one in questions().values()
    if one.kind == "question" and one.parameters.keys() <= _KNOWN
]
LONG = os.environ.get("LONG") == "1"
if not LONG:
    QUESTIONS = ["attribution_credits", "cohorts", "funnel_steps", "journey_map", "kpis"]
    QUESTIONS += ["orders_over_time", "repeat_purchases", "visits_by"]
SHOWN = list(PANELS) if LONG else ["funnel", "phases", "abandoned", "orders", "traffic"]
SPAN = Span(site="same", start=at(-10_000), end=at(10_000))
VIEW = View(site="same", start=SPAN.start, end=SPAN.end, model="lifecycle")


def told(random: Random) -> Iterator[Touchpoint]:
    """What four visitors did: each counts its events from 1; orders have no number."""
    numbers = dict.fromkeys("abcd", 0)
    for minute in range(160):
        visitor, name = random.choice("abcd"), random.choice(NAMES)
        numbers[visitor] += 1
        mail = name.startswith("Email")
        yield Touchpoint(
            touchpoint_id=f"e-{numbers[visitor]:03}",
            site="same",
            type="page" if name == "Page Viewed" else "track",
            name=name,
            channel="newsletter" if mail else random.choice(["website", "shop"]),
            occurred_at=at(minute * 7),
            received_at=at(minute * 7),
            properties=msgspec.Raw(msgspec.json.encode(SAID.get(name, {"product_id": "p"}))),
            anonymous_id=visitor,
        )


def apart(one: Touchpoint) -> Touchpoint:
    return replace(one, site="own", touchpoint_id=f"{one.touchpoint_id}-{one.anonymous_id}")


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    """A site whose visitors have ids in common, and the same one with an id for each event."""
    touchpoints = list(told(Random(7)))
    with library(engine) as client:
        track_fully(client, [*touchpoints, *map(apart, touchpoints)])
        yield client


def counted(row: Any) -> Any:
    """Leave out ids and the site, and what is arbitrary: which of equally frequent ones is next."""
    if is_dataclass(row) and not isinstance(row, type):
        row = asdict(row)
    if isinstance(row, dict):
        apart_ = re.compile(r"_ids?$|^(site|span|next_touchpoint)$")
        return {name: counted(value) for name, value in row.items() if not apart_.search(name)}
    if isinstance(row, list | tuple):
        return [counted(each) for each in row]
    return round(row, 6) if isinstance(row, float) else row


def found(rows: Any) -> list[str]:
    return sorted(str(counted(row)) for row in rows)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_counts_both(name: str, client: Client) -> None:
    def answer(site: str) -> list[str]:
        return found(client.query(f"SELECT * FROM {whole(name, site=site)}").named_results())

    same, own = answer("same"), answer("own")
    if same != own:  # what is still open grows by a second
        same, own = answer("same"), answer("own")
    assert same == own


def test_every_panel_counts_both(client: Client) -> None:
    views = VIEW, with_values(VIEW, site="own")
    for panel in SHOWN:
        same, own = (found(PANELS[panel].read(client, v, LIFECYCLE.funnel)) for v in views)
        assert same == own, panel
    behind = Behind(of="orders")
    same, own = (found(read_people(client, v, behind).people) for v in views)
    assert same == own != []


def test_report_and_attribution_count_both(client: Client) -> None:
    spans = SPAN, with_values(SPAN, site="own")
    for read in (read_report, partial(read_attribution, models=("first", "linear"))):
        same, own = (counted(read(client, span)) for span in spans)
        assert same == own
    orders = sum(one.name == "Order Completed" for one in told(Random(7)))
    assert read_report(client, SPAN).orders == orders > 0
