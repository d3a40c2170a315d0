"""Carts and checkouts left behind, recovered, taken back."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.journey.rules import Rules, compile_rules
from pipeline.journey.state import Evidence, Line, identifier
from schemas.facts import Abandonment, Fact
from tests.support.journeys import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    RULES,
    SECOND,
    SITE,
    VISITOR,
    Life,
    fold,
    only,
    seen,
)

TIMEOUT = 30 * MINUTE
RECOVERY = 7 * DAY


def instant(after: int) -> datetime:
    return datetime.fromtimestamp((NOON + after) / SECOND, UTC)


def added(id_: str, after: int = 0, **more: Any) -> Evidence:
    return seen(id_, after, "Product Added", **more)


def checkout(id_: str, after: int = 0, **more: Any) -> Evidence:
    return seen(id_, after, "Checkout Started", **more)


def order(id_: str, after: int, **more: Any) -> Evidence:
    return seen(id_, after, "Order Completed", **more)


def baskets(rows: Iterable[Fact]) -> list[Abandonment]:
    return [found for found in only(Abandonment, rows) if found.kind in ("cart", "checkout")]


def left(*evidence: Evidence, now: int = 10 * DAY) -> list[Abandonment]:
    return baskets(fold(*evidence, now=now))


def table(life: Life) -> list[Abandonment]:
    return baskets(life.rows.values())


@pytest.mark.parametrize("pieces", [0, -1, -5])
def test_who_puts_nothing_in_leaves_no_cart(pieces: int) -> None:
    nothing = added("b", MINUTE, items=pieces, product_id="p-1")
    assert left(nothing) == []
    assert left(added("a", products=[Line("p-1", "", pieces, 0.0)])) == []
    assert left(added("a", items=9, product_id="p-1"), nothing) != []


# --- silence ------------------------------------------------------------------------------------


def test_silence_of_exactly_the_timeout_is_not_yet_an_abandonment() -> None:
    life = Life()
    life.see(added("a"))
    life.wait(TIMEOUT)
    assert table(life) == []


def test_a_millisecond_more_and_the_cart_is_abandoned_as_of_its_deadline() -> None:
    life = Life()
    life.see(added("a"))
    life.wait(TIMEOUT + 1)
    (found,) = table(life)
    assert (found.kind, found.abandoned_at) == ("cart", instant(TIMEOUT))


def test_it_does_not_matter_how_late_the_silence_is_noticed() -> None:
    assert left(added("a"), now=TIMEOUT + 1) == left(added("a"), now=20 * DAY)


def test_the_visitors_own_next_touchpoint_ends_the_silence_without_a_tick() -> None:
    life = Life()
    life.see(added("a"), seen("b", TIMEOUT + 1))
    assert [found.abandoned_at for found in table(life)] == [instant(TIMEOUT)]


def test_a_touchpoint_at_the_very_deadline_keeps_the_cart() -> None:
    assert left(added("a"), seen("b", TIMEOUT), now=2 * TIMEOUT) == []


def test_any_touchpoint_of_the_visitor_breaks_the_silence() -> None:
    (found,) = left(added("a"), seen("b", 20 * MINUTE))
    assert (found.opened_at, found.abandoned_at) == (instant(0), instant(20 * MINUTE + TIMEOUT))


def test_looking_around_abandons_no_cart() -> None:
    assert left(seen("a"), seen("b", 1, "Product Viewed")) == []


def test_a_cart_may_open_by_being_looked_at() -> None:
    assert [found.step for found in left(seen("a", 0, "Cart Viewed"))] == ["Cart Viewed"]


def test_an_order_in_time_leaves_nothing_behind() -> None:
    assert left(added("a"), checkout("b", MINUTE), order("c", 2 * MINUTE)) == []


def test_a_model_without_the_rule_abandons_nothing() -> None:
    model = RULES.models[0].model.model_copy(update={"abandonment": ()})
    rows = fold(added("a"), now=DAY, rules=compile_rules([model]))
    assert only(Abandonment, rows) == []


# --- from cart to checkout ----------------------------------------------------------------------


def test_a_cart_becomes_a_checkout_and_only_the_checkout_is_abandoned() -> None:
    (found,) = left(added("a", items=2, value=30.0), checkout("b", MINUTE))
    assert (found.kind, found.opened_at) == ("checkout", instant(MINUTE))
    assert (found.items, found.value) == (2, 30.0)


def test_a_checkout_never_becomes_a_cart_again() -> None:
    (found,) = left(checkout("a"), added("b", MINUTE), seen("c", 2 * MINUTE, "Cart Viewed"))
    assert (found.kind, found.opened_at, found.step) == (
        "checkout",
        instant(0),
        "Checkout Started",
    )


def test_a_checkout_may_begin_without_a_cart() -> None:
    assert [found.kind for found in left(checkout("a"))] == ["checkout"]


def test_the_step_is_the_last_one_of_its_kind() -> None:
    steps = ["Checkout Started", "Checkout Step Viewed", "Payment Info Entered", "Page Viewed"]
    (found,) = left(*(seen(f"s{at}", at, name) for at, name in enumerate(steps)))
    assert found.step == "Payment Info Entered"


def with_slow_checkout(timeout: timedelta) -> Rules:
    model = RULES.models[0].model
    slow = tuple(
        rule.model_copy(update={"timeout": timeout}) if rule.kind == "checkout" else rule
        for rule in model.abandonment
    )
    return compile_rules([model.model_copy(update={"abandonment": slow})])


def test_a_checkout_has_a_timeout_of_its_own() -> None:
    rules = with_slow_checkout(timedelta(hours=2))
    rows = fold(checkout("a"), now=2 * HOUR + 1, rules=rules)
    assert [found.abandoned_at for found in baskets(rows)] == [instant(2 * HOUR)]
    assert baskets(fold(checkout("a"), now=2 * HOUR, rules=rules)) == []


# --- recovery -----------------------------------------------------------------------------------


def test_an_order_at_the_end_of_the_window_still_recovers() -> None:
    (found,) = left(added("a"), order("b", TIMEOUT + RECOVERY, channel="newsletter"))
    assert (found.recovered_at, found.recovered_channel) == (
        instant(TIMEOUT + RECOVERY),
        "newsletter",
    )


def test_a_millisecond_later_it_does_not() -> None:
    (found,) = left(added("a"), order("b", TIMEOUT + RECOVERY + 1, channel="newsletter"))
    assert (found.recovered_at, found.recovered_channel) == (None, "")


def test_the_recovered_row_keeps_its_id_and_gets_a_higher_version() -> None:
    life = Life()
    life.see(added("a"))
    life.wait(HOUR)
    (before,) = table(life)
    life.see(order("b", 2 * HOUR))
    (after,) = table(life)
    assert (before.recovered_at, after.recovered_at) == (None, instant(2 * HOUR))
    assert before.abandonment_id == after.abandonment_id
    assert (before.version, after.version) == (1, 2)


def test_coming_back_without_an_order_recovers_nothing() -> None:
    (found,) = left(added("a"), seen("b", HOUR, "Product Viewed"))
    assert found.recovered_at is None


def test_one_order_recovers_everything_that_was_left_within_the_window() -> None:
    found = left(added("a"), added("b", HOUR), added("c", 2 * HOUR), order("d", 3 * HOUR))
    assert [abandonment.recovered_at for abandonment in found] == [instant(3 * HOUR)] * 3


def test_each_is_recovered_by_its_own_window() -> None:
    late = TIMEOUT + RECOVERY + 1
    found = left(added("a"), added("b", HOUR), order("c", late))
    assert [abandonment.recovered_at for abandonment in found] == [None, instant(late)]


def test_a_second_order_recovers_nothing_again() -> None:
    (found,) = left(added("a"), order("b", HOUR), order("c", 2 * HOUR))
    assert found.recovered_at == instant(HOUR)


def test_no_more_than_the_last_five_are_remembered_for_recovery() -> None:
    carts = [added(f"a{at}", at * HOUR) for at in range(6)]
    found = left(*carts, order("b", 6 * HOUR))
    assert [abandonment.recovered_at for abandonment in found] == [None] + [instant(6 * HOUR)] * 5


def test_a_journey_that_timed_out_recovers_nothing() -> None:
    rules = compile_rules([RULES.models[0].model], journey_timeout=timedelta(days=1))
    rows = fold(added("a"), order("b", DAY + 1), rules=rules)
    assert [found.recovered_at for found in baskets(rows)] == [None]


# --- what is at stake ---------------------------------------------------------------------------


def test_what_is_added_counts_and_what_is_removed_does_not() -> None:
    (found,) = left(
        added("a", items=2, value=20.0, currency="EUR"),
        added("b", 1, items=1, value=5.5),
        seen("c", 2, "Product Removed", items=1, value=10.0),
    )
    assert (found.items, found.value, found.currency) == (2, 15.5, "EUR")


def test_a_cart_of_two_currencies_says_so_and_adds_nothing() -> None:
    piece: dict[str, Any] = {"items": 1, "value": 5.0}
    (found,) = left(
        added("a", product_id="p", currency="EUR", **piece),
        added("b", 1, product_id="q", currency="USD", **piece),
    )
    assert (found.items, found.value, found.currency) == (2, 0.0, "mixed")


def test_a_piece_that_names_no_currency_is_in_that_of_its_cart() -> None:
    piece: dict[str, Any] = {"items": 1, "value": 5.0}
    (found,) = left(
        added("a", product_id="p", currency="EUR", **piece), added("b", 1, product_id="q", **piece)
    )
    assert (found.items, found.value, found.currency) == (2, 10.0, "EUR")


# --- nothing at stake ---------------------------------------------------------------------------

PIECE: dict[str, Any] = {"items": 1, "value": 5.0, "product_id": "p"}
EMPTIED = (added("a", **PIECE), seen("b", SECOND, "Product Removed", **PIECE | {"items": 3}))
LAST_STEPS = ("Cart Viewed", "Checkout Started", "Checkout Step Viewed", "Payment Info Entered")
TOLD = [Line("p", "", 1, 5.0)]


def test_a_cart_that_was_emptied_is_not_abandoned() -> None:
    assert left(*EMPTIED) == []


@pytest.mark.parametrize("name", LAST_STEPS)
def test_what_looks_at_an_emptied_cart_opens_nothing(name: str) -> None:
    assert left(*EMPTIED, seen("c", MINUTE, name)) == []


def test_a_checkout_whose_cart_is_emptied_is_not_abandoned() -> None:
    assert (
        left(added("a", **PIECE), checkout("b", 1), seen("c", 2, "Product Removed", **PIECE)) == []
    )


def test_what_is_put_into_an_emptied_cart_is_at_stake_again() -> None:
    (found,) = left(*EMPTIED, added("c", MINUTE, **PIECE))
    assert (found.kind, found.items, found.value) == ("cart", 1, 5.0)


def test_after_an_order_a_cart_that_was_emptied_before_it_is_forgotten() -> None:
    later = seen("d", 3 * HOUR, "Cart Viewed")
    (found,) = left(*EMPTIED, order("c", MINUTE), later)
    assert found.opened_at == instant(3 * HOUR)


def test_removing_from_a_cart_of_which_nothing_is_known_does_not_empty_it() -> None:
    (found,) = left(seen("a", 0, "Cart Viewed"), seen("b", 1, "Product Removed", **PIECE))
    assert found.kind == "cart"


@pytest.mark.parametrize("products", [None, TOLD], ids=["no products", "the products of the order"])
@pytest.mark.parametrize("name", LAST_STEPS)
@pytest.mark.parametrize("after", [0, SECOND, 29 * MINUTE])
def test_the_last_steps_of_a_checkout_may_come_after_the_order(
    name: str, after: int, products: list[Line] | None
) -> None:
    late = seen("c", MINUTE + after, name, products=products, turn=1)
    assert left(added("a", **PIECE), order("b", MINUTE), late) == []


def test_also_on_another_device_of_the_buyer() -> None:
    bought = replace(order("b", MINUTE), visitor_id="till")
    assert left(bought, checkout("c", MINUTE + SECOND, visitor_id="phone")) == []


@pytest.mark.parametrize(("after", "lost"), [(0, 0), (1, 1)])
def test_an_order_uses_up_the_cart_for_as_long_as_a_checkout_may_take(
    after: int, lost: int
) -> None:
    bought = replace(order("b", 0), visitor_id="till")
    again = checkout("c", HOUR + after, visitor_id="phone")
    rows = fold(bought, again, now=10 * DAY, rules=with_slow_checkout(timedelta(hours=1)))
    assert len(baskets(rows)) == lost


def test_what_is_put_into_the_cart_after_an_order_is_at_stake() -> None:
    (found,) = left(order("a", 0), added("b", SECOND, **PIECE), checkout("c", 2 * SECOND))
    assert (found.kind, found.value) == ("checkout", 5.0)


def test_so_is_a_checkout_of_what_was_left_since_however_short_ago_the_order_was() -> None:
    rows = fold(
        order("a", 0),
        added("b", SECOND, **PIECE),
        checkout("c", 40 * MINUTE),
        now=10 * DAY,
        rules=with_slow_checkout(timedelta(hours=1)),
    )
    assert [found.kind for found in baskets(rows)] == ["cart", "checkout"]


def test_a_checkout_of_a_later_visit_is_at_stake_whatever_was_ordered_before() -> None:
    (found,) = left(order("a", 0), checkout("b", HOUR))
    assert found.kind == "checkout"


def test_only_adding_and_removing_change_what_is_at_stake() -> None:
    (found,) = left(
        added("a", items=1, value=5.0), seen("b", 1, "Cart Viewed", items=9, value=99.0)
    )
    assert (found.items, found.value) == (1, 5.0)


def test_a_cart_of_unknown_content_is_worth_the_products_of_its_checkout() -> None:
    (found,) = left(added("a", **PIECE), checkout("b", 1, products=[Line("p", "", 2, 10.0)]))
    assert (found.items, found.value) == (1, 5.0)
    (found,) = left(checkout("b", 1, products=[Line("p", "", 2, 10.0)]))
    assert (found.items, found.value) == (2, 10.0)


def test_the_value_is_rounded_to_cents() -> None:
    assert left(*(added(f"a{at}", at, items=1, value=0.1) for at in range(3)))[0].value == 0.3


def test_the_next_cart_begins_with_what_was_left_in_the_last_one() -> None:
    first, second = left(
        added("a", items=1, value=5.0, currency="EUR"), added("b", HOUR, items=1, value=7.0)
    )
    assert (first.items, first.value) == (1, 5.0)
    assert (second.items, second.value, second.currency) == (2, 12.0, "EUR")


def test_a_cart_after_an_order_begins_empty() -> None:
    (found,) = left(
        added("a", items=1, value=5.0), order("b", 1), added("c", 2, items=1, value=7.0)
    )
    assert (found.items, found.value) == (1, 7.0)


def test_an_abandonment_names_where_and_when_it_ended() -> None:
    (found,) = left(
        added("a", path="/cart"),
        seen("b", MINUTE, path="/delivery"),
        seen("c", 2 * MINUTE, "Email Opened"),
    )
    assert (found.site, found.visitor_id, found.model) == (SITE, VISITOR, "lifecycle")
    assert found.abandonment_id == identifier(SITE, "visitor", VISITOR, "cart", "", "a")
    assert found.session_id == identifier(SITE, VISITOR, "a")
    assert (found.last_path, found.last_touchpoint_id) == ("/delivery", "c")
    assert found.last_touchpoint_at == instant(2 * MINUTE)


# --- what arrives late --------------------------------------------------------------------------


def test_a_touchpoint_that_arrives_late_takes_a_wrong_abandonment_back() -> None:
    life = Life()
    life.see(added("a"))
    life.wait(40 * MINUTE)
    (wrong,) = table(life)
    life.see(seen("b", 20 * MINUTE))
    retracted = life.rows[wrong.abandonment_id]
    assert (retracted.is_deleted, retracted.version) == (True, wrong.version + 1)


def test_once_the_longer_silence_is_over_it_comes_back_under_the_same_id() -> None:
    life = Life()
    life.see(added("a"))
    life.wait(40 * MINUTE)
    (wrong,) = table(life)
    life.see(seen("b", 20 * MINUTE))
    life.wait(50 * MINUTE)
    assert table(life) == []
    life.wait(50 * MINUTE + 1)
    (right,) = table(life)
    assert right.abandonment_id == wrong.abandonment_id
    assert (wrong.abandoned_at, right.abandoned_at) == (
        instant(30 * MINUTE),
        instant(50 * MINUTE),
    )


def test_an_order_that_arrives_late_takes_the_abandonment_back_for_good() -> None:
    life = Life()
    life.see(added("a"))
    life.wait(HOUR)
    life.see(order("b", 10 * MINUTE))
    life.wait(DAY)
    assert table(life) == []


def test_a_late_touchpoint_at_the_very_deadline_takes_the_abandonment_back() -> None:
    life = Life()
    life.see(added("a"))
    life.wait(TIMEOUT + 1)
    life.see(seen("b", TIMEOUT))
    assert table(life) == []


def test_a_late_touchpoint_after_the_deadline_leaves_the_abandonment_as_it_is() -> None:
    life = Life()
    life.see(added("a"))
    life.wait(HOUR)
    before = table(life)
    life.see(seen("b", TIMEOUT + 1))
    assert table(life) == before


def test_a_late_first_product_opens_the_cart_earlier_under_another_id() -> None:
    life = Life()
    life.see(added("b", 10 * MINUTE, items=1), added("a", 0, items=1))
    life.wait(HOUR)
    (found,) = table(life)
    assert (found.abandonment_id, found.items) == (
        identifier(SITE, "visitor", VISITOR, "cart", "", "a"),
        2,
    )


def test_a_late_checkout_turns_the_abandoned_cart_into_an_abandoned_checkout() -> None:
    life = Life()
    life.see(added("a"))
    life.wait(HOUR)
    (cart,) = table(life)
    life.see(checkout("b", 10 * MINUTE))
    assert life.rows[cart.abandonment_id].is_deleted
    assert [found.kind for found in table(life)] == ["checkout"]


def test_after_an_abandonment_the_next_product_opens_the_next_cart() -> None:
    life = Life()
    life.see(added("a"))
    life.wait(HOUR)
    life.see(added("b", 2 * HOUR))
    life.wait(3 * HOUR)
    assert [found.abandonment_id for found in table(life)] == [
        identifier(SITE, "visitor", VISITOR, "cart", "", id_) for id_ in "ab"
    ]
