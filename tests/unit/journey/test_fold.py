"""Any order of arrival, any duplication, any silence in between: the same facts."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.journey import crowd
from pipeline.journey.fold import KNOWN_ORDERS, step
from pipeline.journey.memory import (
    forgotten_at,
    is_late,
    is_over,
    next_deadline,
)
from pipeline.journey.rules import Rules, compile_rules
from pipeline.journey.state import Cursor, Evidence
from schemas.facts import Abandonment, Session, Transition
from schemas.journeys import load_models
from tests.support.journeys import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    RULES,
    Life,
    fold,
    new_facts,
    only,
    seen,
    surviving,
)

NAMES = (
    "Page Viewed",
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Checkout Started",
    "Order Completed",
    "Order Shipped",
    "Newsletter Subscribed",
    "Survey Answered",
    "Email Delivered",
    "Email Delivered",
    "Email Opened",
    "Unsubscribed",
    "Form Started",
    "Form Submitted",
    "Script Error",
    "Complaint Made",
)
MODELS = load_models(["lifecycle", "aida", "favorability", "canvas", "purchase"])
ALL = compile_rules(MODELS)
LIFECYCLE = MODELS[0]
QUICK = compile_rules(
    MODELS,
    allowed_lateness=timedelta(hours=2),
    journey_timeout=timedelta(hours=5),
    customer_timeout=timedelta(hours=9),
    evidence_retention=timedelta(hours=2),
)
HASTY_LIFECYCLE = LIFECYCLE.model_copy(
    update={
        "abandonment": tuple(
            rule.model_copy(
                update={
                    "timeout": min(rule.timeout, timedelta(hours=1)),
                    "limits": {},
                    "in_a_row": min(rule.in_a_row, 2),
                    "recovery": timedelta(hours=3),
                }
            )
            for rule in LIFECYCLE.abandonment
        )
    }
)
HASTY = compile_rules([HASTY_LIFECYCLE])
HASTY_AND_QUICK = compile_rules(
    [HASTY_LIFECYCLE],
    allowed_lateness=timedelta(hours=2),
    journey_timeout=timedelta(hours=5),
    evidence_retention=timedelta(hours=2),
)
"""Hasty: newsletters and journeys are abandoned within an hour."""

Step = Callable[[Life], None]

# Half of all gaps lie at the very edge of a timeout.
near_an_edge = st.builds(
    lambda gaps, edge: gaps * 30 * MINUTE + edge, st.integers(0, 20), st.sampled_from((-1, 0, 1))
)
times = near_an_edge | st.integers(0, 300).map(lambda minutes: minutes * MINUTE)


@st.composite
def evidence_of_one_visitor(draw: st.DrawFn) -> list[Evidence]:
    count = draw(st.integers(1, 12))
    return [
        seen(
            f"t{number}",
            draw(times),
            draw(st.sampled_from(NAMES)),
            order_id=draw(st.sampled_from(("", "o-1", "o-2"))),
            items=draw(st.integers(0, 3)),
            value=draw(st.sampled_from((0.0, 0.1, 19.99))),
            path=draw(st.sampled_from(("", "/a", "/b"))),
            properties=draw(st.sampled_from((None, {"survey": "nps", "score": 9.0}))),
            product_id=draw(st.sampled_from(("", "p-1", "p-2"))),
            form=draw(st.sampled_from(("", "contact", "quiz"))),
            channel=draw(st.sampled_from(("newsletter", "newsletter", "email", "website"))),
            referrer_host=draw(st.sampled_from(("", "www.google.com", "www.paypal.com"))),
            utm_source=draw(st.sampled_from(("", "", "crm"))),
            click_id=draw(st.sampled_from(("", "", "gclid"))),
            country=draw(st.sampled_from(("", "DE", "AT"))),
            turn=draw(st.integers(0, 2)),
        )
        for number in range(count)
    ]


def arrival(evidence: Evidence) -> Step:
    return lambda life: life.see(evidence)


def silence(length: int) -> Step:
    return lambda life: life.wait(max(0, life.now - NOON) + length)


@st.composite
def lives(draw: st.DrawFn) -> tuple[Sequence[Evidence], list[Step]]:
    """Evidence of some hours in any order, some of it twice, with ticks in between."""
    evidence = draw(evidence_of_one_visitor())
    again = draw(st.lists(st.sampled_from(evidence), max_size=3))
    steps = [arrival(one) for one in draw(st.permutations([*evidence, *again]))]
    for _ in range(draw(st.integers(0, 4))):
        length = draw(near_an_edge.map(lambda time: time // 4))
        steps.insert(draw(st.integers(1, len(steps))), silence(length))
    return evidence, steps


@pytest.mark.parametrize("rules", [ALL, HASTY], ids=["all models", "hasty"])
@given(lived=lives())
def test_what_survives_is_the_fold_over_the_set(
    rules: Rules, lived: tuple[Sequence[Evidence], list[Step]]
) -> None:
    evidence, steps = lived
    life = Life(rules)
    for act in steps:
        act(life)
    silence(40 * MINUTE)(life)
    assert set(life.accepted) == {one.id for one in evidence}
    assert surviving(life.rows) == life.replayed()


@st.composite
def long_lives(draw: st.DrawFn) -> list[Step]:
    """Evidence of days, roughly in order, so that most of it is sealed while more arrives."""
    steps: list[Step] = []
    for one in draw(evidence_of_one_visitor()):
        steps.append(silence(draw(near_an_edge)))
        steps.append(late_arrival(one, draw(times.map(lambda time: time // 4))))
    return steps


def late_arrival(evidence: Evidence, by: int) -> Step:
    return lambda life: life.see(replace(evidence, at=life.now - by))


@pytest.mark.parametrize("rules", [QUICK, HASTY_AND_QUICK], ids=["default", "hasty"])
@given(steps=long_lives())
def test_sealing_and_forgetting_the_journey_change_no_fact(rules: Rules, steps: list[Step]) -> None:
    life = Life(rules)
    for act in steps:
        act(life)
        assert life.state.oldest_at == 0 or life.state.oldest_at >= life.now - 2 * HOUR - 4 * MINUTE
    silence(40 * MINUTE)(life)
    assert surviving(life.rows) == life.replayed()


def test_evidence_is_closed_when_its_visitor_is_a_crowd_and_the_facts_are_the_same() -> None:
    life = Life()
    for number in range(600):
        life.see(seen(f"t{number:04}", number, NAMES[number % len(NAMES)]))
        if number % 200 == 0:
            life.state.sealed_to = life.now - 50
    assert life.state.count < 250
    assert surviving(life.rows) == life.replayed()


def test_of_a_crowd_half_stays_open() -> None:
    evidence = [seen(f"t{number:04}", number) for number in range(3000)]
    closed_to = crowd.crowded_to(evidence) - NOON
    assert sum(crowd.weight(each) for each in evidence[closed_to + 1 :]) <= crowd.MOST // 2
    assert sum(crowd.weight(each) for each in evidence[closed_to:]) > crowd.MOST // 2


def test_of_few_all_stays_open() -> None:
    assert crowd.crowded_to(seen(f"t{number}", number) for number in range(9)) == 0


def test_a_touchpoint_as_old_as_the_allowed_lateness_is_not_late() -> None:
    life = Life()
    life.see(seen("a"))
    assert not is_late(NOON - DAY, life.now, RULES)
    assert is_late(NOON - DAY - 1, life.now, RULES)


def test_evidence_is_sealed_once_it_is_older_than_its_retention() -> None:
    life = Life()
    life.see(seen("a"))
    life.wait(30 * DAY)
    assert (life.state.count, life.state.sealed_to) == (1, 0)
    life.wait(30 * DAY + 1)
    assert (life.state.count, life.state.sealed_to) == (0, NOON)


@pytest.mark.parametrize(("after", "late"), [(1, 20 * MINUTE), (30 * MINUTE, 30 * MINUTE)])
def test_what_is_sealed_may_still_be_refuted_by_a_touchpoint_that_is_not_late(
    after: int, late: int
) -> None:
    life = Life(QUICK)
    life.see(seen("a", 0, "Product Added"))
    life.wait(2 * HOUR + after)
    assert (life.state.count, len(only(Abandonment, life.rows.values()))) == (0, 1)
    life.see(seen("b", late))
    (found,) = only(Abandonment, life.rows.values())
    assert found.last_touchpoint_id == "b"
    assert surviving(life.rows) == life.replayed()


def test_a_session_goes_on_over_sealed_evidence() -> None:
    life = Life(QUICK)
    life.see(*(seen(f"t{number:02}", number * 29 * MINUTE) for number in range(20)))
    (session,) = only(Session, life.rows.values())
    assert (session.touchpoints, life.state.count) == (20, 5)


def test_the_open_cart_wakes_the_visitor_then_the_journey_then_sealing_then_forgetting() -> None:
    life = Life()
    life.see(seen("a", 0, "Product Added"))
    assert next_deadline(life.state, RULES) == NOON + 30 * MINUTE
    life.wait(30 * MINUTE + 1)
    assert next_deadline(life.state, RULES) == NOON + 14 * DAY
    life.wait(14 * DAY + 1)
    assert next_deadline(life.state, RULES) == NOON + 30 * DAY
    life.wait(30 * DAY + 1)
    assert next_deadline(life.state, RULES) == NOON + 31 * DAY
    assert forgotten_at(life.state, RULES) == NOON + 31 * DAY


def test_who_has_ordered_is_remembered_until_the_customer_timeout() -> None:
    life = Life()
    life.see(seen("a", 0, "Order Completed"))
    assert forgotten_at(life.state, RULES) == NOON + 731 * DAY


def test_nobody_is_forgotten_before_the_journey_ends() -> None:
    rules = compile_rules(MODELS, customer_timeout=timedelta(hours=1))
    life = Life(rules)
    life.see(seen("a", 0, "Order Completed"))
    assert forgotten_at(life.state, rules) == NOON + 31 * DAY


def with_limit(limit: timedelta) -> Rules:
    slow = tuple(
        rule.model_copy(update={"limits": {"awareness": limit}}) if rule.kind == "journey" else rule
        for rule in LIFECYCLE.abandonment
    )
    return compile_rules([LIFECYCLE.model_copy(update={"abandonment": slow})])


def test_who_is_still_to_be_judged_is_kept_beyond_the_journey_timeout() -> None:
    rules = with_limit(timedelta(days=40))
    life = Life(rules)
    life.see(seen("a"))
    life.wait(40 * DAY)
    assert not is_over(life.state, life.now, rules)
    life.wait(40 * DAY + 1)
    assert [found.kind for found in only(Abandonment, life.rows.values())] == ["journey"]
    life.wait(41 * DAY)
    assert not is_over(life.state, life.now, rules)
    assert is_over(life.state, life.now + 1, rules)


def test_a_judgement_beyond_the_journey_timeout_is_taken_back_by_a_late_touchpoint() -> None:
    life = Life(with_limit(timedelta(days=40)))
    life.see(seen("a"))
    life.wait(40 * DAY + HOUR)
    life.see(seen("b", 40 * DAY))
    assert only(Abandonment, life.rows.values()) == []
    assert surviving(life.rows) == life.replayed()


def test_what_was_lost_long_ago_stays_lost_when_a_late_touchpoint_undoes_its_recovery() -> None:
    brief = timedelta(hours=2)
    life = Life(compile_rules([LIFECYCLE], allowed_lateness=brief, evidence_retention=brief))
    for number in range(5):
        life.see(seen(f"a{number}", number * 40 * MINUTE, "Product Added"))
    life.wait(6 * HOUR)
    life.see(seen("b", 8 * HOUR, "Order Completed"))
    life.see(seen("c", 7 * HOUR, "Product Added"))
    found = [one for one in only(Abandonment, life.rows.values()) if one.kind == "cart"]
    assert [one.recovered_at is None for one in found] == [True, *[False] * 5]
    assert surviving(life.rows) == life.replayed()


def test_sessions_that_are_over_are_forgotten_with_the_next_one() -> None:
    cursor, devices = Cursor(), ("phone", "till", "phone", "desk")
    for number, device in enumerate(devices):
        cursor = step(cursor, seen(device, number * 20 * MINUTE, visitor_id=device), new_facts())
    assert set(cursor.sessions) == {"phone", "desk"}


def test_an_order_that_is_told_again_is_no_repeat_purchase() -> None:
    facts = fold(
        seen("a", 0, "Order Completed", order_id="o-1"),
        seen("b", MINUTE, "Order Completed", order_id="o-1"),
        seen("c", 3 * HOUR, "Order Completed", order_id="o-1"),
    )
    assert [move.touchpoint_id for move in only(Transition, facts)] == ["a"]


def test_another_order_is_a_repeat_purchase_as_is_one_without_a_number() -> None:
    first = seen("a", 0, "Order Completed", order_id="o-1")
    for order_id in ("o-2", ""):
        again = seen("b", 3 * HOUR, "Order Completed", order_id=order_id)
        moves = only(Transition, fold(first, again))
        assert [move.to_phase for move in moves] == ["purchase", "loyalty"]


def test_an_order_is_recognised_among_the_newest_twenty() -> None:
    orders = [
        seen(f"a{number:02}", number * DAY, "Order Completed", order_id=f"o-{number}")
        for number in range(KNOWN_ORDERS + 1)
    ]
    for again, counted in (("o-1", 0), ("o-0", 1)):
        life = Life()
        life.see(*orders, seen("again", 30 * DAY, "Order Completed", order_id=again))
        assert life.state.head.orders == len(orders) + counted
