"""What lies in a cart: lines, sums, and where the list ends."""

from typing import Any

import pytest

from pipeline.journey.cart import items, look_at, put_in, take_out, totals
from pipeline.journey.state import Cart, Evidence, Line
from schemas.facts import Product
from tests.support.journeys import seen


def one(product_id: str, quantity: int = 1, value: float = 0.0, **more: Any) -> Evidence:
    return seen("t", product_id=product_id, items=quantity, value=value, **more)


def filled(*products: Evidence) -> Cart:
    cart = Cart()
    for product in products:
        cart = put_in(cart, product)
    return cart


def product(product_id: str, quantity: int, price: float, name: str = "") -> Product:
    return Product(product_id=product_id, name=name, quantity=quantity, price=price)


def test_a_cart_lists_its_products_with_the_price_of_one() -> None:
    cart = filled(one("p-1", 2, 30.0, product_name="Lamp", currency="EUR"), one("p-2", 1, 5.5))
    assert items(cart) == [product("p-1", 2, 15.0, "Lamp"), product("p-2", 1, 5.5)]
    assert (totals(cart), cart.currency) == ((3, 35.5), "EUR")


def test_the_price_of_one_is_told_to_the_eighth_decimal() -> None:
    [lamp] = items(Cart([Line("p", "", 3, 10.0)]))
    assert lamp.price == 3.33333333


def test_the_same_product_is_one_line() -> None:
    cart = filled(one("p-1", 1, 10.0), one("p-2", 1, 1.0), one("p-1", 2, 20.0))
    assert items(cart) == [product("p-1", 3, 10.0), product("p-2", 1, 1.0)]


def test_what_is_taken_out_is_no_longer_at_stake() -> None:
    cart = filled(one("p-1", 3, 30.0), one("p-2", 1, 5.0))
    assert items(take_out(cart, one("p-1", 1, 10.0)))[0] == product("p-1", 2, 10.0)
    assert items(take_out(cart, one("p-1", 3, 30.0))) == [product("p-2", 1, 5.0)]


def test_taking_out_more_than_there_is_leaves_nothing_not_less() -> None:
    assert totals(take_out(filled(one("p-1", 1, 5.0)), one("p-1", 4, 20.0))) == (0, 0.0)


def test_taking_out_without_a_price_takes_the_price_it_was_put_in_with() -> None:
    assert totals(take_out(filled(one("p-1", 3, 30.0)), one("p-1", 1))) == (2, 20.0)


def test_taking_out_several_without_a_price_takes_the_price_of_each() -> None:
    cart = filled(one("p-1", 5, 30.0))
    assert items(take_out(cart, one("p-1", 2))) == [product("p-1", 3, 6.0)]


@pytest.mark.parametrize("value", [20.0, -20.0, 0.0])
@pytest.mark.parametrize("pieces", [2, -2])
def test_what_is_taken_out_may_be_written_as_a_negative_number(pieces: int, value: float) -> None:
    """Some shops do, of pieces, of the value or of both."""
    cart = filled(one("p-1", 3, 30.0), one("p-2", 1, 5.0))
    left = take_out(cart, one("p-1", pieces, value))
    assert items(left) == [product("p-1", 1, 10.0), product("p-2", 1, 5.0)]


def test_no_piece_taken_out_leaves_all() -> None:
    cart = filled(one("p-1", 3, 30.0))
    assert totals(take_out(cart, one("p-1", 0))) == (3, 30.0)


def test_no_piece_put_in_is_no_line() -> None:
    cart = filled(one("p-1", 3, 30.0))
    assert items(put_in(cart, one("p-2", 0))) == items(cart)


def test_no_cart_has_more_pieces_than_its_column_holds() -> None:
    """A column of a cart holds four billion; one touchpoint may add ten million."""
    cart: Cart | None = None
    for number in range(600):
        cart = put_in(cart, one(f"p-{number % 60}", 10_000_000, 1.0))
        for _ in range(number // 55):
            cart = put_in(cart, one(f"p-{number % 60}", 10_000_000, 1.0))
    assert cart is not None
    pieces, value = totals(cart)
    assert 10_000_000 <= pieces < 2**32
    assert value > 600


def test_values_are_told_without_what_floating_point_adds() -> None:
    assert totals(filled(one("p-1", 1, 0.1), one("p-2", 1, 0.2))) == (2, 0.3)
    assert totals(filled(one("p-1", 3, 0.0005))) == (3, 0.0005)


def test_taking_out_what_is_not_there_changes_nothing() -> None:
    cart = filled(one("p-1", 1, 5.0))
    assert take_out(cart, one("p-2", 1, 5.0)) == cart
    assert take_out(None, one("p-2", 1, 5.0)) == Cart()


def test_a_cart_is_replaced_and_not_changed() -> None:
    before = filled(one("p-1", 1, 5.0))
    put_in(before, one("p-1", 1, 5.0))
    put_in(before, one("p-2", 1, 5.0))
    assert items(before) == [product("p-1", 1, 5.0)]


def test_from_the_fifty_first_product_on_the_rest_is_one_line_and_the_sums_stay_right() -> None:
    cart = filled(*(one(f"p-{number}", 1, 2.0) for number in range(53)))
    assert [line.product_id for line in items(cart)] == [*(f"p-{n}" for n in range(50)), ""]
    assert items(cart)[-1] == product("", 3, 2.0)
    assert totals(cart) == (53, 106.0)
    assert totals(take_out(cart, one("p-52", 1, 2.0))) == (52, 104.0)


def test_what_was_looked_at_is_listed_once_the_last_look_last() -> None:
    cart = look_at(look_at(look_at(None, one("p-1", value=4.0)), one("p-2")), one("p-1", value=5.0))
    assert cart is not None
    assert items(cart) == [product("p-2", 0, 0.0), product("p-1", 0, 5.0)]
    assert totals(cart) == (0, 0.0)


def test_a_product_without_an_id_cannot_be_listed_as_looked_at() -> None:
    assert look_at(None, one("")) is None
    before = look_at(None, one("p-1"))
    assert look_at(before, one("")) is before


def test_the_currency_of_what_was_looked_at_is_the_last_that_was_told() -> None:
    looked = look_at(look_at(None, one("p-1", currency="EUR")), one("p-2"))
    assert looked is not None
    assert looked.currency == "EUR"
    assert put_in(looked, one("p-1", currency="EUR")).currency == "EUR"
