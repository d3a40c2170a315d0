"""A memory that is not that of the log is refused, with a sentence that names the command."""

from pipeline.tracker.changelog import doubt
from pipeline.tracker.partition import META_KEY, Partition, fresh_meta
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
    assert "touchstream replay topic touchpoints.raw" in why


def test_a_log_that_is_to_be_read_again_is_read() -> None:
    partition = Partition(0)
    partition.restore(META_KEY, fresh_meta(900))
    assert doubt(partition, end=900, read_to=100) == ""
