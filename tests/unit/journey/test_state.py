"""What is remembered of a visitor, and how it is written down."""

import pytest

from pipeline.journey.state import (
    NOWHERE,
    Cursor,
    append,
    decode_state,
    encode_state,
    identifier,
    is_known,
    new_state,
    pack_cursor,
    read_schedule,
    recall,
    remember,
    unpack_cursor,
)
from tests.support.journeys import HOUR, NOON, Life, seen


def lived() -> Life:
    life = Life()
    life.see(
        seen("a", 0, "Product Added", value=9.99, items=3, currency="EUR"),
        seen("b", HOUR, "Order Completed", order_id="o-1", value=9.99),
        seen("c", 2 * HOUR, "Checkout Started", path="/pay"),
    )
    return life


def test_a_state_survives_its_bytes() -> None:
    state = lived().state
    assert decode_state(encode_state(state)) == state


def test_the_schedule_is_read_without_reading_the_state() -> None:
    state = lived().state
    state.wake_at = NOON + HOUR
    state.offset, state.sealed_to = 42, NOON
    schedule = read_schedule(encode_state(state))
    assert (schedule.offset, schedule.sealed_to, schedule.wake_at) == (42, NOON, NOON + HOUR)


def test_evidence_comes_back_as_it_was() -> None:
    state = new_state()
    evidence = [seen("a", is_page=True), seen("b", 1, value=0.1, path="/ü")]
    for one in evidence:
        append(state, one)
    assert recall(state) == evidence
    assert (state.oldest_at, state.newest) == (NOON, (NOON + 1, 0, "b", ""))


def test_remembering_nothing_leaves_no_times() -> None:
    state = new_state()
    append(state, seen("a"))
    remember(state, [])
    assert (recall(state), state.oldest_at, state.newest) == ([], 0, NOWHERE)


def test_the_empty_cursor_takes_no_room_and_comes_back() -> None:
    assert bytes(pack_cursor(Cursor())) == b"\xc0"
    assert unpack_cursor(pack_cursor(Cursor())) == Cursor()


def test_an_unpacked_cursor_is_a_copy_of_its_own() -> None:
    packed = pack_cursor(lived().state.head)
    first, second = unpack_cursor(packed), unpack_cursor(packed)
    first.journeys.clear()
    assert second == lived().state.head


def test_a_touchpoint_is_known_by_its_id() -> None:
    state = encode_state(lived().state)
    assert [is_known(state, id_) for id_ in ("a", "b", "c", "d")] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("other", ["o-1", "/pay", "Order Completed", "EUR"])
def test_other_fields_that_hold_the_same_text_do_not_make_it_known(other: str) -> None:
    assert not is_known(encode_state(lived().state), other)


def test_the_same_parts_make_the_same_identifier_everywhere() -> None:
    assert identifier("shop", "ada", "t-1") == "39f75ae224e9fd54a48a440238138496"


def test_parts_are_kept_apart() -> None:
    assert identifier("ab", "c") != identifier("a", "bc")
