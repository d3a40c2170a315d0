"""A memory that is not that of the log is refused, with a sentence that names the command."""

import msgspec
import pytest

from pipeline.journey.clock import Clock
from pipeline.tracker.changelog import StateRefused, doubt, fresh_meta, restore
from pipeline.tracker.partition import FORMAT, META_KEY, Meta, Partition
from tests.support.journeys import NOON
from tests.support.tracker import log_of, run, touchpoint


def remembering(touchpoints: int) -> Partition:
    lived, restored = Partition(0), Partition(0)
    output = run(log_of(*(touchpoint(f"t{n}", NOON) for n in range(touchpoints))), partition=lived)
    for key, value, _ in output.state:
        restored.restore(key or b"", value)
    return restored


def test_the_memory_of_this_log_is_trusted() -> None:
    assert doubt(remembering(3), end=3, read_to=3) == ""
    assert doubt(remembering(3), end=900, read_to=0) == ""


def test_a_log_never_read_needs_no_memory() -> None:
    assert doubt(Partition(0), end=900, read_to=0) == ""


def test_a_memory_newer_than_the_log_is_of_another_log() -> None:
    assert "it is another log" in doubt(remembering(3), end=2, read_to=0)


def test_a_log_that_was_read_and_is_not_remembered_is_not_read_on() -> None:
    why = doubt(Partition(0), end=900, read_to=500)
    assert "memory of it is gone" in why
    assert "touchstream state rebuild" in why


def test_what_was_begun_here_and_given_up_and_comes_back_is_remembered() -> None:
    partition = Partition(0)
    run(log_of(touchpoint("t0", NOON)), partition=partition)
    assert "memory of it is gone" in doubt(partition, end=1, read_to=1)
    partition.note_durable(0)
    assert doubt(partition, end=1, read_to=1) == ""


def test_a_log_that_is_to_be_read_again_is_read() -> None:
    partition = Partition(0)
    partition.restore(META_KEY, fresh_meta(900))
    assert doubt(partition, end=900, read_to=100) == ""


@pytest.mark.parametrize("format_", [0, FORMAT + 1])
def test_a_memory_of_another_version_is_refused(format_: int) -> None:
    partition = Partition(0)
    meta = Meta(3, Clock(), format=format_)
    partition.restore(META_KEY, msgspec.msgpack.encode(meta))
    assert "another version of Touchstream" in doubt(partition, end=900, read_to=4)


def test_a_memory_that_cannot_even_be_read_is_refused_too() -> None:
    with pytest.raises(StateRefused, match="another version of Touchstream"):
        restore(Partition(0), b"shop:ada", msgspec.msgpack.encode({"evidence": []}))


def test_a_deleted_entry_of_the_partition_is_an_empty_memory() -> None:
    partition = Partition(0)
    partition.restore(META_KEY, None)
    assert doubt(partition, end=900, read_to=0) == ""
    assert "the newest part of it is gone" in doubt(partition, end=900, read_to=4)


def test_a_memory_older_than_what_was_read_is_refused() -> None:
    assert doubt(remembering(3), end=9, read_to=3) == ""
    why = doubt(remembering(3), end=9, read_to=4)
    assert "read up to 4, and the tracker's memory knows it up to 3 only" in why


def test_a_log_that_was_to_be_read_again_and_was_read_on_since_needs_its_memory() -> None:
    partition = Partition(0)
    partition.restore(META_KEY, fresh_meta(100))
    assert "the newest part of it is gone" in doubt(partition, end=900, read_to=500)


def test_a_memory_that_was_cut_at_its_front_is_refused() -> None:
    why = doubt(remembering(3), end=9, read_to=3, begins=5)
    assert "the oldest part of the tracker's memory is gone" in why
    assert "begins at 5 instead of 0" in why
    assert "touchstream state rebuild" in why


def test_a_memory_that_was_made_anew_begins_where_it_was_cut() -> None:
    partition = Partition(0)
    partition.restore(META_KEY, fresh_meta(9, begins=5))
    assert doubt(partition, end=9, read_to=0, begins=5) == ""
    partition.restore(META_KEY, partition.meta())
    assert doubt(partition, end=9, read_to=0, begins=5) == ""
    assert "begins at 6 instead of 5" in doubt(partition, end=9, read_to=0, begins=6)
