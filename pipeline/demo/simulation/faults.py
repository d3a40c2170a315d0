"""PURE: a part of the shop is broken, and people give up there."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.demo.simulation.shopper import Call

BREAKS = {
    "cart": "Product Added",
    "checkout": "Order Completed",
}
"""What can break, and the event that nobody reaches any more."""


def broken(calls: Iterable[Call], what: str, since: datetime, browser: str = "") -> Iterator[Call]:
    """Leave out calls that are impossible from `since` on, and everything their people do later.

    `browser` is a part of a user agent; if given, only its users are affected.
    """
    given_up: set[str] = set()
    for call in calls:
        person = call["anonymousId"]
        is_hindered = (
            call.get("event") == BREAKS[what]
            and call["timestamp"] >= since
            and browser in call["context"].get("userAgent", "")
        )
        if is_hindered:
            given_up.add(person)
        if person not in given_up:
            yield call
