"""Some are refused, and for that there are dead letters; if nearly all are, something is wrong."""

import pytest

from schemas.refusals import Refusals, TooManyRefused, site_in


def test_one_in_a_hundred_is_no_reason_to_stop() -> None:
    refusals = Refusals(run=1000, share=0.5)
    for _ in range(1000):
        refusals.count(99, 1)


def test_so_many_in_a_row_are_too_many() -> None:
    refusals = Refusals(run=1000, share=0.5)
    refusals.count(0, 1000)
    with pytest.raises(TooManyRefused, match="1,001 in a row"):
        refusals.count(0, 1)


def test_what_is_taken_in_between_breaks_the_row() -> None:
    refusals = Refusals(run=1000, share=0)
    for _ in range(50):
        refusals.count(0, 900)
        refusals.count(1, 0)


def test_more_than_the_share_is_too_much() -> None:
    refusals = Refusals(run=1000, share=0.5)
    for _ in range(999):
        refusals.count(4, 6)
    with pytest.raises(TooManyRefused, match="60% of 10,000"):
        refusals.count(4, 6)


def test_what_was_refused_long_ago_does_not_count() -> None:
    refusals = Refusals(run=0, share=0.5)
    refusals.count(6000, 5000)
    for _ in range(20):
        refusals.count(10_000, 0)
    refusals.count(1000, 3000)


def test_without_limits_everything_may_be_refused() -> None:
    Refusals(run=0, share=0).count(0, 1_000_000)


@pytest.mark.parametrize(
    ("row", "site"),
    [
        (b'{"site":"shop","x":1}', "shop"),
        (b"{}", ""),
        (b"\xff", ""),
        (b"[1]", ""),
        (b"[" * 9000, ""),
    ],
)
def test_the_site_of_a_row_is_found_in_it(row: bytes, site: str) -> None:
    assert site_in(row) == site
