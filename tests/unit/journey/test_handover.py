"""Evidence is a set: however its visitor's partition cut it before and after a crash."""

from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.journey import sessions
from pipeline.journey.facts import Facts
from pipeline.journey.fold import KNOWN_ORDERS
from pipeline.journey.handover import everything, expel, joined, receive
from pipeline.journey.memory import observe, seal, settle
from pipeline.journey.messages import Handover
from pipeline.journey.state import (
    Cart,
    Cursor,
    Member,
    PersonState,
    Stake,
    VisitorState,
    new_person,
    new_state,
    pack_cursor,
    recall,
    unpack_cursor,
)
from schemas.facts import Abandonment, Fact
from tests.support.journeys import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    RULES,
    SITE,
    Life,
    new_facts,
    only,
    seen,
)

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


def test_a_cart_that_was_lost_before_it_was_sealed_is_handed_over_as_lost() -> None:
    state = new_state()
    observe(state, [seen("cart", 0, "Product Added")], NOON, new_facts())
    settle(state, NOON + DAY, new_facts())
    seal(state, NOON + YEAR, new_facts())
    [told] = everything(state, SITE, "ada", NOON + YEAR)
    assert told.base is not None
    assert ("cart" in told.base.open, [lost.kind for lost in told.base.lost]) == (False, ["cart"])
    assert list(told.base.sessions) == ["ada"]


def test_of_what_is_told_again_only_what_is_new_is_added() -> None:
    [first] = visitor(is_sealed=False)
    more = replace(first, evidence=[*first.evidence, seen("c", HOUR, visitor_id="ada")])
    state, _ = told(first, more, more)
    assert [each.id for each in recall(state)] == ["a", "b", "c"]


def test_who_left_and_comes_back_brings_its_sealed_orders_once() -> None:
    [first] = visitor(is_sealed=True)
    gone = replace(first, epoch=2, evidence=[], base=None, is_gone=True)
    [again] = visitor(is_sealed=True)
    assert orders(first, gone, replace(again, epoch=3)) == 2
    assert orders(first, gone) == 0


def test_who_left_before_its_orders_were_sealed_brings_them_when_it_comes_back() -> None:
    [ben] = with_cart("ben")
    [first] = visitor(is_sealed=False)
    gone = replace(first, epoch=2, evidence=[], is_gone=True)
    [again] = visitor(is_sealed=True)
    assert orders(ben, first, gone) == 0
    assert orders(ben, first, gone, replace(again, epoch=3)) == 2


def person() -> Facts:
    return Facts(SITE, "user:7", 0, RULES, has_sessions=False)


def told(*handovers: Handover, now: int = NOON + DAY) -> tuple[PersonState, list[Abandonment]]:
    """Give what a person remembers of handovers, and the abandonments that were written of it."""
    state, table = new_person(), dict[str, Fact]()
    for handover in handovers:
        sheet = person()
        receive(state, handover, now, sheet)
        table |= sheet.all()
    return state, only(Abandonment, table.values())


def with_cart(visitor_id: str, *, is_sealed: bool = False, after: int = 0) -> list[Handover]:
    """What a visitor whose cart is open tells its person."""
    state = new_state()
    cart = seen(f"cart of {visitor_id}", after, "Product Added")
    observe(state, [cart], cart.at, new_facts())
    state.person, state.epoch = "user:7", 1
    if is_sealed:
        seal(state, NOON + YEAR, new_facts())
    return list(everything(state, SITE, visitor_id, NOON))


def test_a_cart_that_was_sealed_is_lost_under_the_same_id_by_the_same_visitor() -> None:
    (_, [open_]), (_, [sealed]) = told(*with_cart("ada")), told(*with_cart("ada", is_sealed=True))
    assert (sealed.abandonment_id, sealed.visitor_id) == (open_.abandonment_id, "ada")
    assert (sealed.last_touchpoint_id, open_.last_touchpoint_id) == ("cart of ada",) * 2


