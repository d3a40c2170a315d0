"""The memory of one partition, and how it comes back from the changelog."""

import pytest

from pipeline.journey.clock import Clock
from pipeline.journey.people import Node
from pipeline.journey.state import encode_state, new_state
from pipeline.kafka.in_memory import Fetched
from pipeline.tracker.anew import Anew
from pipeline.tracker.changelog import fresh_meta
from pipeline.tracker.partition import (
    FORMAT,
    META_KEY,
    NODE,
    PERSON,
    Erased,
    Partition,
    site_of,
)
from tests.support.journeys import HOUR, NOON


def state(offset: int, wake_at: int = NOON) -> bytes:
    made = new_state()
    made.offset, made.wake_at = offset, wake_at
    return encode_state(made)


def meta(offset: int, **times: int) -> bytes:
    partition = Partition(0)
    partition.offset, partition.clock = offset, Clock(times)
    return partition.meta()


def restored(*entries: tuple[bytes, bytes | None]) -> Partition:
    partition = Partition(0)
    for key, value in entries:
        partition.restore(key, value)
    return partition


def test_a_new_partition_has_applied_nothing() -> None:
    assert (Partition(3).number, Partition(3).offset, Partition(3).states) == (3, -1, {})


def test_a_new_partition_has_nothing_to_write_and_nothing_was_remembered_of_it() -> None:
    partition = Partition(3)
    assert (partition.is_ahead, partition.is_remembered) == (False, False)
    assert partition.format == FORMAT


def test_the_entry_that_begins_a_log_anew_is_restored() -> None:
    partition = restored((META_KEY, fresh_meta(5)))
    assert (partition.offset, partition.void_before) == (-1, 5)


def test_of_two_nodes_the_one_of_the_later_offset_stays_of_equal_ones_the_last() -> None:
    def kept(*offsets: int) -> int:
        nodes = [
            encode_state(Node(neighbours=[str(number)], offset=offset))
            for number, offset in enumerate(offsets)
        ]
        partition = restored(*((NODE + b"shop:user:7", node) for node in nodes))
        return int(partition.node(NODE + b"shop:user:7").neighbours[0])

    assert (kept(5, 4), kept(4, 5), kept(5, 5)) == (0, 1, 1)


def test_checkpoints_that_are_durable_are_not_made_again() -> None:
    partition = Partition(0)
    for position in (3, 5, 7):
        partition.position = position
        partition.begin_checkpoint()
    partition.note_durable(5)
    partition.note_durable(3)
    assert partition.is_remembered
    partition.position = 9
    partition.begin_checkpoint()
    assert partition.places == [7, 9]


@pytest.mark.parametrize(("place", "read"), [(2, 3), (3, 1), (4, 2), (5, 3), (6, 3)])
def test_records_are_taken_up_to_where_an_earlier_run_made_a_checkpoint(
    place: int, read: int
) -> None:
    partition = Partition(0)
    partition.places = [1, place, 9]
    records = [Fetched("", 0, offset, NOON, None, None) for offset in (3, 4, 5)]
    assert len(partition.stretch(records)) == read


def test_a_log_is_read_again_until_behind_the_last_place() -> None:
    partition = Partition(0)
    assert not partition.is_read_again
    partition.places = [3, 5]
    found = []
    for partition.position in (2, 3, 4, 5):
        found.append(partition.is_read_again)
    assert found == [True, True, True, False]


def test_what_is_known_of_a_key_is_known_up_to_an_offset() -> None:
    partition = restored((b"shop:ada", state(5)))
    partition.keep(NODE + b"shop:ada", Node(offset=7))
    keys = (b"shop:ada", NODE + b"shop:ada", b"shop:bob")
    assert [partition.offset_of(key) for key in keys] == [5, 7, -1]


def test_of_the_places_of_checkpoints_the_newest_are_kept() -> None:
    partition = Partition(0)
    for partition.position in range(200):
        partition.begin_checkpoint()
    assert partition.places == list(range(72, 200))


def test_the_partitions_own_entry_brings_back_offset_and_times() -> None:
    partition = restored((META_KEY, meta(7, shop=NOON)))
    assert (partition.offset, partition.times) == (7, {"shop": NOON})


def test_an_older_entry_of_the_partition_does_not_put_it_back() -> None:
    partition = restored((META_KEY, meta(7, shop=NOON)), (META_KEY, meta(3, shop=1)))
    assert (partition.offset, partition.times) == (7, {"shop": NOON})


def test_of_two_entries_of_the_partition_of_one_offset_the_last_counts() -> None:
    partition = restored((META_KEY, meta(7, shop=NOON)), (META_KEY, meta(7, shop=NOON + 1)))
    assert partition.times == {"shop": NOON + 1}


def test_after_a_tombstone_of_the_partitions_entry_the_memory_begins_anew() -> None:
    assert restored((META_KEY, meta(7)), (META_KEY, None)).offset == -1
    assert restored((META_KEY, meta(7)), (META_KEY, None), (META_KEY, meta(3))).offset == 3


