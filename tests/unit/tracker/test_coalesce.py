"""Records of a partition become one event per chunk."""

from dataclasses import dataclass

from faust.types import TP

from pipeline.tracker.faust_chunks import CHUNK, Coalesce

ONE, TWO = TP("touchpoints.raw", 1), TP("touchpoints.raw", 2)


@dataclass(frozen=True)
class Fetched:
    offset: int
    value: object = b"{}"


def fetched(count: int) -> list[Fetched]:
    return [Fetched(offset) for offset in range(count)]


def chunks(**records: list[Fetched]) -> list[tuple[TP, Fetched]]:
    by_name = {"one": ONE, "two": TWO}
    # The stubs of faust forget that it needs no arguments.
    scheduler = Coalesce()  # type: ignore[abstract]
    return list(scheduler.iterate({by_name[name]: found for name, found in records.items()}))


def test_a_chunk_is_the_list_of_its_records_and_stands_at_the_last_ones_offset() -> None:
    ((tp, event),) = chunks(one=fetched(3))
    assert (tp, event.offset, event.value) == (ONE, 2, fetched(3))


def test_a_single_record_is_a_chunk_of_one() -> None:
    ((_, event),) = chunks(one=fetched(1))
    assert event.value == fetched(1)


def test_no_records_make_no_chunk() -> None:
    assert chunks(one=[]) == []


def test_many_records_are_cut_and_none_is_lost_or_moved() -> None:
    found = [event for _, event in chunks(one=fetched(2 * CHUNK + 1))]
    assert [event.offset for event in found] == [CHUNK - 1, 2 * CHUNK - 1, 2 * CHUNK]
    joined = [record for event in found for record in event.value]  # type: ignore[attr-defined]
    assert joined == fetched(2 * CHUNK + 1)


def test_partitions_take_turns_and_do_not_mix() -> None:
    found = chunks(one=fetched(2 * CHUNK), two=fetched(2 * CHUNK))
    assert [tp for tp, _ in found] == [ONE, TWO, ONE, TWO]
