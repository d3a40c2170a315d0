"""A site's names of orders, refunds and cancellations: one set that everything reads."""

import json
from datetime import timedelta
from typing import Any

import pytest

from pipeline.journey.rules import Rules, compile_rules
from pipeline.tracker.commerce import ORDER_EVENTS
from schemas.journeys import SHIPPED, JourneyModel, load_model
from schemas.touchpoint import OrderEvent
from tests.support.journeys import HOUR, NOON
from tests.support.tracker import Log, Worker, key_of, tick, touchpoint

LIFECYCLE = load_model("lifecycle")
OWN = LIFECYCLE.model_copy(
    update={
        "order": ("Booking Confirmed",),
        "refund": ("Deposit Paid Back",),
        "cancellation": ("Booking Withdrawn",),
    }
)


def tables(models: list[JourneyModel], *told: bytes) -> dict[str, list[dict[str, Any]]]:
    """Track what was told by `models`, and give the tables."""
    rules: Rules = compile_rules(models, allowed_lateness=timedelta(hours=2))
    log = Log()
    for value in told:
        log.add(value, NOON, key_of(value) if b'"tick"' not in value else b"shop:ada")
    live = Worker(log, rules).finish()
    return {table: list(live.of(table)) for table in ("touchpoints", "sessions")}


def about(id_: str, name: str, **properties: object) -> bytes:
    """Say something of an order."""
    given = {"order_id": "o-1", "revenue": 20, "currency": "EUR"} | properties
    return touchpoint(id_, NOON, name=name, properties=given)


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.toml")))
def test_the_shipped_models_have_the_usual_names(name: str) -> None:
    assert load_model(name).order_events == ORDER_EVENTS


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("Booking Confirmed", "completed"),
        ("Deposit Paid Back", "partially_refunded"),
        ("Booking Withdrawn", "cancelled"),
        ("Order Completed", ""),
        ("Page Viewed", ""),
    ],
)
def test_names_of_a_models_own_say_what_becomes_of_an_order(name: str, event: OrderEvent) -> None:
    [row] = tables([OWN, LIFECYCLE], about("a", name))["touchpoints"]
    assert row["order_event"] == event
    if event:
        assert (row["order_id"], float(row["revenue"]), row["currency"]) == ("o-1", 20, "EUR")


def test_the_first_models_orders_count_in_sessions() -> None:
    told = (about("a", "Booking Confirmed"), about("b", "Order Completed"), tick(NOON + HOUR))
    for models, own in (([OWN, LIFECYCLE], True), ([LIFECYCLE, OWN], False)):
        found = tables(models, *told)
        [session] = found["sessions"]
        assert session["orders_told"] == 1
        counted = [row["name"] for row in found["touchpoints"] if row["order_event"] == "completed"]
        assert counted == ["Booking Confirmed" if own else "Order Completed"]


def test_an_order_of_another_name_without_money_is_marked_as_orders_are() -> None:
    told = touchpoint("a", NOON, name="Booking Confirmed", properties={"order_id": "o-1"})
    [row] = tables([OWN], told)["touchpoints"]
    assert row["money_problem"] == "missing"


def test_an_order_of_another_name_comes_after_its_cart_at_one_time() -> None:
    """Ids mean nothing: the order's is the lower one."""
    cart = touchpoint("z", NOON, name="Product Added", properties={"product_id": "p", "price": 20})
    found = tables([OWN], about("a", "Booking Confirmed"), cart)
    turns = {row["touchpoint_id"]: row["turn"] for row in found["touchpoints"]}
    assert turns["z"] < turns["a"]


@pytest.mark.parametrize("name", ["Deposit Paid Back", "Booking Withdrawn"])
def test_what_goes_back_is_written_either_way(name: str) -> None:
    [row] = tables([OWN], about("a", name, revenue=-5))["touchpoints"]
    assert (float(row["revenue"]), row.get("money_problem", "")) == (5, "")


def test_a_name_says_one_thing_only() -> None:
    document = LIFECYCLE.model_dump(mode="json") | {"refund": ["Order Completed"]}
    with pytest.raises(ValueError, match="'Order Completed' stands in 2 of order, refund"):
        JourneyModel.model_validate_json(json.dumps(document))