def test_of_two_states_the_one_of_the_later_offset_stays() -> None:
    later, earlier = state(5), state(4)
    assert restored((b"shop:a", later), (b"shop:a", earlier)).states == {b"shop:a": later}
    assert restored((b"shop:a", earlier), (b"shop:a", later)).states == {b"shop:a": later}


def test_of_two_states_of_the_same_offset_the_one_written_last_stays() -> None:
    second = state(5, NOON + 1)
    assert restored((b"shop:a", state(5)), (b"shop:a", second)).states == {b"shop:a": second}


def test_a_tombstone_forgets_the_visitor() -> None:
    assert restored((b"shop:a", state(5)), (b"shop:a", None)).states == {}


def test_a_tombstone_of_somebody_unknown_is_no_error() -> None:
    assert restored((b"shop:a", None)).states == {}


def test_a_restored_visitor_wakes_at_its_time() -> None:
    partition = restored((b"shop:a", state(5, NOON)))
    partition.clock = Clock({"shop": NOON + 1})
    assert partition.due(10) == [(NOON, b"shop:a")]


def scheduled(*wakes: tuple[int, bytes], **times: int) -> Partition:
    partition = Partition(0)
    partition.clock = Clock(times)
    for wake_at, key in wakes:
        partition.schedule(key, wake_at)
    return partition


def test_who_is_due_comes_earliest_first() -> None:
    partition = scheduled((3, b"shop:c"), (1, b"shop:a"), (2, b"shop:b"), shop=NOON)
    assert partition.due(10) == [(1, b"shop:a"), (2, b"shop:b"), (3, b"shop:c")]


def test_who_is_due_is_taken_out() -> None:
    partition = scheduled((1, b"shop:a"), shop=NOON)
    partition.due(10)
    assert partition.due(10) == []


def test_at_the_very_time_nobody_is_due_yet() -> None:
    assert scheduled((NOON, b"shop:a"), shop=NOON).due(10) == []
    assert scheduled((NOON, b"shop:a"), shop=NOON + 1).due(10) == [(NOON, b"shop:a")]


def test_no_more_than_asked_for_are_taken_and_the_rest_stays_due() -> None:
    partition = scheduled(*((at, b"shop:%d" % at) for at in range(5)), shop=NOON)
    assert [at for at, _ in partition.due(3)] == [0, 1, 2]
    assert [at for at, _ in partition.due(3)] == [3, 4]


def test_the_limit_holds_for_all_sites_together() -> None:
    partition = scheduled((1, b"shop:a"), (1, b"store:a"), shop=NOON, store=NOON)
    assert len(partition.due(1)) == 1
    assert len(partition.due(1)) == 1


def test_each_site_has_a_time_of_its_own() -> None:
    partition = scheduled(
        (NOON, b"shop:a"), (NOON, b"store:a"), shop=NOON + HOUR, store=NOON - HOUR
    )
    assert partition.due(10) == [(NOON, b"shop:a")]


def test_who_is_told_anew_wakes_by_the_time_of_what_is_told_until_the_rebuild_ends() -> None:
    partition = Partition(0)
    partition.clock = Clock({"shop": NOON + HOUR})
    partition.rebuilds["shop"] = Anew(NOON, all_at=NOON, heard_at=NOON)
    partition.schedule(b"shop:a", NOON)
    assert partition.due(10) == []
    partition.end_rebuild("shop", 0)
    assert partition.due(10) == [(NOON, b"shop:a")]


def test_a_site_without_a_time_wakes_nobody() -> None:
    assert scheduled((NOON, b"shop:a")).due(10) == []


@pytest.mark.parametrize(
    ("key", "site"),
    [(b"shop:a", "shop"), (b"shop:user:7", "shop"), (b"shop", "shop"), (b"\xff:a", "\ufffd")],
)
def test_the_site_stands_before_the_first_colon_of_a_key(key: bytes, site: str) -> None:
    assert site_of(key) == site


@pytest.mark.parametrize(("stored", "weight"), [(100_000, 0), (0, 100_000), (50_000, 50_000)])
def test_a_part_of_a_checkpoint_ends_once_it_is_heavy(stored: int, weight: int) -> None:
    partition = Partition(0)
    for number in range(5):
        waiting = partition.waiting_of(b"shop:%d" % number, "shop", str(number))
        waiting.stored, waiting.weight = bytes(stored), weight
    assert partition.next_waiting(()) == [b"shop:0", b"shop:1", b"shop:2"]


def test_only_visitors_count_as_visitors() -> None:
    partition = restored(
        (b"shop:ada", state(1)),
        (b"shop:bob", state(1)),
        (b"shop:ada", state(2)),
        (PERSON + b"shop:user:7", state(1)),
    )
    partition.keep(NODE + b"shop:user:7", Node())
    partition.note_erased("shop", "eve", Erased(1))
    assert (partition.visitors, len(partition.states)) == (2, 5)
    partition.forget(b"shop:bob")
    partition.forget(b"shop:nobody")
    partition.forget(PERSON + b"shop:user:7")
    partition.restore(b"shop:ada", None)
    assert partition.visitors == 0
