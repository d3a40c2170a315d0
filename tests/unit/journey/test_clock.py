"""What time it is, as far as the log tells."""

from pipeline.journey.clock import DAY_MS, SiteTimes, hear_tick, hear_touchpoint
from tests.support.journeys import DAY, HOUR, NOON


def after_tick(at: int, site: str | None = None, **times: int) -> SiteTimes:
    hear_tick(times, at, site)
    return times


def test_a_touchpoint_moves_its_site_forward() -> None:
    times: SiteTimes = {"shop": NOON, "store": NOON}
    assert hear_touchpoint(times, "shop", NOON + HOUR, NOON + DAY) == NOON + HOUR
    assert times == {"shop": NOON + HOUR, "store": NOON}


def test_a_touchpoint_of_the_past_does_not_move_it_back() -> None:
    times: SiteTimes = {"shop": NOON}
    assert hear_touchpoint(times, "shop", NOON - HOUR, NOON + DAY) == NOON
    assert times == {"shop": NOON}


def test_no_touchpoint_moves_time_beyond_its_record() -> None:
    times: SiteTimes = {}
    year_2100 = NOON + 74 * 365 * DAY
    assert hear_touchpoint(times, "shop", year_2100, NOON) == NOON
    assert times == {"shop": NOON}


def test_a_tick_for_all_moves_every_live_site() -> None:
    assert after_tick(NOON + HOUR, shop=NOON, store=NOON + 1) == {
        "shop": NOON + HOUR,
        "store": NOON + HOUR,
    }


def test_a_tick_for_all_leaves_a_site_alone_that_is_a_day_behind() -> None:
    assert after_tick(NOON + DAY_MS, shop=NOON, store=NOON + 1) == {
        "shop": NOON,
        "store": NOON + DAY_MS,
    }


def test_a_tick_for_all_makes_no_site() -> None:
    assert after_tick(NOON) == {}


def test_a_tick_never_moves_time_back() -> None:
    assert after_tick(NOON - 1, shop=NOON) == {"shop": NOON}
    assert after_tick(NOON - 1, "shop", shop=NOON) == {"shop": NOON}


def test_a_tick_for_one_site_moves_that_site_alone_however_far() -> None:
    assert after_tick(NOON + 400 * DAY, "shop", shop=NOON, store=NOON) == {
        "shop": NOON + 400 * DAY,
        "store": NOON,
    }


def test_a_tick_for_a_site_not_seen_yet_is_remembered() -> None:
    assert after_tick(NOON, "shop") == {"shop": NOON}
