"""How many names a site may have: what is known goes on, what is random ends."""

from datetime import date, timedelta

import pytest

from pipeline.collector.names import Names
from schemas.codec import Refused
from schemas.dead_letter import Reason

TODAY = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)


def taken(names: Names, *wanted: str, site: str = "shop", today: date = TODAY) -> list[str]:
    """Give those of `wanted` that are taken."""
    found, reasons = [], set()
    for name in wanted:
        try:
            names.admit(site, name, today)
        except Refused as why:
            reasons.add(why.reason)
        else:
            found.append(name)
    assert reasons <= {Reason.TOO_MANY_NAMES}
    return found


def test_beyond_the_limit_known_names_go_on_and_new_ones_are_refused() -> None:
    names = Names(2)
    assert ["a", "b"] == taken(names, "a", "b", "c")
    assert ["b", "a"] == taken(names, "b", "d", "a")


def test_another_site_has_names_of_its_own() -> None:
    names = Names(1)
    taken(names, "a")
    assert ["b"] == taken(names, "b", site="other")


def test_what_segment_specifies_is_taken_even_if_somebody_used_up_all_names() -> None:
    names = Names(1)
    assert ["x", "Order Completed", "Page Viewed"] == taken(
        names, "x", "Order Completed", "y", "Page Viewed"
    )


def test_the_next_day_yesterdays_names_go_on_and_there_is_room_again() -> None:
    names = Names(2)
    taken(names, "a", "b")
    assert ["x", "y", "a", "b"] == taken(names, "x", "y", "z", "a", "b", today=TOMORROW)


def test_after_a_day_without_them_names_are_forgotten() -> None:
    names = Names(1)
    taken(names, "a")
    taken(names, "b", today=TOMORROW)
    assert ["c"] == taken(names, "c", "a", today=TOMORROW + timedelta(days=1))
    assert [] == taken(names, "d", today=TOMORROW)


@pytest.mark.parametrize("days", [1, 2])
def test_no_more_is_remembered_than_the_names_of_two_days(days: int) -> None:
    names = Names(10)
    for day in range(6):
        today = TODAY + timedelta(days=day * days)
        taken(names, *(f"{day}-{number}" for number in range(100)), today=today)
        taken(names, *(f"{day - 1}-{number}" for number in range(100)), today=today)
    held = [len(each) for day in (names._today, names._yesterday) for each in day.values()]
    assert all(count <= 10 for count in held)
