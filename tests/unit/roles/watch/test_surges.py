"""What is a surge of a channel, and what is only a weekday that is busier than others."""

import numpy as np

from pipeline.roles.watch.minutes import hours_of_week
from pipeline.roles.watch.surges import LASTS, strength, surges, usual_traffic

HOURS = np.arange(4 * 7 * 24) % (7 * 24)
SUNDAY = HOURS // 24 == 6
ROWS = np.array([[600.0], [60.0]])


def lived(of_sunday: float = 1.0) -> np.ndarray:
    """Four weeks of a large and a small channel, busier on Sundays."""
    return ROWS * np.where(SUNDAY, of_sunday, 1.0) * np.where(HOURS % 24 < 6, 0.25, 1.0)


def test_the_hours_of_the_week_begin_on_monday() -> None:
    monday = 4 * 24  # the fifth of January 1970
    assert hours_of_week(np.array([0, monday - 1, monday, monday + 170])).tolist() == [
        72,
        167,
        0,
        2,
    ]


def test_a_busy_weekday_is_no_surge() -> None:
    entries = lived(of_sunday=3.5)
    usual = usual_traffic(HOURS, entries)
    assert not strength(entries, usual[:, HOURS] * 60).any()
    assert np.allclose(usual[:, HOURS] * 60, entries)


def test_a_peak_of_an_hour_is_a_surge_on_any_weekday_and_moves_nothing() -> None:
    for of_sunday in (1.0, 3.5):
        calm, entries = lived(of_sunday), lived(of_sunday)
        at = np.flatnonzero(SUNDAY & (HOURS % 24 == 10))
        entries[1, at] *= 10
        usual = usual_traffic(HOURS, entries)
        found = strength(entries, usual[:, HOURS] * 60)
        assert np.flatnonzero(found[1]).tolist() == at.tolist()
        assert not found[0].any()
        assert np.allclose(usual[:, HOURS] * 60, calm)


def test_a_weekday_is_known_by_a_whole_one_of_it() -> None:
    for known, factor in ((23, 1.0), (24, 3.5)):
        hours = HOURS[: 6 * 24 + known]
        usual = usual_traffic(hours, lived(of_sunday=3.5)[:, : len(hours)])
        assert np.allclose(usual[:, 6 * 24 + 12] * 60, ROWS[:, 0] * factor)


def test_a_surge_is_felt_for_two_hours() -> None:
    usual = np.full((1, LASTS), 10.0)
    for minute in (0, LASTS - 1):
        entries = usual.copy()
        entries[0, minute] = 900.0
        assert surges(["newsletter"], entries, usual).felt == {"newsletter"}
    assert not surges(["newsletter"], usual, usual).felt
