"""PURE: what lies in a cart, and what was only looked at. Carts are never changed, but replaced:
lost stakes hold them too.
"""

from msgspec.structs import replace

from pipeline.journey.state import Cart, Evidence, Line
from schemas.facts import Product

_MOST_LINES = 50
"""Further products share one line that has no product id: the sums stay right."""
_MOST_LOOKED_AT = 10


def put_in(cart: Cart | None, seen: Evidence) -> Cart:
    """Add the product of `seen`."""
    cart = cart or Cart()
    line = _line_of(cart, seen.product_id)
    if line is None and len(cart.lines) >= _MOST_LINES:
        line = _line_of(cart, "") or Line("", "", 0, 0.0)
    line = line or Line(seen.product_id, seen.product_name, 0, 0.0)
    more = replace(line, quantity=line.quantity + seen.items, value=line.value + seen.value)
    return Cart(_changed(cart, line, more), seen.currency or cart.currency)


def take_out(cart: Cart | None, seen: Evidence) -> Cart:
    """Remove the product of `seen`, or as much of it as there is."""
    cart = cart or Cart()
    line = _line_of(cart, seen.product_id) or _line_of(cart, "")
    if line is None:
        return cart
    left = line.quantity - seen.items
    value = max(0.0, line.value - (seen.value or line.value * seen.items / (line.quantity or 1)))
    less = replace(line, quantity=left, value=value) if left > 0 else None
    return Cart(_changed(cart, line, less), cart.currency)


def look_at(cart: Cart | None, seen: Evidence) -> Cart | None:
    """Note the product of `seen` as one that was looked at; the last ten are kept."""
    if not seen.product_id:
        return cart
    before = cart.lines if cart else []
    others = [line for line in before if line.product_id != seen.product_id]
    lines = [*others, Line(seen.product_id, seen.product_name, 0, seen.value)]
    return Cart(lines[-_MOST_LOOKED_AT:], seen.currency or (cart.currency if cart else ""))


def totals(cart: Cart) -> tuple[int, float]:
    """Count pieces and sum their value, to cents; what was only looked at is worth nothing."""
    lines = [line for line in cart.lines if line.quantity]
    return sum(line.quantity for line in lines), round(sum((line.value for line in lines), 0.0), 2)


def items(cart: Cart) -> list[Product]:
    """List the products with the price of one piece each."""
    return [
        Product(
            product_id=line.product_id,
            name=line.name,
            quantity=line.quantity,
            price=round(line.value / (line.quantity or 1), 2),
        )
        for line in cart.lines
    ]


def _line_of(cart: Cart, product_id: str) -> Line | None:
    return next((line for line in cart.lines if line.product_id == product_id), None)


def _changed(cart: Cart, old: Line, new: Line | None) -> list[Line]:
    lines = [new if line is old else line for line in cart.lines]
    if new and old not in cart.lines:
        lines.append(new)
    return [line for line in lines if line]
