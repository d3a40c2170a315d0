"""Which of several touchpoints of one time came first."""

from itertools import pairwise

import pytest

from pipeline.tracker.turn import turn
from schemas.fields import LARGEST_SEQUENCE

ROADS = (
    ("Email Opened", "Email Link Clicked", "Page Viewed", "Product Viewed", "Product Added"),
    ("Product Viewed", "Product Added", "Cart Viewed", "Checkout Started", "Order Completed"),
    ("Checkout Started", "Checkout Step Viewed", "Checkout Step Completed", "Order Completed"),
    ("Checkout Started", "Payment Info Entered", "Payment Failed", "Order Completed"),
    ("Product Added", "Product Removed", "Checkout Started"),
    ("Form Started", "Form Left", "Form Submitted"),
    ("Order Completed", "Order Shipped", "Order Delivered", "Order Refunded"),
    ("Something Of Our Own", "Product Viewed"),
)


@pytest.mark.parametrize("names", ROADS, ids=" to ".join)
def test_without_an_order_of_the_sender_what_usually_comes_first_does(
    names: tuple[str, ...],
) -> None:
    turns = [turn(7, name, is_arrival=False) for name in names]
    assert all(one < other for one, other in pairwise(turns))


def test_the_page_by_which_somebody_arrives_comes_before_the_other_pages() -> None:
    came = turn(0, "Page Viewed", is_arrival=True)
    assert turn(0, "Email Link Clicked", is_arrival=False) < came
    assert came < turn(0, "Page Viewed", is_arrival=False)
    assert came < turn(0, "Product Viewed", is_arrival=True)


def test_the_order_of_the_sender_goes_before_what_is_usual() -> None:
    assert turn(0, "Order Completed", is_arrival=False) < turn(1, "Product Added", is_arrival=False)


def test_the_largest_sequence_still_fits_into_its_column() -> None:
    assert turn(LARGEST_SEQUENCE, "Order Refunded", is_arrival=False) < 2**63
