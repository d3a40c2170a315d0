"""No order of arrival, and no history, makes a touchpoint much dearer than it is in order."""

import pytest

from tests.bench.orders import PACES, measure

_IDLE = (100, "one by one")
"""A stream that pauses after each touchpoint: the next one has nothing to wait for."""


@pytest.mark.bench
@pytest.mark.parametrize("order", ["reverse", "random"])
@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("each", [1, 100, 1_000])
def test_any_order_costs_at_most_five_times_what_the_same_costs_in_order(
    each: int, pace: str, order: str
) -> None:
    def cheapest(of: str) -> float:
        return min(measure(1_000, each, of, PACES[pace]).touchpoint_us for _ in range(2))

    assert cheapest(order) < (10 if (each, pace) == _IDLE else 5) * cheapest("in order")
