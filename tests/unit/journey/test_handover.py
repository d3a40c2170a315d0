"""Evidence is a set: however its visitor's partition cut it before and after a crash."""

from typing import Any

from msgspec.structs import replace

from pipeline.journey.facts import Facts
from pipeline.journey.fold import KNOWN_ORDERS
from pipeline.journey.handover import everything, joined, receive
from pipeline.journey.memory import seal
from pipeline.journey.messages import Handover
from pipeline.journey.state import Cursor, PersonState, Stake, VisitorState, new_person, new_state
from tests.support.journeys import DAY, MINUTE, NOON, RULES, SITE, Life, new_facts, seen

YEAR = 365 * DAY


def visitor(*, is_sealed: bool) -> list[Handover]:
    """What a visitor who ordered twice tells its person, before or after its memory was sealed."""
    life = Life()
    life.see(*(seen(id_, at * MINUTE, "Order Completed") for at, id_ in enumerate("ab", 1)))
    state = life.state or new_state()
    assert isinstance(state, VisitorState)
    state.person, state.epoch = "user:7", 1
    if is_sealed:
        seal(state, NOON + YEAR, new_facts())
    return list(everything(state, SITE, "ada", NOON))


def orders(*handovers: Handover) -> int:
    state: PersonState = new_person()
    for handover in handovers:
        receive(state, handover, NOON, Facts(SITE, "user:7", 0, RULES, has_sessions=False))
    return state.head.orders


def test_orders_told_again_after_they_were_sealed_count_once() -> None:
    assert orders(*visitor(is_sealed=False), *visitor(is_sealed=True)) == 2


def test_orders_that_were_sealed_and_are_told_again_one_by_one_count_once() -> None:
    assert orders(*visitor(is_sealed=True), *visitor(is_sealed=False)) == 2


def test_who_left_and_comes_back_brings_its_sealed_orders_once() -> None:
    [first] = visitor(is_sealed=True)
    gone = replace(first, epoch=2, evidence=[], base=None, is_gone=True)
    [again] = visitor(is_sealed=True)
    assert orders(first, gone, replace(again, epoch=3)) == 2
    assert orders(first, gone) == 0


def history(last_at: int, **more: Any) -> Cursor:
    return Cursor(last_at=last_at, **more)


def lost(*ids: int) -> list[Stake]:
    return [Stake(kind="cart", step="", opened_id=str(id_), opened_at=id_) for id_ in ids]


def test_an_order_that_both_histories_know_counts_once() -> None:
    older = history(1, orders=3, order_ids=["a", "b", "c"])
    newer = history(2, orders=2, order_ids=["c", "d"])
    for one, other in ((older, newer), (newer, older)):
        both = joined(one, other)
        assert (both.orders, both.order_ids) == (4, ["a", "b", "c", "d"])


def test_of_the_orders_the_newest_are_known() -> None:
    names = [f"o-{number}" for number in range(2 * KNOWN_ORDERS)]
    older = history(1, orders=KNOWN_ORDERS, order_ids=names[:KNOWN_ORDERS])
    newer = history(2, orders=KNOWN_ORDERS, order_ids=names[KNOWN_ORDERS:])
    both = joined(older, newer)
    assert (both.orders, both.order_ids) == (2 * KNOWN_ORDERS, names[KNOWN_ORDERS:])


def test_an_order_told_again_stays_known_where_it_was_told_last() -> None:
    names = [f"o-{number}" for number in range(KNOWN_ORDERS)]
    both = joined(history(1, order_ids=[names[-1], "old"]), history(2, order_ids=names))
    assert both.order_ids == names


def test_of_equal_troubles_the_newer_one_is_known() -> None:
    older = history(1, troubles={"payment_failed": (1, "a"), "stock": (1, "b")})
    newer = history(2, troubles={"payment_failed": (2, "c")})
    assert joined(newer, older).troubles == {"payment_failed": (2, "c"), "stock": (1, "b")}


def test_of_what_was_lost_the_newest_is_kept() -> None:
    both = joined(history(1, lost=lost(*range(15))), history(2, lost=lost(*range(15, 30))))
    assert [stake.opened_at for stake in both.lost] == list(range(10, 30))
