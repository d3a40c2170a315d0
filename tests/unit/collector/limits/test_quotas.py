"""What a write key may send a second and a day."""

from datetime import date, timedelta

import pytest

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.limits.quotas import Quotas
from schemas.write_key import WriteKey

TODAY = date(2026, 1, 1)
PLAIN = WriteKey(site="shop")


def on_the_usual_lane(quotas: Quotas, key: WriteKey, batches: int, now: float = 0.0) -> int:
    """Send batches of ten; say how many were within the share."""
    return sum(not quotas.is_over("wk", key, 10, now) for _ in range(batches))


def test_a_key_may_send_its_share_and_the_rest_takes_the_other_lane() -> None:
    quotas = Quotas(share=100, window=10)
    assert 101 == on_the_usual_lane(quotas, PLAIN, 500)
    assert 10 == on_the_usual_lane(quotas, PLAIN, 500, now=1.0)


def test_what_takes_the_other_lane_uses_up_nothing() -> None:
    quotas = Quotas(share=100, window=10)
    on_the_usual_lane(quotas, PLAIN, 100_000)
    assert 10 == on_the_usual_lane(quotas, PLAIN, 500, now=1.0)


def test_the_share_of_the_key_goes_before_that_of_all() -> None:
    small = WriteKey(site="shop", events_per_second=10)
    boundless = WriteKey(site="shop", events_per_second=0)
    assert 11 == on_the_usual_lane(Quotas(share=100, window=10), small, 500)
    assert 500 == on_the_usual_lane(Quotas(share=100, window=10), boundless, 500)
    assert 500 == on_the_usual_lane(Quotas(share=0, window=10), PLAIN, 500)


def test_a_key_may_send_so_many_events_a_day_and_the_next_day_again() -> None:
    quotas, key = Quotas(share=0, window=10), WriteKey(site="shop", events_per_day=100)
    for _ in range(10):
        quotas.admit("wk", key, TODAY)
        quotas.count("wk", 10, TODAY)
    with pytest.raises(TurnedAway) as why:
        quotas.admit("wk", key, TODAY)
    assert Problem.QUOTA_EXCEEDED == why.value.code
    quotas.admit("other", key, TODAY)
    quotas.admit("wk", key, TODAY + timedelta(days=1))
