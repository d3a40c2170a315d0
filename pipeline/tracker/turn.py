"""PURE: which of several touchpoints with the same time came first.

The sender's own order decides (`sequence`: the position in a request or a file, or a number that
the sender counts up). If two have the same number, because they came in separate requests or files
without an order, the usual order decides: a mail before the visit it brings, the landing page
before the others, a cart before its checkout, a checkout before its order. Remaining ties are
broken by the touchpoint's id, which means nothing.
"""

from schemas.touchpoint import OrderEvent

_NATURAL = (
    ("Email Delivered", "Ad Viewed", "Promotion Viewed"),
    ("Email Opened",),
    ("Email Link Clicked", "Ad Clicked", "Promotion Clicked"),
    ("",),  # a page by which somebody arrives
    (),  # everything that is not named here
    ("Products Searched", "Product List Viewed", "Product List Filtered"),
    ("Product Clicked",),
    ("Product Viewed", "Form Started"),
    ("Product Added", "Form Left"),
    ("Product Removed", "Form Submitted"),
    ("Cart Viewed", "Cart Updated"),
    ("Checkout Started",),
    ("Checkout Step Viewed",),
    ("Checkout Step Completed", "Coupon Entered"),
    ("Coupon Applied", "Coupon Denied"),
    ("Payment Info Entered",),
    ("Payment Failed",),
    ("Order Completed",),
    ("Order Updated",),
    ("Order Shipped",),
    ("Order Delivered", "Order Picked Up"),
    ("Return Requested", "Order Cancelled"),
    ("Order Returned", "Order Refunded"),
)
_STEP = {name: step for step, names in enumerate(_NATURAL) for name in names}
_USUAL = _NATURAL.index(())
_ARRIVAL = _STEP[""]
_ORDER_STEP: dict[OrderEvent, int] = {
    "completed": _STEP["Order Completed"],
    "cancelled": _STEP["Order Cancelled"],
    "refunded": _STEP["Order Refunded"],
    "partially_refunded": _STEP["Order Refunded"],
}
_STEPS = 32


def turn(sequence: int, name: str, *, is_arrival: bool, order_event: OrderEvent = "") -> int:
    """Give the turn of a touchpoint among those with the same time; the lower came first.

    `is_arrival` says that its page was reached from elsewhere: by a campaign or another site. An
    order under a model's own name counts as an order.
    """
    step = _STEP.get(name, _USUAL)
    if step == _USUAL and order_event:
        step = _ORDER_STEP[order_event]
    if step == _USUAL and is_arrival:
        step = _ARRIVAL
    return sequence * _STEPS + step
