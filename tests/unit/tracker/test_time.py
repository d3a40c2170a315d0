"""Ticks, clocks, and forgetting: what silence does to the visitors of a partition."""

from datetime import timedelta

import pytest

from pipeline.journey.clock import SILENCE_MS
from pipeline.journey.state import identifier
from pipeline.tracker.output import Output
from pipeline.tracker.partition import META_KEY, Partition
from schemas.facts import Abandonment, Session
from schemas.times import milliseconds
from schemas.topics import ABANDONMENTS, SESSIONS
from tests.support.journeys import DAY, HOUR, MINUTE, NOON
from tests.support.tracker import Log, instant, log_of, run, tick, touchpoint, written

TIMEOUT = 30 * MINUTE
ADA = b"shop:ada"


def sessions(log: Log, partition: Partition) -> list[Session]:
    return written(run(log, partition=partition), SESSIONS.name)


def abandonments(log: Log) -> list[Abandonment]:
    return carts_in(run(log))


def carts_in(output: Output) -> list[Abandonment]:
    return [found for found in written(output, ABANDONMENTS.name) if found.kind == "cart"]


# --- ticks and clocks ---------------------------------------------------------------------------


def cart_of(visitor: str, site: str = "shop", at: int = NOON) -> bytes:
    return touchpoint(
        f"cart-{visitor}-{site}", at, name="Product Added", anonymous_id=visitor, site=site
    )


def test_a_tick_lets_silence_speak_for_visitors_of_all_sites() -> None:
    log = log_of(
        cart_of("ada"), cart_of("bob"), cart_of("ada", "store"), tick(NOON + TIMEOUT + 1), key=None
    )
    left = [(found.visitor_id, found.site) for found in abandonments(log)]
    assert left == [("ada", "shop"), ("bob", "shop"), ("ada", "store")]


def test_a_tick_at_the_very_deadline_judges_nobody() -> None:
    assert abandonments(log_of(cart_of("ada"), tick(NOON + TIMEOUT))) == []


def test_a_tick_for_one_site_judges_that_site_alone() -> None:
    log = log_of(cart_of("ada"), cart_of("bob", "store"), tick(NOON + HOUR, "store"), key=None)
    assert [(found.visitor_id, found.site) for found in abandonments(log)] == [("bob", "store")]


def test_a_tick_for_all_a_day_ahead_of_a_site_does_not_move_it() -> None:
    partition = Partition(0)
    log = log_of(cart_of("ada"), tick(NOON + DAY))
    assert written(run(log, partition=partition), ABANDONMENTS.name) == []
    assert partition.times == {"shop": NOON}


def test_a_tick_for_one_site_moves_it_however_far() -> None:
    assert len(abandonments(log_of(cart_of("ada"), tick(NOON + 400 * DAY, "shop")))) == 1


def test_a_clock_in_the_year_2100_does_not_move_time() -> None:
    partition = Partition(0)
    year_2100 = NOON + 74 * 365 * DAY
    log = log_of(cart_of("ada"), touchpoint("x", year_2100, anonymous_id="bob"), key=None)
    output = run(log, partition=partition)
    assert output.fates == {"sessionised": 1, "dead_letter": 1}
    assert (output.rows.get("abandonments"), partition.times) == (None, {"shop": NOON})


def test_a_clock_some_hours_ahead_is_believed_for_its_visitor_and_does_not_move_time() -> None:
    partition = Partition(0)
    ahead = touchpoint("x", NOON + 20 * HOUR, anonymous_id="bob")
    output = run(log_of(cart_of("ada"), ahead, key=None), partition=partition)
    assert output.fates == {"sessionised": 2}
    assert (output.rows.get("abandonments"), partition.times) == (None, {"shop": NOON})


def test_a_visitor_is_judged_in_a_later_chunk_by_a_tick_alone() -> None:
    partition, log = Partition(0), log_of(cart_of("ada"))
    run(log, partition=partition)
    log.add(tick(NOON + TIMEOUT + 1))
    log.records = log.records[1:]
    output = run(log, partition=partition)
    (found,) = written(output, ABANDONMENTS.name)
    assert (found.visitor_id, found.version) == ("ada", 1)
    assert [key for key, _, _ in output.state] == [ADA, META_KEY]


