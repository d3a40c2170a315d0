"""What does not move while there is something to read is stuck."""

from aiokafka import TopicPartition

from pipeline.kafka.watchdog import Progress

ONE, OTHER = TopicPartition("t", 0), TopicPartition("t", 1)


def test_who_has_read_everything_is_not_stuck_however_long() -> None:
    progress = Progress(10)
    for now in (0, 100, 200):
        assert progress.stuck({ONE: 7}, {ONE: 7}, now) == []


def test_who_moves_is_not_stuck_however_much_there_is() -> None:
    progress = Progress(10)
    for now in range(0, 200, 9):
        assert progress.stuck({ONE: now}, {ONE: 10_000}, now) == []


def test_who_does_not_move_is_stuck_after_its_patience() -> None:
    progress = Progress(10)
    assert progress.stuck({ONE: 5}, {ONE: 7}, 0) == []
    assert progress.stuck({ONE: 5}, {ONE: 8}, 10) == []
    assert progress.stuck({ONE: 5}, {ONE: 9}, 11) == [ONE]


def test_the_time_counts_from_when_there_was_something_to_read() -> None:
    progress = Progress(10)
    progress.stuck({ONE: 7}, {ONE: 7}, 0)
    progress.stuck({ONE: 7}, {ONE: 7}, 100)
    assert progress.stuck({ONE: 7}, {ONE: 8}, 105) == []
    assert progress.stuck({ONE: 7}, {ONE: 8}, 111) == [ONE]


def test_each_partition_counts_for_itself() -> None:
    progress = Progress(10)
    progress.stuck({ONE: 5, OTHER: 5}, {ONE: 7, OTHER: 7}, 0)
    assert progress.stuck({ONE: 6, OTHER: 5}, {ONE: 7, OTHER: 7}, 11) == [OTHER]


def test_who_has_never_committed_is_at_the_beginning() -> None:
    progress = Progress(10)
    assert progress.stuck({}, {ONE: 0, OTHER: 1}, 0) == []
    assert progress.stuck({}, {ONE: 0, OTHER: 1}, 11) == [OTHER]


def test_who_waits_for_somebody_else_is_not_stuck() -> None:
    progress = Progress(10)
    progress.stuck({ONE: 5}, {ONE: 7}, 0)
    progress.excuse(9)
    assert progress.stuck({ONE: 5}, {ONE: 7}, 19) == []
    assert progress.stuck({ONE: 5}, {ONE: 7}, 20) == [ONE]


def test_a_log_that_is_shorter_than_it_was_is_another_one() -> None:
    progress = Progress(10)
    assert progress.shorter({}, {ONE: 7, OTHER: 3}) == []
    assert progress.shorter({}, {ONE: 2, OTHER: 3}) == []
    assert progress.shorter({}, {ONE: 4, OTHER: 5}) == [ONE]


def test_so_is_one_that_is_shorter_than_what_was_read_of_it() -> None:
    progress = Progress(10)
    assert [progress.shorter({ONE: 9, OTHER: 5}, {ONE: 2, OTHER: 5}) for _ in "ab"] == [[], [ONE]]


def test_a_new_leader_that_knows_the_end_a_moment_later_is_not() -> None:
    progress = Progress(10)
    for end in (7, 6, 7, 6, 8):
        assert progress.shorter({ONE: 7}, {ONE: end}) == []
