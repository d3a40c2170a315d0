"""Questions of a span, on the small shop: every value here was computed by hand from it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.reports.ask import ask
from schemas.questions import questions
from tests.support.engine import EngineServer
from tests.support.shopping import SPAN, shop
from tests.support.stories import at

USUAL: dict[str, Any] = SPAN | {
    "by": "source",
    "step": 3600,
    "person": "ann",
    "days": 30,
    "kpi": "",
}

LIVE: dict[str, Any] = {
    "what": "cart",
    "where": "",
    "currency": "*",
    "people": ["ann", "ben"],
    "visitors": ["ann-phone", "ben"],
    "ids": ["ben 10 Product Added"],
    "first": at(0),
    "received": at(0),
    "last": at(60),
    "steps": ["Product Viewed"],
    "starts": [0],
    "ends": [1],
    "slices": 4,
    "longest": 100,
}
"""What only questions of the live page are asked with."""


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    with shop(engine) as client:
        yield client


def named(client: Client, name: str, *columns: str, **values: Any) -> list[tuple[Any, ...]]:
    rows = ask(client, name, **USUAL | LIVE | values).named()
    return [tuple(row[column] for column in columns) for row in rows]


QUESTIONS = [name for name, question in questions().items() if not question.is_part]


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_answered_also_where_nothing_happened(client: Client, name: str) -> None:
    nothing = ask(client, name, **USUAL | LIVE | {"site": "nowhere"})
    assert [column.name for column in nothing.columns] == [
        column.name for column in ask(client, name, **USUAL | LIVE).columns
    ]


def test_people_are_in_the_phase_they_are_in_at_the_end_of_the_span(client: Client) -> None:
    found = named(client, "people_by_phase", "phase", "people", "came", "went_on", "median_seconds")
    assert found == [
        ("awareness", 0, 1, 1, 120),
        ("consideration", 1, 0, 0, None),
        ("purchase", 1, 1, 0, None),
        ("service", 0, 0, 0, None),
        ("loyalty", 0, 0, 0, None),
    ]


def test_people_come_into_phases_hour_by_hour(client: Client) -> None:
    found = named(client, "phases_over_time", "time", "phase", "people")
    noon = at(0).replace(tzinfo=None)
    assert found == [(noon, "awareness", 1), (noon, "purchase", 1)]


def test_the_funnel_has_the_steps_of_the_model_and_counts_people(client: Client) -> None:
    found = named(client, "funnel_steps", "step", "reach", "closed", "from_previous")
    assert found == [
        ("Product Viewed", 1, 1, None),
        ("Product Added", 2, 1, 1.0),
        ("Checkout Started", 1, 1, 1.0),
        ("Order Completed", 1, 1, 1.0),
    ]


def test_what_was_abandoned_has_its_cost_its_cause_and_what_came_back(client: Client) -> None:
    columns = ("kind", "abandoned", "at_stake", "recovered", "won_back", "lost", "cause")
    assert named(client, "abandonments_by_kind", *columns) == [
        ("cart", 2, 25.0, 1, 5.0, 20.0, "slow_page")
    ]


def test_visits_have_what_brought_them_and_what_they_brought(client: Client) -> None:
    columns = ("value", "visits", "before", "people", "with_cart", "with_order")
    assert named(client, "visits_by", *columns) == [
        ("google", 2, 0, 2, 2, 0),
        ("newsletter", 1, 0, 1, 1, 1),
    ]
    day = {"start": at(60) - timedelta(days=1), "end": at(60), "by": "device"}
    assert named(client, "visits_by", "value", "visits", **day) == [("desktop", 1), ("mobile", 1)]


def test_visits_stand_at_the_hour_they_began(client: Client) -> None:
    found = named(client, "visits_over_time", "value", "visits", by="")
    assert found == [("", 3)]


def test_pages_have_views_people_entries_exits_and_waits(client: Client) -> None:
    columns = ("path", "views", "people", "entries", "exits", "median_wait")
    assert named(client, "pages", *columns) == [
        ("/start", 1, 1, 1, 0, None),
        ("/shoes", 1, 1, 0, 1, 1.5),
    ]


def test_an_order_counts_once_and_beside_the_span_before(client: Client) -> None:
    columns = ("currency", "orders", "amount", "people", "orders_before", "amount_before")
    assert named(client, "orders_by_currency", *columns) == [("EUR", 1, 50.0, 1, 1, 7.0)]
    found = named(client, "orders_over_time", "orders", "amount")
    assert found == [(1, 50.0)]


def test_a_channel_or_a_segment_narrows_a_question(client: Client) -> None:
    assert named(client, "pages", "path", "views", channel="website") == [
        ("/start", 1),
        ("/shoes", 0),
    ]
    assert named(client, "funnel_steps", "reach", segment="runner") == []


def test_the_timeline_of_a_person_goes_over_all_devices(client: Client) -> None:
    found = named(client, "timeline", "name", "visitor_id", "phase")
    assert found[-1] == ("Page Viewed", "ann-phone", "awareness")
    assert found[0] == ("Order Completed", "ann-laptop", "")
    assert len(found) == 9
    assert len({row[0] for row in named(client, "timeline", "session_id")}) == 2
    assert len(named(client, "timeline", "name", most=3)) == 3


def test_a_visitor_who_is_linked_to_nobody_has_a_timeline(client: Client) -> None:
    assert named(client, "timeline", "name", person="ben") == [("Product Added",)]


def test_an_answer_names_its_columns_and_their_types(client: Client) -> None:
    columns = dict(ask(client, "orders_over_time", **USUAL).columns)
    assert columns == {
        "time": "DateTime",
        "currency": "String",
        "orders": "UInt64",
        "amount": "Float64",
        "net": "Float64",
    }
