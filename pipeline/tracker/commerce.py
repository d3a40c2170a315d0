"""PURE: a touchpoint's money and goods: an order, one product, or the content of a cart.

All vocabularies are translated into Segment's names. Money that cannot be counted stays in the
properties as it came, is worth 0 here, and `problem` says why.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from math import ceil
from typing import Any, NamedTuple

import msgspec

from pipeline.journey.state import Line
from pipeline.tracker.properties import said, word
from pipeline.values.identifiers import identifier
from pipeline.values.money import Amount, Problem, is_unsaid, read_amount, read_currency
from pipeline.values.totals import settled
from schemas.fields import LONGEST_ID
from schemas.touchpoint import OrderEvent

ORDER_EVENTS: Mapping[str, OrderEvent] = {
    "Order Completed": "completed",
    "Order Refunded": "refunded",
    "Order Cancelled": "cancelled",
}
"""What touchpoints do to an order, unless a journey model says otherwise."""

ORDER_NAMES = frozenset({*ORDER_EVENTS, "Order Updated"})
_PRODUCT_NAMES = frozenset({"Product Viewed", "Product Added", "Product Removed"})
_WHOLE_CART = frozenset(
    {
        *("Cart Viewed", "Cart Updated", "Checkout Started", "Checkout Step Viewed"),
        *("Checkout Step Completed", "Payment Info Entered"),
    }
)
"""Touchpoints whose products are the whole cart."""

_NAMES = ORDER_NAMES | _PRODUCT_NAMES | _WHOLE_CART
_GIVES_BACK = ("refunded", "cancelled")
_LONGEST_ITEM = 64
"""Longest product id and name: a cart has many, and is part of its visitor's state."""
_MOST_PRODUCTS = 100
_PIECES = re.compile(
    r"(?i)^[x\u00d7]\s*(?=\d)|(?<=\d)\s*(?:x|\u00d7|st|stc?k|stücke?|pcs?|pieces?|units?)\.?$"
)
"""What some write around a number of pieces."""
_MOST_PIECES = 10_000_000
_NOTHING = Amount()
_MISSING = Amount(problem="missing")


class Commerce(msgspec.Struct, frozen=True, gc=False):
    """Order, product, value and number of items of a commerce touchpoint.

    `products` are those of a list, None without a list; `is_whole_cart` says that they are the
    whole cart.
    """

    order_id: str = ""
    value: float = 0.0
    items: int = 0
    currency: str = ""
    product_id: str = ""
    product_name: str = ""
    products: list[Line] | None = None
    is_whole_cart: bool = False
    problem: Problem = ""
    order_event: OrderEvent = ""


class _Properties(msgspec.Struct, gc=False):
    order_id: object = None
    checkout_id: object = None
    refund_amount: object = None
    amount: object = None
    revenue: object = None
    total: object = None
    value: object = None
    cart_value: object = None
    subtotal: object = None
    price: object = None
    quantity: object = None
    currency: object = None
    product_id: object = None
    sku: object = None
    name: object = None
    products: object = None
    is_whole_cart: object = False


class _Goods(NamedTuple):
    """A number of pieces of a product, their value if one was given, and what is wrong."""

    line: Line
    currency: str
    problem: Problem
    is_priced: bool


_properties = msgspec.json.Decoder(_Properties)
_anything = msgspec.json.Decoder()
_NO_COMMERCE = Commerce()


