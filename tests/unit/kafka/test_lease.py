"""Who stood still for too long does not write any more."""

import pytest

from pipeline.kafka.lease import Lease, LeaseLost


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_lease_that_is_renewed_holds() -> None:
    clock = Clock()
    lease = Lease(8.0, clock)
    for _ in range(3):
        clock.now += 8.0
        lease.hold()
        lease.renew()


def test_a_slow_start_costs_no_lease() -> None:
    clock = Clock()
    lease = Lease(8.0, clock)
    clock.now = 60.0
    lease.hold()
    lease.renew()
    clock.now = 67.0
    lease.renew()


def test_who_stood_still_may_not_write_and_cannot_renew_either() -> None:
    clock = Clock()
    lease = Lease(8.0, clock)
    lease.renew()
    clock.now = 8.1
    with pytest.raises(LeaseLost, match="stood still for 8 s"):
        lease.hold()
    with pytest.raises(LeaseLost):
        lease.renew()
