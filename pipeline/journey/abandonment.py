"""PURE: carts and checkouts left behind.

A cart opens with its first product, becomes a checkout when the checkout starts, and is abandoned
when its visitor has been silent for longer than the rule's timeout. An order within the recovery
window after that makes it recovered; coming back without an order opens the next one.
"""

from pipeline.journey.rules import AbandonmentRules
from pipeline.journey.state import Basket, Cursor, Evidence

_REMEMBERED = 5


def deadline(basket: Basket | None, rules: AbandonmentRules) -> int | None:
    """Give the time until which the open basket may be silent, if there is one."""
    return basket.last_at + rules.timeout_ms[basket.kind] if basket else None


def settle(cursor: Cursor, now: int, rules: AbandonmentRules) -> Basket | None:
    """Judge the silence up to `now`; give the basket it has turned into an abandoned one."""
    due = deadline(cursor.basket, rules)
    if cursor.basket is None or due is None or now <= due:
        return None
    basket, cursor.basket = cursor.basket, None
    basket.abandoned_at = due
    cursor.settled_at = due
    cursor.lost = [*cursor.lost[1 - _REMEMBERED :], basket]
    return basket


def recover(cursor: Cursor, seen: Evidence, rules: AbandonmentRules) -> list[Basket]:
    """Close everything with the order `seen`; give the abandoned baskets it recovers."""
    recovered = [
        basket
        for basket in cursor.lost
        if seen.at - basket.abandoned_at <= rules.recovery_ms[basket.kind]
    ]
    cursor.basket, cursor.lost = None, []
    return recovered


def follow(cursor: Cursor, seen: Evidence, session_id: str, rules: AbandonmentRules) -> None:
    """Open, extend or change the basket by a touchpoint that is not an order."""
    kind = rules.kind_of.get(seen.name)
    basket = cursor.basket
    if kind is not None and (basket is None or (basket.kind, kind) == ("cart", "checkout")):
        basket = cursor.basket = _open(kind, seen, session_id, basket or _last(cursor))
    if basket is None:
        return
    basket.last_at, basket.last_id, basket.visitor_id = seen.at, seen.id, seen.visitor_id
    basket.last_path = seen.path or basket.last_path
    if kind == basket.kind:
        basket.step = seen.name
    if seen.name == "Product Added":
        basket.items += seen.items
        basket.value += seen.value
    elif seen.name == "Product Removed":
        basket.items = max(0, basket.items - seen.items)
        basket.value = max(0.0, basket.value - seen.value)
    basket.currency = seen.currency or basket.currency


def _last(cursor: Cursor) -> Basket | None:
    return cursor.lost[-1] if cursor.lost else None


def _open(kind: str, seen: Evidence, session_id: str, before: Basket | None) -> Basket:
    return Basket(
        kind=kind,
        opened_at=seen.at,
        opened_id=seen.id,
        session_id=session_id,
        step=seen.name,
        last_at=seen.at,
        last_id=seen.id,
        last_path=seen.path,
        items=before.items if before else 0,
        value=before.value if before else 0.0,
        currency=before.currency if before else "",
    )
