"""What a touchpoint tells of money and goods; what cannot be counted says why."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.journey.state import Line
from pipeline.tracker.commerce import Commerce, read_commerce
from pipeline.values.money import MOST_MONEY

NAMES = ("Product Viewed", "Product Added", "Order Completed", "Order Refunded", "Cart Viewed")


def commerce(name: str, **properties: Any) -> Commerce:
    return read_commerce(name, json.dumps(properties).encode())


@pytest.mark.parametrize(
    ("properties", "value", "items"),
    [
        ({}, 0.0, 1),
        ({"price": 9.99}, 9.99, 1),
        ({"price": 9.99, "quantity": 3}, 29.97, 3),
        ({"price": "9.99", "quantity": "3"}, 29.97, 3),
        ({"price": " 9.99 "}, 9.99, 1),
        ({"value": 5}, 5.0, 1),
        ({"value": 5, "quantity": 2}, 5.0, 2),
        ({"price": 0, "value": 5}, 0.0, 1),
        ({"price": "", "value": 5}, 5.0, 1),
        ({"price": "1.234,56", "quantity": "2"}, 2469.12, 2),
        ({"price": "19,99 €"}, 19.99, 1),
        ({"price": None, "value": 5}, 5.0, 1),
        ({"price": "NaN"}, 0.0, 1),
        ({"price": 2, "quantity": 0}, 0.0, 0),
        ({"price": 2, "quantity": -3}, -6.0, -3),
        ({"price": 2, "quantity": 0.5}, 1.0, 1),
        ({"price": 2, "quantity": 2.9}, 5.8, 3),
        ({"price": 2, "quantity": 5_000_000}, 10_000_000.0, 5_000_000),
        ({"price": 2, "quantity": ""}, 2.0, 1),
        ({"price": 3.333, "quantity": 3}, 9.999, 3),
        ({"price": 2, "quantity": "NaN"}, 2.0, 1),
        ({"price": 0.0125, "quantity": 1000}, 12.5, 1000),
        ({"price": 1e-9, "quantity": 5_000_000}, 0.005, 5_000_000),
        ({"price": 12.345, "currency": "KWD"}, 12.345, 1),
        ({"price": 0.00012345, "currency": "BTC"}, 0.00012345, 1),
        ({"price": 0.01, "quantity": 10_000_000}, 100_000.0, 10_000_000),
        ({"price": 0.01, "quantity": -10_000_000}, -100_000.0, -10_000_000),
        ({"price": 2, "quantity": "3x"}, 6.0, 3),
        ({"price": 2, "quantity": "x 3"}, 6.0, 3),
        ({"price": 2, "quantity": "3 Stk."}, 6.0, 3),
        ({"price": 2, "quantity": "3 pcs"}, 6.0, 3),
    ],
)
def test_a_product_is_worth_price_times_quantity(
    properties: dict[str, Any], value: float, items: int
) -> None:
    for name in ("Product Added", "Product Removed"):
        found = commerce(name, **properties)
        assert (found.value, found.items, found.problem) == (value, items, "")


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({"revenue": 1, "total": 2, "value": 3}, 1.0),
        ({"total": 2, "value": 3}, 2.0),
        ({"value": 3}, 3.0),
        ({"revenue": None, "total": 2}, 2.0),
        ({"revenue": 0, "total": 2}, 0.0),
        ({"revenue": "19.999"}, 19.999),
        ({"revenue": "", "total": 20}, 20.0),
        ({"revenue": "much", "total": 20}, 20.0),
        ({"revenue": "1.234,56"}, 1234.56),
        ({"products": [{"price": "9,50", "quantity": 2}, {"price": 1}]}, 20.0),
    ],
)
def test_an_order_is_worth_its_revenue_else_its_total_else_its_value(
    properties: dict[str, Any], value: float
) -> None:
    assert commerce("Order Completed", **properties).value == value


@pytest.mark.parametrize("name", ["Product Viewed", "Product Added", "Product Removed"])
@pytest.mark.parametrize(
    ("properties", "product"),
    [
        ({"product_id": "p-1", "sku": "s-1", "name": "Lamp"}, ("p-1", "Lamp")),
        ({"product_id": "", "sku": "s-1"}, ("s-1", "")),
        ({"product_id": 4711, "name": None}, ("4711", "")),
        ({"product_id": 1001.0}, ("1001", "")),
        ({"product_id": "undefined", "name": "Lamp"}, ("Lamp", "Lamp")),
        ({"name": "Lamp"}, ("Lamp", "Lamp")),
        ({"product_id": "x" * 99, "name": "y" * 99}, ("x" * 64, "y" * 64)),
        ({}, ("", "")),
    ],
)
def test_a_product_has_an_id_and_a_name(
    name: str, properties: dict[str, Any], product: tuple[str, str]
) -> None:
    found = read_commerce(name, json.dumps(properties).encode())
    assert (found.product_id, found.product_name) == product


@pytest.mark.parametrize(
    ("properties", "order_id"),
    [
        ({"order_id": "o-1", "checkout_id": "c-1"}, "o-1"),
        ({"order_id": 4711}, "4711"),
        ({"order_id": "", "checkout_id": "c-1"}, "c-1"),
        ({"order_id": None, "checkout_id": "c-1"}, "c-1"),
        ({"order_id": ["o-1"]}, ""),
        ({"order_id": 4711.0}, "4711"),
        ({"order_id": "undefined", "checkout_id": "c-1"}, "c-1"),
        ({"order_id": "o-1\x1b[2J\n"}, "o-1 [2J"),
        ({"order_id": True}, ""),
        ({"order_id": "x" * 200}, "x" * 128),
    ],
)
def test_an_order_is_named_by_its_order_id_else_by_its_checkout(
    properties: dict[str, Any], order_id: str
) -> None:
    assert commerce("Order Completed", **properties).order_id == order_id


def test_a_currency_is_its_code() -> None:
    assert commerce("Product Added", currency="EUR").currency == "EUR"
    assert commerce("Product Added", currency="eur").currency == "EUR"
    assert commerce("Product Added", price="5 €").currency == "EUR"


def test_other_touchpoints_have_no_value_whatever_their_properties_say() -> None:
    assert commerce("Page Viewed", price=9, order_id="o-1", currency="EUR") == Commerce()


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"9" * 5000])
def test_a_number_that_no_machine_holds_is_too_large(number: bytes) -> None:
    found = read_commerce("Product Added", b'{"price":%b,"quantity":2}' % number)
    assert (0.0, 2, "too_large") == (found.value, found.items, found.problem)


@pytest.mark.parametrize(
    ("name", "properties", "problem"),
    [
        ("Order Completed", {"revenue": "much"}, "unreadable"),
        ("Order Completed", {"revenue": "1,234"}, "ambiguous"),
        ("Order Completed", {"revenue": -20}, "negative"),
        ("Order Completed", {"revenue": 1e30}, "too_large"),
        ("Order Completed", {"revenue": "1e400"}, "too_large"),
        ("Order Completed", {"revenue": 20, "currency": "as the customer likes"}, "currency"),
        ("Order Completed", {}, "missing"),
        ("Order Completed", {"revenue": "NaN"}, "missing"),
        ("Order Completed", {"products": [{"price": "much"}]}, "unreadable"),
        ("Product Added", {"price": "nine"}, "unreadable"),
        ("Product Added", {"price": [1]}, "unreadable"),
        ("Product Added", {"price": -5}, "negative"),
        ("Product Added", {"price": 1e12}, "too_large"),
        ("Product Added", {"price": 1e11, "quantity": 100}, "too_large"),
        ("Product Added", {"price": 1e-9}, "too_small"),
        ("Order Completed", {"revenue": "0.000000004 BTC"}, "too_small"),
        ("Order Refunded", {"refund_amount": 1e-10}, "too_small"),
        ("Checkout Started", {"value": 1e-300}, "too_small"),
        ("Order Completed", {"products": [{"price": 9e11}, {"price": 9e11}]}, "too_large"),
        ("Cart Viewed", {"products": [{"price": 9e11}, {"price": 9e11}]}, "too_large"),
        ("Order Completed", {"revenue": "$20", "currency": "EUR"}, "currency"),
        ("Product Added", {"price": 2, "quantity": 10_000_001}, "quantity"),
        ("Product Added", {"price": 2, "quantity": "some"}, "quantity"),
        ("Product Added", {"price": 2, "quantity": {"a": 1}}, "quantity"),
        ("Checkout Started", {"value": "much"}, "unreadable"),
        ("Cart Viewed", {"products": [{"price": -1}], "currency": "EUR"}, "negative"),
    ],
)
def test_what_cannot_be_counted_is_worth_nothing_and_says_why(
    name: str, properties: dict[str, Any], problem: str
) -> None:
    found = commerce(name, **properties)
    assert (0.0, problem) == (found.value, found.problem)


@pytest.mark.parametrize("revenue", [20, -20, "-20,00", "(20.00)"])
def test_what_goes_back_is_written_either_way(revenue: object) -> None:
    found = commerce("Order Refunded", order_id="o-1", revenue=revenue)
    assert (20.0, "") == (found.value, found.problem)


def test_several_products_are_each_put_into_the_cart() -> None:
    found = commerce(
        "Product Added",
        currency="EUR",
        products=[
            {"product_id": "a", "price": 10, "quantity": 2},
            {"sku": "b", "name": "B", "price": "5,50"},
            "no product",
        ],
    )
    assert [Line("a", "", 2, 20.0), Line("b", "B", 1, 5.5)] == found.products
    assert (25.5, 3, "EUR", False) == (
        found.value,
        found.items,
        found.currency,
        found.is_whole_cart,
    )


@pytest.mark.parametrize("name", ["Cart Viewed", "Cart Updated", "Checkout Started"])
def test_the_products_of_a_cart_are_all_that_lies_in_it(name: str) -> None:
    found = commerce(name, value=30, products=[{"product_id": "a", "price": 10, "quantity": 2}])
    assert ([Line("a", "", 2, 20.0)], True) == (found.products, found.is_whole_cart)


def test_products_without_prices_share_what_the_cart_is_worth() -> None:
    found = commerce("Checkout Started", value=30, products=[{"sku": "a", "quantity": 2}, {}])
    assert [Line("a", "", 2, 20.0), Line("", "", 1, 10.0)] == found.products


def test_a_cart_of_which_only_the_value_is_told_is_one_piece_without_a_name() -> None:
    found = commerce("Checkout Started", value="1.234,50", currency="EUR")
    assert ([Line("", "", 1, 1234.5)], False) == (found.products, found.is_whole_cart)
    assert (found.value, found.items, found.currency) == (1234.5, 1, "EUR")
    assert commerce("Checkout Started", value=9.999).value == 9.999


def test_an_empty_cart_is_empty_and_one_of_which_nothing_is_told_unknown() -> None:
    empty, unknown = commerce("Cart Viewed", products=[]), commerce("Cart Viewed")
    assert ([], True) == (empty.products, empty.is_whole_cart)
    assert (None, False) == (unknown.products, unknown.is_whole_cart)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *("revenue", "total", "value", "price", "quantity", "currency", "products", "order_id"),
        *("product_id", "sku", "name", "cart_value", "is_whole_cart"),
    ]
)
products = st.lists(st.dictionaries(FIELDS, anything, max_size=4), max_size=3)


@given(st.sampled_from(NAMES), st.dictionaries(FIELDS, anything | products))
def test_whatever_is_said_is_counted_or_says_why(name: str, properties: dict[str, Any]) -> None:
    found = read_commerce(name, json.dumps(properties))
    assert abs(found.value) < 1e12
    assert not found.problem or not found.value
    assert all(abs(line.value) < 1e12 for line in found.products or ())


LINE = {"product_id": "a", "price": 3, "quantity": 2}


@pytest.mark.parametrize(
    ("properties", "event", "value", "problem"),
    [
        ({}, "refunded", 0, ""),
        ({"products": []}, "refunded", 0, ""),
        ({"total": 5}, "partially_refunded", 5, ""),
        ({"refund_amount": "4,50 \u20ac", "total": 9}, "partially_refunded", 4.5, ""),
        ({"amount": -5}, "partially_refunded", 5, ""),
        ({"products": [LINE]}, "partially_refunded", 6, ""),
        ({"products": [LINE | {"quantity": -2}]}, "partially_refunded", 6, ""),
        ({"products": [{"product_id": "a"}]}, "partially_refunded", 0, "missing"),
        ({"revenue": 0}, "partially_refunded", 0, ""),
        ({"revenue": "half"}, "partially_refunded", 0, "unreadable"),
    ],
)
def test_a_refund_that_says_no_amount_is_of_all(
    properties: dict[str, Any], event: str, value: float, problem: str
) -> None:
    found = read_commerce("Order Refunded", json.dumps(properties))
    assert (event, value, problem) == (found.order_event, found.value, found.problem)


@pytest.mark.parametrize("properties", [{}, {"total": 5}, {"revenue": "all"}, {"products": [LINE]}])
def test_a_cancellation_is_of_all_whatever_it_says(properties: dict[str, Any]) -> None:
    found = read_commerce("Order Cancelled", json.dumps(properties))
    assert ("cancelled", "") == (found.order_event, found.problem)


@pytest.mark.parametrize(
    ("products", "value", "problem"),
    [
        ([LINE], 6, ""),
        ([LINE | {"price": 0}], 0, ""),
        ([{"product_id": "a", "quantity": 2}], 0, "missing"),
        ([LINE, {"product_id": "b"}], 0, "missing"),
        ([LINE | {"quantity": -2}], 0, "negative"),
        ([LINE, LINE | {"quantity": -1}], 3, ""),
    ],
)
def test_an_order_of_products_alone_is_worth_them_or_says_why_not(
    products: list[Any], value: float, problem: str
) -> None:
    found = read_commerce("Order Completed", json.dumps({"products": products}))
    assert (value, problem) == (found.value, found.problem)


def test_properties_that_are_no_object_tell_nothing() -> None:
    assert read_commerce("Order Completed", b"[1]") == Commerce()


def test_a_list_of_products_may_be_an_object_as_php_writes_it() -> None:
    told = {"3": {"product_id": "a", "price": 5}, "4": {"product_id": "b", "price": 1}}
    assert commerce("Cart Viewed", products=told) == commerce(
        "Cart Viewed", products=list(told.values())
    )


@pytest.mark.parametrize("told", [{"currency": "EUR"}, {"price": "5 €"}])
def test_products_tell_the_currency_if_the_touchpoint_does_not(told: dict[str, str]) -> None:
    found = commerce("Product Added", products=[{"price": 5} | told])
    assert (found.value, found.currency) == (5.0, "EUR")


def test_a_product_in_a_currency_that_nobody_knows_is_worth_nothing() -> None:
    found = commerce("Cart Viewed", products=[{"price": 5, "currency": "pearls"}])
    assert (found.value, found.problem, found.products) == (0.0, "currency", [Line("", "", 1, 0.0)])


TWO = [{"price": 5, "currency": "EUR"}, {"price": 7, "currency": "USD"}]


@pytest.mark.parametrize("name", ["Order Completed", "Cart Viewed", "Product Added"])
@pytest.mark.parametrize(
    "properties",
    [
        {"products": TWO},
        {"products": [{"price": "5 €"}, {"price": "7 £"}]},
        {"products": TWO, "currency": "GBP"},
        {"products": [{"price": 5, "currency": "USD"}], "currency": "EUR"},
    ],
)
def test_products_in_several_currencies_are_not_added(
    name: str, properties: dict[str, Any]
) -> None:
    found = commerce(name, **properties)
    assert (found.value, found.problem) == (0.0, "currency")
    assert all(line.value == 0 for line in found.products or ())


def test_an_order_is_paid_in_the_currency_of_its_products() -> None:
    found = commerce("Order Completed", revenue=12, products=TWO[:1])
    assert (found.value, found.currency, found.problem) == (12.0, "EUR", "")
    found = commerce("Order Completed", revenue=12, currency="CHF", products=TWO)
    assert (found.value, found.currency, found.problem) == (12.0, "CHF", "")


def test_pieces_that_are_worth_too_much_together_are_too_much() -> None:
    found = commerce("Product Added", price=MOST_MONEY / 4, quantity=4)
    assert (found.value, found.problem) == (0.0, "too_large")
    assert commerce("Product Added", price=MOST_MONEY / 4, quantity=3).value == MOST_MONEY * 3 / 4


ONE = {"product_id": "oak", "price": "3,00", "quantity": 2}


@pytest.mark.parametrize("written", [[ONE], {"3": ONE}, ONE, json.dumps([ONE]), json.dumps(ONE)])
def test_products_are_read_as_a_list_an_object_one_alone_or_text(written: Any) -> None:
    found = commerce("Order Completed", order_id="1", products=written)
    assert (found.value, found.items, found.problem) == (6.0, 2, "")
    assert (
        commerce("Cart Viewed", products=written).products
        == commerce("Cart Viewed", products=[ONE]).products
    )


@pytest.mark.parametrize("written", ["", "oak", "[", "7", "null", 7, True])
def test_what_is_no_list_of_products_is_none(written: Any) -> None:
    found = commerce("Order Completed", order_id="1", revenue=5, products=written)
    assert (found.value, found.items, found.problem) == (5.0, 1, "")
