"""Evidence is a set: however its visitor's partition cut it before and after a crash."""

from msgspec.structs import replace

from pipeline.journey.facts import Facts
from pipeline.journey.handover import everything, receive
from pipeline.journey.memory import seal
from pipeline.journey.messages import Handover
from pipeline.journey.state import PersonState, VisitorState, new_person, new_state
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
