"""The way of a chunk through the tracker: what it writes, refuses and remembers."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.journey.state import identifier
from pipeline.records import partition_for
from pipeline.tracker.partition import META_KEY, Partition
from pipeline.tracker.steps import STEPS, Output, milliseconds, process
from schemas.dead_letter import DeadLetter
from schemas.facts import Abandonment, Session
from schemas.topics import ABANDONMENTS, DEAD_LETTERS, SESSIONS, TOUCHPOINTS
from tests.support.journeys import DAY, HOUR, MINUTE, NOON, RULES
from tests.support.tracker import Log, instant, run, tick, touchpoint, written

TIMEOUT = 30 * MINUTE
ADA = b"shop:ada"


def log_of(*values: bytes | None, key: bytes | None = ADA) -> Log:
    log = Log()
    for value in values:
        log.add(value, NOON, key)
    return log


def refusal(value: bytes | None, key: bytes | None = ADA) -> DeadLetter:
    (letter,) = written(run(log_of(value, key=key)), DEAD_LETTERS.name)
    assert isinstance(letter, DeadLetter)
    return letter


def sessions(log: Log, partition: Partition | None = None) -> list[Session]:
    return written(run(log, partition=partition), SESSIONS.name)


def abandonments(log: Log) -> list[Abandonment]:
    return written(run(log), ABANDONMENTS.name)


# --- what is written ----------------------------------------------------------------------------


def test_the_steps_are_named_in_their_order() -> None:
    names: list[str] = []

    def note(name: str, step: Any) -> None:
        names.append(name)
        step()

    process(Partition(0), log_of(touchpoint("a", NOON)).records, RULES, 1, note)
    assert names == [name for name, _ in STEPS] == ["decode", "enrich", "fold", "remember", "write"]


def test_a_touchpoint_becomes_a_row_a_session_a_state_and_the_partitions_own_entry() -> None:
    output = run(log_of(touchpoint("a", NOON)))
    assert {topic: [row[0] for row in rows] for topic, rows in output.rows.items()} == {
        "sessions": [ADA],
        "transitions": [ADA],
        "touchpoints": [ADA],
    }
    assert [key for key, _, _ in output.state] == [ADA, META_KEY]
    assert output.fates == {"sessionised": 1}


def test_everything_carries_the_timestamp_of_its_record() -> None:
    log = Log()
    log.say(touchpoint("a", NOON), NOON + 5)
    output = run(log)
    rows = [row for batch in output.rows.values() for row in batch]
    assert {at for _, _, at in rows + output.state} == {NOON + 5}


def test_a_row_says_where_its_record_stands() -> None:
    log = log_of(b"{", touchpoint("a", NOON))
    (row,) = written(run(log, partition=Partition(3), partitions=4), TOUCHPOINTS.name)
    assert (row.kafka_partition, row.kafka_offset) == (3, 1)


def test_facts_have_the_offset_of_the_newest_record_behind_them_as_version() -> None:
    log = log_of(b"{", touchpoint("a", NOON), touchpoint("b", NOON + 1), b"{")
    (session,) = sessions(log)
    assert (session.touchpoints, session.version) == (2, 2)


def test_a_visitor_who_comes_several_times_in_a_chunk_is_written_once() -> None:
    output = run(log_of(*(touchpoint(f"t{number}", NOON + number) for number in range(5))))
    assert len(output.rows["sessions"]) == 1
    assert [key for key, _, _ in output.state] == [ADA, META_KEY]


def test_a_touchpoint_seen_before_is_counted_and_not_written_again() -> None:
    output = run(log_of(touchpoint("a", NOON), touchpoint("a", NOON)))
    assert output.fates == {"sessionised": 1, "duplicate": 1}
    assert len(output.rows["touchpoints"]) == 1


def test_a_touchpoint_seen_in_an_earlier_chunk_is_not_written_again() -> None:
    partition = Partition(0)
    log = log_of(touchpoint("a", NOON))
    run(log, partition=partition)
    log.add(touchpoint("a", NOON), NOON, ADA)
    log.records = log.records[1:]
    output = run(log, partition=partition)
    assert (output.fates, output.rows) == ({"duplicate": 1}, {})


def test_a_touchpoint_as_old_as_the_allowed_lateness_is_sessionised() -> None:
    output = run(log_of(touchpoint("a", NOON), touchpoint("b", NOON - DAY)))
    assert output.fates == {"sessionised": 2}


def test_an_older_one_is_kept_as_late_and_changes_no_session() -> None:
    output = run(log_of(touchpoint("a", NOON), touchpoint("b", NOON - DAY - 1)))
    assert output.fates == {"sessionised": 1, "late": 1}
    assert [row.is_late for row in written(output, TOUCHPOINTS.name)] == [False, True]
    assert [s.first_touchpoint_id for s in written(output, SESSIONS.name)] == ["a"]


def test_what_is_late_for_one_site_is_not_for_another() -> None:
    output = run(
        log_of(touchpoint("a", NOON), touchpoint("b", NOON - 2 * DAY, site="store"), key=None)
    )
    assert output.fates == {"sessionised": 2}


def test_records_up_to_the_partitions_offset_are_skipped() -> None:
    partition, log = Partition(0), log_of(touchpoint("a", NOON), touchpoint("b", NOON))
    run(log, partition=partition)
    output = run(log, partition=partition)
    assert (output.fates, output.rows) == ({"replayed": 2}, {})
    assert (output.offset, partition.offset) == (1, 1)


def test_reading_old_records_again_does_not_put_the_partition_back() -> None:
    partition, log = Partition(0), log_of(*(touchpoint(f"t{n}", NOON) for n in range(3)))
    run(log, partition=partition)
    log.records = log.records[:1]
    run(log, partition=partition)
    assert partition.offset == 2


# --- several lines ------------------------------------------------------------------------------


def test_every_line_of_a_value_is_a_touchpoint() -> None:
    lines = [touchpoint("a", NOON), touchpoint("b", NOON, anonymous_id="bob")]
    output = run(log_of(b"\n".join(lines), key=None))
    assert output.fates == {"sessionised": 2}
    assert [row.kafka_offset for row in written(output, TOUCHPOINTS.name)] == [0, 0]


def test_empty_lines_and_windows_line_ends_mean_nothing() -> None:
    value = b"\n" + touchpoint("a", NOON) + b"\r\n\n" + touchpoint("b", NOON) + b"\n"
    assert run(log_of(value, key=None)).fates == {"sessionised": 2}


def test_a_bad_line_is_refused_alone() -> None:
    lines = [touchpoint("a", NOON), b'{"oops":1}', touchpoint("b", NOON)]
    output = run(log_of(b"\n".join(lines)))
    assert output.fates == {"sessionised": 2, "dead_letter": 1}
    assert [letter.payload for letter in written(output, DEAD_LETTERS.name)] == ['{"oops":1}']


def test_a_tick_may_stand_between_touchpoints() -> None:
    cart = touchpoint("a", NOON, name="Product Added")
    value = b"\n".join((cart, tick(NOON + TIMEOUT + 1), touchpoint("b", NOON + HOUR)))
    assert run(log_of(value)).fates == {"sessionised": 2, "tick": 1}


# --- dead letters -------------------------------------------------------------------------------


def test_a_dead_letter_has_its_bytes_its_coordinates_and_its_reason() -> None:
    log = log_of(touchpoint("a", NOON))
    log.add(b'{"site": 1}', NOON + 7, b"shop:bob")
    output = run(log, partition=Partition(3), partitions=4)
    (letter,) = written(output, DEAD_LETTERS.name)
    assert (letter.source, letter.position, letter.at) == (
        "touchpoints.raw-3",
        1,
        instant(NOON + 7),
    )
    assert (letter.stage, letter.site, letter.raw()) == ("track", "shop", b'{"site": 1}')
    assert letter.reason == "invalid_field"
    assert output.reasons == {"invalid_field": 1}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "not_json"),
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 100_000, "not_an_object"),
        (b"[]", "not_an_object"),
        (touchpoint("a", NOON, anonymous_id=""), "no_visitor_id"),
        (touchpoint("a", NOON, type="hit"), "unknown_type"),
        (touchpoint("a", NOON, channel="tv"), "unknown_channel"),
        (b'{"site":"shop"}', "missing_field"),
        (touchpoint("", NOON), "invalid_field"),
        (touchpoint("a", NOON, properties=[]), "invalid_field"),
        (touchpoint("a", NOON, received_at="noon"), "invalid_time"),
        (touchpoint("a", NOON, occurred_at="2026-01-01T12:00:00"), "invalid_time"),
        (touchpoint("a", NOON + DAY + 1), "time_out_of_range"),
        (touchpoint("a", 0), "time_out_of_range"),
        (touchpoint("a", -1), "time_out_of_range"),
        (touchpoint("a", -999), "time_out_of_range"),
        (b'{"tick":"noon"}', "invalid_field"),
        (b'{"tick":"2026-01-01T12:00:00Z","site":"\xff"}', "invalid_field"),
        (b'{"tick":"2026-01-01T12:00:00Z","more":' + b"[" * 100_000, "invalid_field"),
    ],
)
def test_each_kind_of_invalid_value_is_refused_for_its_reason(
    value: bytes | None, reason: str
) -> None:
    letter = refusal(value)
    assert (letter.reason, letter.raw()) == (reason, value or b"")


@pytest.mark.parametrize("name", ["Product Added", "Page Viewed"])
def test_properties_that_are_not_text_are_refused(name: str) -> None:
    value = touchpoint("a", NOON, name=name, properties={"currency": "?"})
    assert refusal(value.replace(b"?", b"\xff")).reason == "not_json"


@pytest.mark.parametrize("at", [1, NOON + DAY])
def test_times_from_1970_to_a_day_ahead_of_the_log_are_accepted(at: int) -> None:
    assert run(log_of(touchpoint("a", at))).fates == {"sessionised": 1}


def test_a_record_without_a_key_has_no_site_in_its_dead_letter() -> None:
    assert refusal(b"{", key=None).site == ""


@pytest.mark.parametrize("key", [b"\xff\xfe", b"", b":", b"no colon", b"shop:\xff"])
def test_a_key_that_is_no_text_of_ours_stops_nothing(key: bytes) -> None:
    assert refusal(b"{", key=key).reason == "not_json"
    assert run(log_of(touchpoint("a", NOON), key=key)).fates == {"sessionised": 1}


def partition_of(key: bytes) -> int:
    return partition_for(key, 4)


def test_a_visitor_in_the_wrong_partition_is_refused() -> None:
    wrong = (partition_of(ADA) + 1) % 4
    output = run(log_of(touchpoint("a", NOON), key=None), partition=Partition(wrong), partitions=4)
    (letter,) = written(output, DEAD_LETTERS.name)
    assert (letter.reason, letter.source) == ("wrong_partition", f"touchpoints.raw-{wrong}")


def test_a_visitor_at_home_needs_no_key() -> None:
    home = Partition(partition_of(ADA))
    output = run(log_of(touchpoint("a", NOON), key=None), partition=home, partitions=4)
    assert output.fates == {"sessionised": 1}


def test_a_record_keyed_by_its_visitor_is_accepted_wherever_its_producer_puts_it() -> None:
    elsewhere = Partition((partition_of(ADA) + 1) % 4)
    output = run(log_of(touchpoint("a", NOON), key=ADA), partition=elsewhere, partitions=4)
    assert output.fates == {"sessionised": 1}


# --- time ---------------------------------------------------------------------------------------


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


def test_after_journey_timeout_and_allowed_lateness_a_visitor_is_forgotten() -> None:
    partition = Partition(0)
    after(partition, touchpoint("a", NOON))
    after(partition, tick(NOON + 31 * DAY, "shop"))
    assert list(partition.states) == [ADA]
    output = after(partition, tick(NOON + 31 * DAY + 1, "shop"))
    assert partition.states == {}
    assert [(key, value is None) for key, value, _ in output.state] == [
        (ADA, True),
        (META_KEY, False),
    ]


def test_a_forgotten_visitor_who_comes_back_begins_anew() -> None:
    partition = Partition(0)
    after(partition, touchpoint("a", NOON, user_id="7"))
    after(partition, tick(NOON + 32 * DAY, "shop"))
    log = Log()
    log.add(touchpoint("b", NOON + 32 * DAY), NOON + 32 * DAY, ADA)
    log.records[0].offset = 2
    (session,) = sessions(log, partition)
    assert (session.first_touchpoint_id, session.touchpoints) == ("b", 1)
    assert session.person_id == identifier("shop", "visitor", "ada")


def test_history_that_flies_by_in_one_chunk_is_judged_before_it_is_forgotten() -> None:
    partition = Partition(0)
    year = Log()
    for number, visitor in enumerate(("ada", "bob")):
        at = NOON + number * 365 * DAY
        year.say(touchpoint(visitor, at, anonymous_id=visitor, name="Product Added"), at)
    assert written(run(year, partition=partition), ABANDONMENTS.name) == []
    assert len(partition.states) == 2
    (left,) = written(after(partition, tick(NOON + 365 * DAY, "shop")), ABANDONMENTS.name)
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
    run(at_once, partition=partition)
    (left,) = written(after(partition, tick(NOON + 90 * DAY, "shop")), ABANDONMENTS.name)
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


# --- anything at all ----------------------------------------------------------------------------

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
names = st.sampled_from(("Page Viewed", "Product Added", "Product Removed", "Order Completed"))
odd_numbers = st.sampled_from(("1e400", "-1e999", "9" * 400, "9" * 5000, "NaN", "0.1e-400"))
commerce = st.dictionaries(
    st.sampled_from(("price", "quantity", "revenue", "total", "value", "order_id", "currency")),
    anything | st.just("@"),
)


@st.composite
def almost_touchpoints(draw: st.DrawFn) -> bytes:
    """Touchpoints with some fields replaced by anything, and numbers that no float holds."""
    wrong = draw(
        st.dictionaries(
            st.sampled_from(("site", "url", "referrer", "user_agent", "user_id", "sent_at", "ip")),
            anything,
            max_size=2,
        )
    )
    fields = json.loads(touchpoint("t", NOON, name=draw(names), properties=draw(commerce)))
    text = json.dumps(fields | wrong).replace('"@"', draw(odd_numbers))
    value = bytearray(text.encode())
    for _ in range(draw(st.integers(0, 2))):
        value[draw(st.integers(0, len(value) - 1))] = draw(st.integers(0, 255))
    return bytes(value)


values = st.binary(max_size=40) | almost_touchpoints() | almost_touchpoints()
keys = st.none() | st.just(ADA) | st.binary(max_size=9)


@given(st.lists(st.tuples(values, keys), min_size=1, max_size=5))
@example([(b'{"tick":"0001-01-01T00:00:00+14:00"}', None)])
@example([(touchpoint("a", NOON, occurred_at="0001-01-01T00:00:00+14:00"), ADA)])
def test_no_record_stops_the_tracker_and_every_line_has_a_fate(
    records: list[tuple[bytes, bytes | None]],
) -> None:
    log = Log()
    lines = 0
    for value, key in records:
        log.add(value, NOON, key)
        lines += len([line for line in value.splitlines() if line]) if b"\n" in value else 1
    assert run(log).fates.total() == lines
