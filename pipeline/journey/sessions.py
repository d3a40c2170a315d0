"""PURE: which touchpoints make one session.

A session ends when its visitor is silent for longer than the session gap; a gap of exactly that
length stays in the session. Nothing else splits it: not midnight, not a campaign, not a login.
"""

from collections.abc import Collection

from pipeline.journey.cart import MIXED, together
from pipeline.journey.rules import Rules
from pipeline.journey.state import Evidence, OpenSession, identifier

_REMEMBERED = 100
"""How many order ids are kept, to recognise an order that is reported twice."""


def continues(session: OpenSession | None, seen: Evidence, gap_ms: int) -> bool:
    """Tell whether `seen` belongs to `session`."""
    return session is not None and seen.at - session.ended_at <= gap_ms


def open_session(site: str, visitor_id: str, seen: Evidence) -> OpenSession:
    """Begin the session whose first touchpoint is `seen`; that touchpoint gives it its id."""
    return OpenSession(
        id=identifier(site, visitor_id, seen.id),
        started_at=seen.at,
        ended_at=seen.at,
        first_id=seen.id,
        last_id=seen.id,
        entry_path=seen.path,
        exit_path=seen.path,
        channel=seen.channel,
        referrer_host=seen.referrer_host,
        utm_source=seen.utm_source,
        utm_medium=seen.utm_medium,
        utm_campaign=seen.utm_campaign,
        device=seen.device,
        is_bot=seen.is_bot,
    )


def extend(
    session: OpenSession, seen: Evidence, rules: Rules, known_orders: Collection[str] = ()
) -> None:
    """Fold `seen`, the newest touchpoint of `session`, into it.

    `known_orders` are the ids of earlier orders: the thank-you page may be loaded again.
    """
    session.ended_at = seen.at
    session.last_id = seen.id
    session.touchpoints += 1
    session.page_views += seen.is_page
    session.is_bot = session.is_bot or seen.is_bot
    session.country = session.country or seen.country
    if seen.path:
        session.exit_path = seen.path
        session.entry_path = session.entry_path or seen.path
    if seen.name in rules.funnel and seen.name not in session.steps:
        known = [step for step in session.steps if step in rules.funnel]
        session.steps = sorted([*known, seen.name], key=rules.funnel.__getitem__)
    if seen.name in rules.orders and _is_new_order(session, seen, known_orders):
        session.order_ids = [*session.order_ids[1 - _REMEMBERED :], seen.order_id or seen.id]
        session.orders += 1
        session.currency = _paid_in(session, seen)
        session.revenue = 0.0 if session.currency == MIXED else session.revenue + seen.value


def _paid_in(session: OpenSession, seen: Evidence) -> str:
    """Give the currency of all orders; one that says none may be in another than the others."""
    if seen.value and session.revenue and seen.currency != session.currency:
        return MIXED
    return together(session.currency, seen.currency)


def _is_new_order(session: OpenSession, seen: Evidence, known_orders: Collection[str]) -> bool:
    return seen.order_id not in session.order_ids and seen.order_id not in known_orders
