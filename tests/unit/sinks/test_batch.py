"""What waits for a table, when it is due, and what an insert is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.batch import Batch, Row, due, halves, token_of


def row(value: bytes, offset: int = 0) -> Row:
    return Row(value, "sessions-0", offset, 0)


def batch_of(count: int, now: float = 100.0) -> Batch:
    batch = Batch()
    if count:
        batch.add("sessions", 0, [row(b"{}", at) for at in range(count)], now)
    return batch


def is_due(batch: Batch, now: float) -> bool:
    return due({"sessions": batch}, now, most_rows=3, longest_seconds=60) == ["sessions"]


def test_an_empty_batch_is_never_due() -> None:
    assert due({"sessions": Batch()}, 1e9, most_rows=0, longest_seconds=0) == []


@pytest.mark.parametrize(("count", "is_full"), [(2, False), (3, True), (4, True)])
def test_a_batch_is_due_by_its_size(count: int, is_full: bool) -> None:
    assert is_due(batch_of(count), 100.0) is is_full


@pytest.mark.parametrize(("now", "is_old"), [(159.9, False), (160.0, True)])
def test_a_batch_is_due_by_its_age(now: float, is_old: bool) -> None:
    assert is_due(batch_of(1, now=100.0), now) is is_old


def test_its_age_counts_from_the_first_rows_not_from_the_last() -> None:
    batch = batch_of(1, now=100.0)
    batch.add("sessions", 0, [row(b"{}", 1)], 150.0)
    assert is_due(batch, 160.0)


@pytest.mark.parametrize(
    ("after", "now", "is_time"),
    [
        (30.0, 105.9, False),  # a long silence before: it waits for its own kind, but not long
        (30.0, 106.0, True),
        (99.0, 158.9, False),  # one flush after the other: no more of them than before
        (99.0, 159.0, True),
        (130.0, 189.9, False),  # rows that came while the batch before was flushed
        (130.0, 190.0, True),
    ],
)
def test_after_a_silence_a_batch_waits_a_tenth(after: float, now: float, is_time: bool) -> None:
    batch = batch_of(1, now=100.0)
    batch.after = after
    assert is_due(batch, now) is is_time


def test_a_table_does_not_wait_because_another_was_written() -> None:
    written, fresh = batch_of(1, now=99.5), batch_of(1, now=99.5)
    written.after, fresh.after = 99.4, 30.0
    batches = {"touchpoints": written, "sessions": fresh, "links": Batch()}
    assert due(batches, 100.0, most_rows=3, longest_seconds=1) == ["sessions"]
    assert due(batches, 100.4, most_rows=3, longest_seconds=1) == ["touchpoints", "sessions"]


def test_their_size_counts_the_rows_of_all_tables() -> None:
    batches = {"sessions": batch_of(2), "touchpoints": batch_of(1), "links": Batch()}
    assert due(batches, 100.0, most_rows=3, longest_seconds=60) == ["sessions", "touchpoints"]
    assert due(batches, 100.0, most_rows=4, longest_seconds=60) == []


def test_rows_gather_in_order_and_positions_by_partition() -> None:
    batch = Batch()
    batch.add("sessions", 0, [row(b"a", 4), row(b"b", 7)], 1.0)
    batch.add("sessions", 1, [row(b"c", 0)], 1.0)
    batch.add("sessions", 0, [row(b"d", 8)], 1.0)
    assert [r.value for r in batch.rows] == [b"a", b"b", b"c", b"d"]
    assert batch.positions == {("sessions", 0): 9, ("sessions", 1): 1}


values = st.lists(st.binary(max_size=3).filter(lambda value: b"\n" not in value), max_size=4)


@given(values, values)
def test_the_same_rows_have_the_same_token_and_other_rows_another(
    some: list[bytes], others: list[bytes]
) -> None:
    tokens = [token_of("sessions", [row(value) for value in rows]) for rows in (some, others)]
    assert (tokens[0] == tokens[1]) is (some == others)


def test_where_a_row_stands_does_not_change_the_token() -> None:
    assert token_of("sessions", [row(b"{}", 1)]) == token_of("sessions", [row(b"{}", 2)])


def test_the_same_rows_for_another_table_have_another_token() -> None:
    assert token_of("sessions", [row(b"{}")]) != token_of("transitions", [row(b"{}")])


@given(st.lists(st.binary(max_size=3), min_size=2))
def test_halves_are_never_empty_and_make_the_whole(rows: list[bytes]) -> None:
    first, second = halves([row(value) for value in rows])
    assert first
    assert second
    assert [r.value for r in (*first, *second)] == rows