def read_commerce(
    name: str,
    properties: str | bytes,
    placeholders: Collection[str] = (),
    order_events: Mapping[str, OrderEvent] = ORDER_EVENTS,
) -> Commerce:
    """Read order id, value, items, currency and products of a commerce touchpoint.

    The value of an order is the first readable one of `revenue`, `total` and `value`, otherwise
    that of its products; the value of a product is `price` times `quantity`, otherwise `value`. A
    refund also has `refund_amount` and `amount`, which come first; without any amount it is of the
    whole order. `placeholders` are words of the site that are no order id; `order_events` say what
    touchpoints do to an order, by name.
    """
    event = order_events.get(name, "")
    if not event and name not in _NAMES:
        return _NO_COMMERCE
    given = said(_properties, properties)
    if given is None:
        return _NO_COMMERCE
    currency, is_read = read_currency(given.currency)
    goods = _listed(given.products, currency)
    if event or name in ORDER_NAMES:
        found = _order(event, given, goods, currency, placeholders)
    elif name in _WHOLE_CART or given.is_whole_cart is True:
        found = _whole_cart(given, goods, currency)
    elif goods:
        found = _several(goods, _first((given.value,), currency), currency)
    else:
        found = _one(given, currency)
    return found if is_read else _without_currency(found)


def _order(
    event: OrderEvent,
    given: _Properties,
    goods: list[_Goods] | None,
    currency: str,
    placeholders: Collection[str],
) -> Commerce:
    amount = _worth(event, given, goods, currency)
    if event == "refunded" and amount is not None:
        event = "partially_refunded"
    if amount is None:
        amount = _MISSING if event == "completed" else _NOTHING
    value, told, problem = settled(amount)
    if event == "cancelled":  # all of it goes back, however much that is
        problem = ""
    ids = (identifier(each, placeholders) for each in (given.order_id, given.checkout_id))
    product = _goods(given.product_id or given.sku, given, currency).line
    return Commerce(
        next(filter(None, ids), "")[:LONGEST_ID],
        value,
        sum(each.line.quantity for each in goods) if goods else max(product.quantity, 1),
        currency or told or _currency(goods or ()),
        product.product_id,
        product.name,
        problem=problem,
        order_event=event,
    )


def _worth(
    event: OrderEvent, given: _Properties, goods: list[_Goods] | None, currency: str
) -> Amount | None:
    """Read what an order is worth, or what goes back of it; None if nothing is said."""
    amounts = [given.revenue, given.total, given.value]
    if event == "refunded":
        amounts = [given.refund_amount, given.amount, *amounts]
    told = _first(amounts, currency)
    if told is None and goods:
        told = _sum(goods) if all(each.is_priced for each in goods) else _MISSING
    if told is None or told.value >= 0 or told.problem not in ("", "negative"):
        return told
    if event in _GIVES_BACK:  # it is written either way
        return Amount(-told.value, told.currency)
    return told._replace(problem="negative")


def _one(given: _Properties, currency: str) -> Commerce:
    one, told, problem, _ = _goods(given.product_id or given.sku, given, currency)
    return Commerce("", one.value, one.quantity, told, one.product_id, one.name, problem=problem)


def _several(goods: list[_Goods], worth: Amount | None, currency: str) -> Commerce:
    """Read products; those without prices share the total value."""
    value, told, problem = _sum(goods)
    lines = [each.line for each in goods]
    pieces = sum(line.quantity for line in lines)
    if not value and not problem and worth is not None and not worth.problem:
        value, _, problem = settled(worth)
        lines = _spread(lines, value)
    return Commerce("", value, pieces, currency or told, products=lines, problem=problem)


def _whole_cart(given: _Properties, goods: list[_Goods] | None, currency: str) -> Commerce:
    amounts = (given.value, given.cart_value, given.total, given.revenue, given.subtotal)
    worth = _first(amounts, currency)
    if goods:
        found = _several(goods, worth, currency)
        return msgspec.structs.replace(found, is_whole_cart=True)
    value, told, problem = settled(worth or _NOTHING)
    is_empty = given.products == [] and not value
    lines = [Line("", "", 1, value)] if value else [] if is_empty else None
    is_whole = is_empty or given.is_whole_cart is True
    return Commerce("", value, 1, currency or told, "", "", lines, is_whole, problem)


def _spread(lines: list[Line], value: float) -> list[Line]:
    """Give products without prices their shares of the total value."""
    pieces = sum(line.quantity for line in lines) or 1
    return [msgspec.structs.replace(line, value=value * line.quantity / pieces) for line in lines]


