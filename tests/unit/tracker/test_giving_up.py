"""All six kinds of abandonment, from what senders write to the rows of the table."""

from typing import Any, cast

from clickhouse_connect.driver.client import Client

from pipeline.operations.comparison import compare
from pipeline.operations.oracle import expected_tables
from schemas.facts import Abandonment, Product
from tests.support.journeys import DAY, MINUTE, NOON
from tests.support.tracker import Log, Worker, tick, touchpoint

LAMP = {"product_id": "p-1", "name": "Lamp", "price": 20, "currency": "EUR"}
CHAIR = {"product_id": "p-2", "price": "99.90", "quantity": 2, "currency": "EUR"}
MAIL = {"campaign_name": "May"}


def story() -> Log:
    """Somebody for each kind, a minute between any two touchpoints, and then a week of silence."""
    log = Log()
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("browser", "Product Viewed", LAMP),
        ("carter", "Product Added", LAMP),
        ("carter", "Product Added", CHAIR),
        ("carter", "Product Removed", {**CHAIR, "quantity": 1}),
        ("payer", "Product Added", LAMP),
        ("payer", "Checkout Started", {}),
        ("payer", "Checkout Step Viewed", {"step": 2}),
        ("payer", "Payment Failed", {}),
        ("asker", "Form Started", {"form": "contact", "field": "name"}),
        ("asker", "Form Left", {"form": "contact", "field": "phone"}),
        ("reader", "Email Delivered", MAIL),
        ("reader", "Unsubscribed", MAIL),
        ("passer-by", "Page Viewed", {}),
    ]
    for number, (who, name, properties) in enumerate(told):
        channel = "newsletter" if properties is MAIL else "shop"
        at = NOON + number * MINUTE
        value = touchpoint(
            f"t{number}", at, anonymous_id=who, name=name, channel=channel, properties=properties
        )
        log.say(value, at)
    log.add(tick(NOON + 7 * DAY + 12 * MINUTE + 1, "shop"), NOON + 8 * DAY)
    return log


def found() -> dict[tuple[str, str], Abandonment]:
    rows = Worker(story()).finish().rows["abandonments"].values()
    return {(row.visitor_id, row.kind): row for row in rows if isinstance(row, Abandonment)}


def test_every_kind_comes_out_of_its_touchpoints() -> None:
    assert {place: row.step for place, row in found().items()} == {
        ("browser", "browse"): "Product Viewed",
        ("carter", "cart"): "Product Added",
        ("payer", "checkout"): "Checkout Step Viewed 2",
        ("asker", "form"): "contact.phone",
        ("reader", "newsletter"): "Unsubscribed",
        ("reader", "journey"): "awareness",
        ("passer-by", "journey"): "awareness",
    }


def test_the_cart_is_at_stake_with_its_products() -> None:
    cart = found()["carter", "cart"]
    assert cart.contents == [
        Product(product_id="p-1", name="Lamp", quantity=1, price=20.0),
        Product(product_id="p-2", name="", quantity=1, price=99.9),
    ]
    assert (cart.items, cart.value, cart.currency) == (2, 119.9, "EUR")


def test_a_failed_payment_is_the_presumed_cause() -> None:
    checkout = found()["payer", "checkout"]
    assert (checkout.cause, checkout.cause_touchpoint_id) == ("payment_error", "t7")
    assert checkout.last_touchpoint_id == "t7"


def test_live_and_replayed_are_the_same() -> None:
    worker = Worker(story())
    tables = worker.finish()
    expected = expected_tables([worker.log.records], worker.rules)
    assert len(expected["abandonments"]) == len(tables.rows["abandonments"])
    assert compare(cast("Client", tables), expected, [len(worker.log.records)]) == []
