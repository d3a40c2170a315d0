"""Why something was abandoned: the touchpoint nearby that explains it."""

import pytest

from pipeline.journey.state import Evidence
from schemas.facts import Abandonment
from tests.support.journeys import DAY, HOUR, MINUTE, Life, fold, only, seen

WITHIN = 15 * MINUTE


def cause(*evidence: Evidence) -> tuple[str, str]:
    """Of the abandoned cart."""
    (found,) = (
        one for one in only(Abandonment, fold(*evidence, now=5 * DAY)) if one.kind == "cart"
    )
    return found.cause, found.cause_touchpoint_id


def added(after: int) -> Evidence:
    return seen("cart", after, "Product Added")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Script Error", "script_error"),
        ("Page Slow", "slow_page"),
        ("Payment Failed", "payment_error"),
        ("Complaint Made", "complaint"),
        ("Page Viewed", ""),
    ],
)
def test_a_touchpoint_just_before_the_end_names_the_cause(name: str, expected: str) -> None:
    assert cause(added(0), seen("x", 1, name)) == (expected, "x" if expected else "")


def test_it_may_stand_before_the_cart_and_exactly_its_time_before_the_end() -> None:
    assert cause(seen("x", 0, "Script Error"), added(WITHIN)) == ("script_error", "x")


def test_a_millisecond_earlier_it_explains_nothing() -> None:
    assert cause(seen("x", 0, "Script Error"), added(WITHIN + 1)) == ("", "")


def test_a_complaint_explains_for_a_day_whatever_the_visit() -> None:
    assert cause(seen("x", 0, "Complaint Made"), added(DAY)) == ("complaint", "x")
    assert cause(seen("x", 0, "Complaint Made"), added(DAY + 1)) == ("", "")


def test_of_several_the_likelier_counts_and_not_the_nearer() -> None:
    failed, slow = seen("x", 1, "Payment Failed"), seen("y", 2, "Page Slow")
    assert cause(added(0), failed, slow) == ("payment_error", "x")


def test_of_the_same_the_nearer_counts() -> None:
    first, second = seen("x", 1, "Script Error"), seen("y", 2, "Script Error")
    assert cause(added(0), first, second) == ("script_error", "y")


def test_what_happens_after_the_end_explains_nothing() -> None:
    assert cause(added(0), seen("x", HOUR, "Script Error")) == ("", "")


def test_what_arrives_late_explains_what_was_abandoned_before_under_the_same_id() -> None:
    life = Life()
    life.see(added(0), seen("b", 2 * MINUTE))
    life.wait(HOUR)
    life.see(seen("x", MINUTE, "Script Error"))
    (found,) = only(Abandonment, life.rows.values())
    assert (found.cause, found.cause_touchpoint_id, found.version) == ("script_error", "x", 3)


def test_a_mail_is_not_explained_by_what_happened_after_it() -> None:
    mails = [seen(f"m{at}", at, "Email Delivered", channel="newsletter") for at in range(3)]
    rows = fold(*mails, seen("x", 3, "Script Error"), now=4 * DAY)
    found = [one.cause for one in only(Abandonment, rows) if one.kind == "newsletter"]
    assert found == [""]