def _listed(products: object, currency: str) -> list[_Goods] | None:
    """Read a list of products; None if there is none.

    PHP may have written it as an object, a converter of XML one product in place of a list, a tag
    manager all of it as text.
    """
    if isinstance(products, str):
        products = said(_anything, products)
    if isinstance(products, dict):
        inner = [each for each in products.values() if isinstance(each, dict)]
        products = inner or [products]
    if not isinstance(products, list):
        return None
    found = [each for each in products if isinstance(each, dict)][:_MOST_PRODUCTS]
    goods = [_in_list(each, currency) for each in found]
    currencies = {each.currency for each in goods if each.currency}
    return goods if len(currencies) <= 1 else list(map(_worthless, goods))


def _in_list(product: dict[str, Any], currency: str) -> _Goods:
    given = msgspec.convert(
        {name: value for name, value in product.items() if name in _FIELDS}, _Properties
    )
    own, is_read = read_currency(given.currency)
    goods = _goods(given.product_id or given.sku or product.get("id"), given, currency or own)
    is_contradicted = own != currency if own and currency else not is_read and not currency
    return _worthless(goods) if is_contradicted else goods


def _worthless(goods: _Goods) -> _Goods:
    """Give the product as one that is paid in a currency that cannot be counted."""
    line = msgspec.structs.replace(goods.line, value=0.0)
    return goods._replace(line=line, problem=goods.problem or "currency")


_FIELDS = frozenset(_Properties.__struct_fields__)


def _goods(id_: object, given: _Properties, currency: str) -> _Goods:
    """Read a product; one without an id is identified by its name."""
    name = word(given.name, _LONGEST_ITEM)
    product_id = identifier(id_)[:_LONGEST_ITEM] or name
    count, problem = _count(given.quantity)
    price, worth = read_amount(given.price, currency), read_amount(given.value, currency)
    amount = price._replace(value=price.value * count) if price else worth or _NOTHING
    value, _, problem = settled(amount._replace(problem=amount.problem or problem))
    pieces = ceil(count) if count >= 0 else -ceil(-count)
    line = Line(product_id, name, pieces, value)
    is_priced = price is not None or worth is not None
    return _Goods(line, currency or amount.currency, problem, is_priced)


def _count(quantity: object) -> tuple[float, Problem]:
    """Give the number of pieces, by default 1; for an impossible number 0, and the reason."""
    text = _PIECES.sub("", quantity.strip()) if isinstance(quantity, str) else quantity
    if isinstance(text, str) and is_unsaid(text):
        return 1.0, ""
    read = read_amount(text)
    if read is None:
        return 1.0, ""
    if read.problem == "negative" and read.value >= -_MOST_PIECES:
        return read.value, ""
    if read.problem or read.currency or read.value > _MOST_PIECES:
        return 0.0, "quantity"
    return read.value, ""


def _first(amounts: Iterable[object], currency: str) -> Amount | None:
    """Give the first readable amount, otherwise the first unreadable one; None without any."""
    read = [amount for each in amounts if (amount := read_amount(each, currency)) is not None]
    return next((amount for amount in read if not amount.problem), read[0] if read else None)


def _sum(goods: list[_Goods]) -> Amount:
    problem: Problem = next((each.problem for each in goods if each.problem), "")
    return settled(Amount(sum(each.line.value for each in goods), _currency(goods), problem))


def _currency(goods: Iterable[_Goods]) -> str:
    return next((each.currency for each in goods if each.currency and not each.problem), "")


def _without_currency(found: Commerce) -> Commerce:
    """Remove the value of anything paid in an unknown currency."""
    lines = found.products and [msgspec.structs.replace(line, value=0.0) for line in found.products]
    return msgspec.structs.replace(
        found, value=0.0, currency="", products=lines, problem=found.problem or "currency"
    )