def test_who_leaves_changes_its_person_once() -> None:
    [first] = with_cart("ada")
    state, _ = told(first)
    gone = replace(first, epoch=2, evidence=[], is_gone=True)
    assert [receive(state, gone, NOON, person()) for _ in range(2)] == [True, False]


def test_of_a_person_whose_last_member_is_erased_nothing_stays() -> None:
    [ada], [ben] = with_cart("ada"), with_cart("ben")
    state, _ = told(ada, ben, replace(ben, epoch=2, evidence=[], is_gone=True))
    state.sealed_to, state.base = NOON, pack_cursor(history(NOON, orders=1))
    expel(state, {"ada"}, NOON, person())
    assert (state.members, state.sealed_to, state.count) == ({}, 0, 0)
    assert unpack_cursor(state.base).orders == state.head.orders == 0


def test_of_the_erased_nothing_is_written_not_even_that_it_is_gone() -> None:
    state, lost = told(*with_cart("ada"), *with_cart("ben", after=HOUR))
    assert {cart.visitor_id for cart in lost} == {"ada", "ben"}
    sheet = person()
    expel(state, {"ada"}, NOON + DAY, sheet)
    assert {fact.visitor_id for fact in sheet.all().values()} <= {"ben"}


def test_what_was_told_before_a_visitor_moved_on_comes_too_late() -> None:
    [first] = with_cart("ada")
    newer, late = replace(first, epoch=2, evidence=[]), [first, replace(first, is_gone=True)]
    state, _ = told(newer)
    assert [receive(state, each, NOON, person()) for each in (newer, *late)] == [False] * 3
    assert (state.count, state.members["ada"].epoch) == (0, 2)


def test_who_leaves_takes_only_its_own_carts_away() -> None:
    ada, ben = with_cart("ada"), with_cart("ben", after=HOUR)
    gone = replace(ben[0], epoch=2, evidence=[], is_gone=True)
    _, left = told(*ada, *ben, gone)
    assert [cart.visitor_id for cart in left] == ["ada"]


@pytest.mark.parametrize("erased", ["ada", "ben"])
def test_what_was_sealed_of_the_erased_is_expelled_and_nothing_else(erased: str) -> None:
    base = history(
        NOON,
        sessions={who: sessions.open_session(SITE, who, seen(who)) for who in ("ada", "ben")},
        open={"cart": Stake("cart", NOON, "a", visitor_id="ada")},
        lost=[Stake("cart", NOON, "b", visitor_id=who) for who in ("ada", "ben")],
    )
    state = new_person()
    state.base = pack_cursor(base)
    state.members = {who: Member(1, is_gone=False) for who in ("ada", "ben")}
    expel(state, {erased}, NOON, person())
    kept, (other,) = unpack_cursor(state.base), {"ada", "ben"} - {erased}
    assert list(kept.sessions) == [other]
    assert [stake.visitor_id for stake in kept.open.values()] == (["ada"] if other == "ada" else [])
    assert [stake.visitor_id for stake in kept.lost] == [other]


def test_visits_and_counts_of_two_histories_are_added_and_the_last_cart_stays() -> None:
    older = history(1, visits=2, counts={"Look": 3, "Call": 1}, cart=Cart([]))
    newer = history(2, visits=5, counts={"Look": 4, "Write": 2})
    both = joined(newer, older)
    assert (both.visits, both.counts) == (7, {"Look": 7, "Call": 1, "Write": 2})
    assert both.cart == older.cart
    assert joined(older, replace(newer, cart=Cart([], "EUR"))).cart == Cart([], "EUR")


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


def test_the_visit_of_the_last_order_is_known_from_whichever_history_knows_it() -> None:
    ordered = history(1, order_session_id="first")
    for other, known in ((history(2), "first"), (history(2, order_session_id="second"), "second")):
        assert joined(ordered, other).order_session_id == known


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
