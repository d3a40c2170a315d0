"""PURE: what is in a cart, and which products were only viewed.

Carts are replaced, never changed, because lost stakes refer to them too.
"""

from msgspec.structs import replace

from pipeline.journey.state import Cart, Evidence, Line
from pipeline.values.totals import rounded
from schemas.facts import Product

MIXED = "mixed"
"""The currency of amounts in several currencies, which are never added."""

_MOST_LINES = 50
"""Further products share one line without a product id, so the sums stay right."""
_MOST_LOOKED_AT = 10
_MOST_PIECES = 50_000_000
"""Of one product: further ones only raise the value, so that a column holds what a cart has."""


def put_in(cart: Cart | None, seen: Evidence) -> Cart:
    """Add the products of `seen`; a negative quantity removes some."""
    cart = cart or Cart()
    lines = cart.lines
    for product in products_of(seen):
        lines = _more(lines, product) if product.quantity > 0 else _less(lines, product)
    return Cart(lines, together(cart.currency if cart.lines else "", seen.currency))


def puts_something_in(seen: Evidence) -> bool:
    """Tell whether `seen` names no product, or a piece of one."""
    products = products_of(seen)
    is_named = any(product.product_id or product.quantity for product in products)
    return not is_named or any(product.quantity > 0 for product in products)


def take_out(cart: Cart | None, seen: Evidence) -> Cart:
    """Remove the products of `seen`, or as much of them as there is."""
    cart = cart or Cart()
    lines = cart.lines
    for product in products_of(seen):
        lines = _less(lines, product)
    return Cart(lines, cart.currency)


def look_at(cart: Cart | None, seen: Evidence) -> Cart | None:
    """Note the products of `seen` as viewed; the last ten are kept."""
    looked_at = [replace(each, quantity=0) for each in products_of(seen) if each.product_id]
    if not looked_at:
        return cart
    known = {each.product_id for each in looked_at}
    before = cart.lines if cart else []
    lines = [*(line for line in before if line.product_id not in known), *looked_at]
    return Cart(lines[-_MOST_LOOKED_AT:], seen.currency or (cart.currency if cart else ""))


def products_of(seen: Evidence) -> list[Line]:
    """Give the products of a touchpoint: its list, or the one that it is about."""
    if seen.products is not None:
        return seen.products
    return [Line(seen.product_id, seen.product_name, seen.items, seen.value)]


def totals(cart: Cart) -> tuple[int, float]:
    """Count pieces and sum their value; products that were only viewed are worth 0.

    The sum of several currencies is 0.
    """
    lines = [line for line in cart.lines if line.quantity]
    value = 0.0 if cart.currency == MIXED else sum((line.value for line in lines), 0.0)
    return sum(line.quantity for line in lines), rounded(value)


def together(one: str, other: str) -> str:
    """Give the currency of amounts in two of them, each perhaps unknown."""
    return one or other if not (one and other) or one == other else MIXED


def items(cart: Cart) -> list[Product]:
    """List the products with the price of one piece each."""
    return [
        Product(
            product_id=line.product_id,
            name=line.name,
            quantity=line.quantity,
            price=rounded(line.value / (line.quantity or 1)),
        )
        for line in cart.lines
    ]


def _more(lines: list[Line], product: Line) -> list[Line]:
    line = _line_of(lines, product.product_id)
    if line is None and len(lines) >= _MOST_LINES:
        line = _line_of(lines, "") or Line("", "", 0, 0.0)
    line = line or replace(product, quantity=0, value=0.0)
    pieces = min(line.quantity + product.quantity, _MOST_PIECES)
    return _changed(lines, line, replace(line, quantity=pieces, value=line.value + product.value))


def _less(lines: list[Line], product: Line) -> list[Line]:
    """Remove the product; shops may write what goes out as negative pieces, value, or both."""
    line = _line_of(lines, product.product_id) or _line_of(lines, "")
    if line is None:
        return lines
    pieces = abs(product.quantity)
    left = line.quantity - pieces
    part = abs(product.value) or line.value * pieces / (line.quantity or 1)
    rest = replace(line, quantity=left, value=max(0.0, line.value - part)) if left > 0 else None
    return _changed(lines, line, rest)


def _line_of(lines: list[Line], product_id: str) -> Line | None:
    return next((line for line in lines if line.product_id == product_id), None)


def _changed(lines: list[Line], old: Line, new: Line | None) -> list[Line]:
    changed = [new if line is old else line for line in lines]
    if new and old not in lines:
        changed.append(new)
    return [line for line in changed if line]
