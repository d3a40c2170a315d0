"""PURE: something in the shop is broken, and people give up there."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.demo.simulation.shopper import Call

BREAKS = {
    "cart": "Product Added",
    "checkout": "Order Completed",
}
"""What can break, and the event that nobody gets to any more."""


def broken(calls: Iterable[Call], what: str, since: datetime, browser: str = "") -> Iterator[Call]:
    """Leave out what cannot be done since then, and all that these people would have done after it.

    `browser`, a part of a user agent, limits it to those who use that one.
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
