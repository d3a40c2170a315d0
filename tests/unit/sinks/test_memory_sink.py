"""The in-memory sink keeps the contract of `sinks.sink.Sink`."""

import pytest

from sinks.memory import MemorySink
from sinks.sink import RowsRefused, SinkUnavailable


async def test_rows_are_kept_by_table_in_order() -> None:
    sink = MemorySink()
    await sink.write("sessions", [b"a", b"b"], "1")
    await sink.write("touchpoints", [b"c"], "2")
    await sink.write("sessions", [b"d"], "3")
    assert dict(sink.tables) == {"sessions": [b"a", b"b", b"d"], "touchpoints": [b"c"]}


async def test_the_same_token_inserts_once() -> None:
    sink = MemorySink()
    for _ in range(2):
        await sink.write("sessions", [b"a"], "1")
    assert sink.tables["sessions"] == [b"a"]


async def test_one_poisoned_row_refuses_the_whole_insert() -> None:
    sink = MemorySink(poison=b"bad")
    with pytest.raises(RowsRefused):
        await sink.write("sessions", [b"good", b"a bad one"], "1")
    assert dict(sink.tables) == {}


async def test_what_was_refused_may_be_written_later_under_the_same_token() -> None:
    sink = MemorySink(poison=b"a")
    with pytest.raises(RowsRefused):
        await sink.write("sessions", [b"a"], "1")
    sink.poison = None
    await sink.write("sessions", [b"a"], "1")
    assert sink.tables["sessions"] == [b"a"]


async def test_a_sink_that_is_down_writes_nothing() -> None:
    sink = MemorySink(is_down=True)
    with pytest.raises(SinkUnavailable):
        await sink.write("sessions", [b"a"], "1")
    assert (dict(sink.tables), sink.tokens) == ({}, set())
