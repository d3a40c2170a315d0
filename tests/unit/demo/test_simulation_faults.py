"""What is broken: nobody gets beyond it, since then, in that browser."""

from datetime import UTC, datetime, timedelta

from pipeline.demo.simulation.calls import journeys
from pipeline.demo.simulation.faults import BREAKS, broken
from pipeline.demo.simulation.shopper import Call

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
MIDDLE = NOON + timedelta(hours=3)
CALLS = list(journeys(1, 400, NOON, NOON + timedelta(hours=6)))


def orders(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.get("event") == "Order Completed"]


def test_before_it_breaks_everything_is_as_it_was() -> None:
    left = list(broken(CALLS, "checkout", MIDDLE))
    assert [c for c in left if c["timestamp"] < MIDDLE] == [
        c for c in CALLS if c["timestamp"] < MIDDLE
    ]


def test_since_then_nobody_orders_and_who_tried_does_nothing_more() -> None:
    left = list(broken(CALLS, "checkout", MIDDLE))
    assert orders(CALLS) != orders(left) != []
    assert max(call["timestamp"] for call in orders(left)) < MIDDLE
    late = {
        c["anonymousId"]: c["timestamp"] for c in orders(CALLS)[::-1] if c["timestamp"] >= MIDDLE
    }
    assert late
    assert [c for c in left if c["timestamp"] >= late.get(c["anonymousId"], NEVER)] == []


def test_it_can_be_broken_in_one_browser_alone() -> None:
    left = list(broken(CALLS, "checkout", NOON, "Firefox"))
    agents = {str(call["context"]["userAgent"]) for call in orders(left)}
    assert agents
    assert not any("Firefox" in agent for agent in agents)


def test_what_can_be_broken_is_something_that_people_do() -> None:
    assert set(BREAKS.values()) <= {call.get("event") for call in CALLS}
