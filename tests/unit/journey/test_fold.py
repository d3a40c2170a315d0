"""Any order of arrival, any duplication, any silence in between: the same facts."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.journey.fold import (
    EVIDENCE_CAP,
    forgotten_at,
    is_late,
    next_deadline,
    observe,
    seal,
)
from pipeline.journey.rules import compile_rules
from pipeline.journey.state import Evidence, encode_state
from schemas.facts import Abandonment, Session
from tests.support.journeys import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    RULES,
    Life,
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
)
LIFECYCLE = RULES.models[0].model
QUICK = compile_rules(
    [LIFECYCLE], allowed_lateness=timedelta(hours=2), journey_timeout=timedelta(hours=5)
)

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
            user_id=draw(st.sampled_from(("", "", "7", "8"))),
            order_id=draw(st.sampled_from(("", "o-1", "o-2"))),
            items=draw(st.integers(0, 3)),
            value=draw(st.sampled_from((0.0, 0.1, 19.99))),
            path=draw(st.sampled_from(("", "/a", "/b"))),
            channel=draw(st.sampled_from(("website", "newsletter"))),
            referrer_host=draw(st.sampled_from(("", "www.google.com", "www.paypal.com"))),
            utm_source=draw(st.sampled_from(("", "", "crm"))),
            click_id=draw(st.sampled_from(("", "", "gclid"))),
            country=draw(st.sampled_from(("", "DE", "AT"))),
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


@given(lives())
def test_what_survives_is_the_fold_over_the_set(
    lived: tuple[Sequence[Evidence], list[Step]],
) -> None:
    evidence, steps = lived
    life = Life()
    for step in steps:
        step(life)
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


@given(long_lives())
def test_sealing_and_forgetting_the_journey_change_no_fact(steps: list[Step]) -> None:
    life = Life(QUICK)
    for step in steps:
        step(life)
        assert life.state.oldest_at == 0 or life.state.oldest_at >= life.now - 2 * HOUR
    silence(40 * MINUTE)(life)
    assert surviving(life.rows) == life.replayed()


def test_evidence_beyond_the_cap_is_sealed_early_and_the_facts_are_the_same() -> None:
    life = Life()
    for number in range(EVIDENCE_CAP + 1):
        life.see(seen(f"t{number:04}", number, NAMES[number % len(NAMES)]))
        assert len(life.state.evidence) <= EVIDENCE_CAP
    assert len(life.state.evidence) == EVIDENCE_CAP // 2
    assert surviving(life.rows) == life.replayed()


def test_the_state_of_a_visitor_who_never_stops_and_has_long_urls_fits_into_a_kafka_record() -> (
    None
):
    life = Life()
    for number in range(200):
        page = f"/{number}".ljust(4096, "x")
        life.see(seen(f"t{number:04}", number, "Product Added", path=page, value=1.0))
        assert len(encode_state(life.state)) < 512 * 1024
    assert 0 < life.state.sealed_to < life.now
    assert surviving(life.rows) == life.replayed()


def test_a_flood_within_one_chunk_is_sealed_down_to_half_the_cap() -> None:
    life = Life()
    facts = new_facts()
    for number in range(3 * EVIDENCE_CAP):
        life.now = NOON + number
        observe(life.state, seen(f"t{number:04}", number), life.now, facts)
    seal(life.state, life.now, facts)
    assert len(life.state.evidence) == EVIDENCE_CAP // 2


def test_what_is_older_than_the_evidence_sealed_early_comes_too_late() -> None:
    life = Life()
    life.see(*(seen(f"t{number:04}", number) for number in range(EVIDENCE_CAP + 1)))
    sealed_to = life.state.sealed_to - NOON
    assert is_late(life.state, NOON + sealed_to, life.now, RULES)
    assert not is_late(life.state, NOON + sealed_to + 1, life.now, RULES)


def test_a_touchpoint_as_old_as_the_allowed_lateness_is_not_late() -> None:
    life = Life()
    life.see(seen("a"))
    assert not is_late(life.state, NOON - DAY, life.now, RULES)
    assert is_late(life.state, NOON - DAY - 1, life.now, RULES)


def test_evidence_is_sealed_once_it_is_older_than_the_allowed_lateness() -> None:
    life = Life()
    life.see(seen("a"))
    life.wait(DAY)
    assert (len(life.state.evidence), life.state.sealed_to) == (1, 0)
    life.wait(DAY + 1)
    assert (len(life.state.evidence), life.state.sealed_to) == (0, NOON)


def test_what_is_sealed_may_still_be_refuted_by_a_touchpoint_that_is_not_late() -> None:
    life = Life(QUICK)
    life.see(seen("a", 0, "Product Added"))
    life.wait(2 * HOUR + 1)
    assert (len(life.state.evidence), len(only(Abandonment, life.rows.values()))) == (0, 1)
    life.see(seen("b", 20 * MINUTE))
    (found,) = only(Abandonment, life.rows.values())
    assert found.last_touchpoint_id == "b"
    assert surviving(life.rows) == life.replayed()


def test_a_session_goes_on_over_sealed_evidence() -> None:
    life = Life(QUICK)
    life.see(*(seen(f"t{number:02}", number * 29 * MINUTE) for number in range(20)))
    (session,) = only(Session, life.rows.values())
    assert (session.touchpoints, len(life.state.evidence)) == (20, 5)


def test_first_the_open_cart_wakes_the_visitor_then_sealing_then_forgetting() -> None:
    life = Life()
    life.see(seen("a", 0, "Product Added"))
    assert next_deadline(life.state, RULES) == NOON + 30 * MINUTE
    life.wait(30 * MINUTE + 1)
    assert next_deadline(life.state, RULES) == NOON + DAY
    life.wait(DAY + 1)
    assert next_deadline(life.state, RULES) == NOON + 31 * DAY
    assert forgotten_at(life.state, RULES) == NOON + 31 * DAY
