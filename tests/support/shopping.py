"""A small shop: one afternoon of it, small enough to count every figure by hand.

Ann comes by a search, comes back from a newsletter on another device and orders. Ben leaves a cart,
Dan another one and comes back. Cid came the day before. A bot does everything and never counts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clickhouse_connect.driver.client import Client

from tests.support.engine import EngineServer
from tests.support.stories import (
    DAY,
    SITE,
    at,
    give_up,
    library,
    move,
    order,
    seen,
    visit,
    write,
)

SPAN: dict[str, Any] = {"site": SITE, "start": at(-60), "end": at(60), "model": "lifecycle"}
"""The two hours around noon."""


@contextmanager
def shop(engine: EngineServer) -> Iterator[Client]:
    """A client in a new database with that afternoon."""
    with library(engine) as client:
        _fill(client)
        yield client


def _fill(client: Client) -> None:
    google = {"traffic_source": "google", "channel_group": "Organic Search", "page_views": 2}
    visit(
        client,
        "ann-phone",
        seen(0, "Page Viewed", "website", "/start"),
        seen(1, "Page Viewed", "shop", "/shoes", lcp_ms=1500),
        seen(1.5, "Product Viewed", path="/shoes"),
        seen(2, "Product Added", path="/shoes"),
        device="mobile",
        entry_path="/start",
        exit_path="/shoes",
        **google,
    )
    visit(
        client,
        "ann-laptop",
        seen(30, "Product Viewed"),
        seen(31, "Product Added"),
        seen(32, "Checkout Started"),
        order(33, "o1", 50),
        order(34, "o1", 70),
        traffic_source="newsletter",
        device="desktop",
        page_views=1,
    )
    for device in ("ann-phone", "ann-laptop"):
        write(client, "identities", {"visitor_id": device, "person_id": "ann", "version": 1})
    visit(client, "ben", seen(10, "Product Added"), page_views=1, traffic_source="google")
    give_up(client, "ben", "cart", "Product Added", value=20, cause="slow_page")
    give_up(client, "dan", "cart", "Product Added", value=5, recovered_at=at(55))
    visit(client, "cid", seen(-DAY, "Page Viewed", "website", "/start"), page_views=1)
    visit(client, "dan", order(-70, "o0", 7))
    first = {"touchpoint_id": "ann-phone 0 Page Viewed"}
    move(client, "ann-phone", 0, "awareness", kind="enter", **first)
    move(client, "ann-phone", 2, "purchase")
    move(client, "ben", -DAY, "consideration", kind="enter")
    move(client, "cid", -DAY, "awareness", kind="enter")
    bot = {"is_bot": True, "session_id": "bot"}
    everything = (seen(1, name) for name in ("Product Viewed", "Product Added"))
    visit(client, "bot", *everything, order(3, "o9", 999), page_views=9, **bot)
    move(client, "bot", 0, "awareness", session_id="bot")
    give_up(client, "bot", "cart", "Product Added", session_id="bot")