def test_a_tick_that_wakes_nobody_writes_only_the_partitions_own_entry() -> None:
    output = run(log_of(tick(NOON)))
    assert (output.rows, [key for key, _, _ in output.state]) == ({}, [META_KEY])


# --- forgetting ---------------------------------------------------------------------------------


def after(partition: Partition, value: bytes) -> Output:
    """What a chunk of one more record comes to."""
    log = Log()
    log.add(value, NOON, ADA)
    log.records[0].offset = partition.offset + 1
    return run(log, partition=partition)


def test_after_journey_timeout_lateness_and_silence_a_visitor_is_forgotten() -> None:
    partition = Partition(0)
    after(partition, touchpoint("a", NOON))
    after(partition, tick(NOON + 31 * DAY + SILENCE_MS, "shop"))
    assert list(partition.states) == [ADA]
    output = after(partition, tick(NOON + 31 * DAY + SILENCE_MS + 1, "shop"))
    assert partition.states == {}
    assert [(key, value is None) for key, value, _ in output.state] == [
        (ADA, True),
        (META_KEY, False),
    ]


def test_a_forgotten_visitor_who_comes_back_begins_anew() -> None:
    partition = Partition(0)
    after(partition, touchpoint("a", NOON, user_id="7"))
    after(partition, tick(NOON + 32 * DAY + SILENCE_MS, "shop"))
    log = Log()
    log.add(touchpoint("b", NOON + 32 * DAY), NOON + 32 * DAY, ADA)
    log.records[0].offset = 2
    (session,) = sessions(log, partition)
    assert (session.first_touchpoint_id, session.touchpoints) == ("b", 1)
    assert session.person_id == identifier("shop", "person", "ada")


def test_history_that_flies_by_in_one_chunk_is_judged_before_it_is_forgotten() -> None:
    partition = Partition(0)
    year = Log()
    for number, visitor in enumerate(("ada", "bob")):
        at = NOON + number * 365 * DAY
        year.say(touchpoint(visitor, at, anonymous_id=visitor, name="Product Added"), at)
    assert written(run(year, partition=partition), ABANDONMENTS.name) == []
    assert len(partition.states) == 2
    (left,) = carts_in(after(partition, tick(NOON + 365 * DAY, "shop")))
    assert left.visitor_id == "ada"
    assert list(partition.states) == [b"shop:bob"]


def test_a_cart_is_judged_though_the_visitor_woke_before_its_deadline_in_the_same_chunk() -> None:
    partition = Partition(0)
    after(partition, touchpoint("look", NOON))
    after(partition, touchpoint("add", NOON + DAY - MINUTE, name="Product Added"))
    at_once = Log()
    at_once.add(tick(NOON + DAY + MINUTE, "shop"))
    at_once.say(touchpoint("x", NOON + 90 * DAY, anonymous_id="bob"), NOON + 90 * DAY)
    for number, record in enumerate(at_once.records, 2):
        record.offset = number
    (left,) = carts_in(run(at_once, partition=partition))
    assert left.visitor_id == "ada"


def test_a_touchpoint_that_comes_too_late_leaves_no_memory_of_its_visitor() -> None:
    partition = Partition(0)
    after(partition, touchpoint("a", NOON))
    after(partition, touchpoint("b", NOON - 2 * DAY, anonymous_id="bob"))
    after(partition, tick(NOON + HOUR))
    assert list(partition.states) == [ADA]


# --- times --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instant_", "expected"),
    [("1970-01-01T00:00:00.0019Z", 1), ("2026-01-01T11:59:59.999999Z", NOON - 1)],
)
def test_fractions_of_a_millisecond_are_cut_off(instant_: str, expected: int) -> None:
    partition = Partition(0)
    run(log_of(touchpoint("a", NOON, occurred_at=instant_)), partition=partition)
    assert partition.times == {"shop": expected}


@pytest.mark.parametrize(
    ("before", "expected"), [(timedelta(milliseconds=1), -1), (timedelta(microseconds=1), -1)]
)
def test_times_before_1970_are_negative(before: timedelta, expected: int) -> None:
    assert milliseconds(instant(0) - before) == expected
