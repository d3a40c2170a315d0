"""No order of arrival, and no history, makes a touchpoint much dearer than it is in order."""

import pytest

from tests.bench.orders import measure


@pytest.mark.bench
@pytest.mark.parametrize("order", ["reverse", "random"])
@pytest.mark.parametrize("each", [1, 100, 2_000])
def test_any_order_costs_at_most_five_times_what_the_same_costs_in_order(
    each: int, order: str
) -> None:
    in_order = min(measure(2_000, each, "in order", 8192).touchpoint_us for _ in range(2))
    assert min(measure(2_000, each, order, 8192).touchpoint_us for _ in range(2)) < 5 * in_order
