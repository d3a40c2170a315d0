"""What time it is, as far as the log tells."""

from pipeline.journey.clock import SILENCE_MS, Clock
from schemas.times import DAY_MS
from tests.support.journeys import DAY, HOUR, NOON


def after_tick(at: int, site: str | None = None, **times: int) -> dict[str, int]:
    clock = Clock(times)
    clock.hear_tick(at, site)
    return clock.times


def test_a_touchpoint_moves_its_site_forward() -> None:
    clock = Clock({"shop": NOON, "store": NOON})
    assert clock.hear_touchpoint("shop", NOON + HOUR, NOON + DAY) == NOON + HOUR
    assert clock.times == {"shop": NOON + HOUR, "store": NOON}


def test_a_touchpoint_of_the_past_does_not_move_it_back() -> None:
    clock = Clock({"shop": NOON})
    assert clock.hear_touchpoint("shop", NOON - HOUR, NOON + DAY) == NOON
    assert clock.times == {"shop": NOON}


def test_no_touchpoint_moves_time_beyond_its_record() -> None:
    clock = Clock()
    year_2100 = NOON + 74 * 365 * DAY
    assert clock.hear_touchpoint("shop", year_2100, NOON) == NOON
    assert (clock.times, clock.heard) == ({"shop": NOON}, {"shop": NOON})


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


def test_of_a_site_not_seen_yet_nothing_is_known() -> None:
    assert (Clock().horizon("shop"), Clock().silence("shop")) == (0, 0)


def test_a_clock_that_joins_another_gives_it_what_is_newer_and_is_gone() -> None:
    times, heard = ({"anew": NOON + HOUR, "shop": NOON}, {"anew": NOON, "shop": NOON - HOUR})
    clock = Clock(times, heard)
    clock.join("anew", "shop", NOON)
    assert (clock.times, clock.heard) == ({"shop": NOON + HOUR}, {"shop": NOON})
    clock.join("anew", "shop", NOON + DAY)
    assert (clock.times, clock.heard) == ({"shop": NOON + DAY}, {"shop": NOON})


# --- the horizon --------------------------------------------------------------------------------


def test_the_horizon_is_the_newest_touchpoint_however_far_ticks_have_come() -> None:
    clock = Clock()
    clock.hear_touchpoint("shop", NOON, NOON)
    clock.hear_tick(NOON + 25 * HOUR, "shop")
    clock.hear_tick(NOON + 40 * HOUR, None)
    assert (clock.horizon("shop"), clock.silence("shop")) == (NOON, 40 * HOUR)


def test_a_silence_moves_the_horizon_once_it_is_too_long() -> None:
    clock = Clock()
    clock.hear_touchpoint("shop", NOON, NOON)
    clock.hear_tick(NOON + SILENCE_MS + HOUR, "shop")
    assert (clock.horizon("shop"), clock.silence("shop")) == (NOON + HOUR, SILENCE_MS)


def test_a_touchpoint_that_breaks_the_silence_is_the_horizon_again() -> None:
    clock = Clock()
    clock.hear_touchpoint("shop", NOON, NOON)
    clock.hear_tick(NOON + 25 * HOUR, "shop")
    clock.hear_touchpoint("shop", NOON + HOUR, NOON + 2 * DAY)
    assert (clock.times["shop"], clock.horizon("shop")) == (NOON + 25 * HOUR, NOON + HOUR)
