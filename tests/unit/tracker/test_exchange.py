"""What one message about people does to one partition, and what a crash or a repetition adds."""

from typing import Any

import pytest

from pipeline.journey.messages import (
    Assignment,
    Erasure,
    Handover,
    Link,
    Message,
    Rebuild,
    encode_message,
)
from pipeline.journey.people import person_id
from pipeline.journey.state import decode_person
from pipeline.kafka.in_memory import Fetched
from pipeline.operations.rebuild.told import Placed, told_touchpoint
from pipeline.tracker.output import Output
from pipeline.tracker.partition import META_KEY, NODE, PERSON
from pipeline.tracker.rebuild import SILENCE
from pipeline.tracker.steps import process
from schemas.codec import decode_touchpoint
from schemas.topics import IDENTITIES, LINKS, RAW, SESSIONS, TOUCHPOINTS, TRANSITIONS
from tests.support.journeys import DAY, HOUR, MINUTE, NOON, SITE, VISITOR, seen
from tests.support.tracker import tick, touchpoint, untimed, written
from tests.unit.tracker.test_waiting import ADA, Tracked, after, carts, facts, identified, messages

SEVEN = PERSON + b"shop:user:7"


def hear(tracked: Tracked, *said: Message) -> Output:
    return tracked.hear(*map(encode_message, said))


def link(visitor: str, name: str = "user:7") -> Link:
    return Link(SITE, visitor, name, NOON)


def handover(visitor: str, *evidence: str, era: int = 0, is_gone: bool = False) -> Handover:
    pieces = [seen(id_, visitor_id=visitor, name="Product Added") for id_ in evidence]
    return Handover(SITE, "user:7", visitor, 1, NOON, pieces, is_gone=is_gone, era=era)


def erasure(*names: str, at: int = NOON + 1) -> tuple[Erasure, Erasure]:
    """Give both messages of an erasure."""
    return tuple(Erasure(SITE, list(names), at, is_final) for is_final in (False, True))  # type: ignore[return-value]


def states(outputs: list[Output]) -> list[bytes]:
    """Give the keys that a checkpoint writes, in order."""
    return [key or b"" for output in outputs for key, _, _ in output.state]


# --- the graph -----------------------------------------------------------------------------------


def test_a_link_is_answered_each_time_it_is_told() -> None:
    tracked = Tracked()
    for offset in (0, 1):
        said = {(told.visitor_id, told.person) for told in messages(hear(tracked, link(VISITOR)))}
        assert (VISITOR, "user:7") in said, offset


def test_a_link_is_a_row_of_the_touchpoint_that_told_it() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON), identified("b"))
    tracked.hear(touchpoint("c", NOON))
    [row] = facts(tracked.checkpoint(), LINKS.name)
    assert (row.visitor_id, row.identifier, row.version) == (VISITOR, "user:7", 1)


def test_of_the_identifiers_of_a_visitor_fifty_are_remembered() -> None:
    tracked = Tracked()
    for number in range(60):
        tracked.hear(identified(f"t{number}", user_id=str(number)))
    tracked.checkpoint()
    state = tracked.partition.visitor(ADA)
    assert state is not None
    assert state.identifiers == [f"user:{number}" for number in range(10, 60)]


def test_a_link_that_changes_nothing_writes_nothing() -> None:
    tracked = Tracked()
    hear(tracked, link(VISITOR))
    assert states(tracked.checkpoint()) == [NODE + ADA, NODE + b"shop:user:7", META_KEY]
    hear(tracked, link(VISITOR))
    assert states(tracked.checkpoint()) == [META_KEY]


def test_who_is_erased_leaves_its_person_and_the_graph_forgets_it_last() -> None:
    tracked = Tracked()
    hear(tracked, link(VISITOR), link("bob"))
    first, _ = erasure(VISITOR)
    (gone,) = [told for told in messages(hear(tracked, first)) if isinstance(told, Handover)]
    assert (gone.person, gone.visitor_id, gone.is_gone) == ("user:7", VISITOR, True)
    assert states(tracked.checkpoint())[-2:] == [NODE + ADA, META_KEY]
    assert VISITOR.encode() not in b"".join(tracked.partition.states.values())


def test_who_carries_what_too_many_share_can_be_erased() -> None:
    tracked = Tracked()
    hear(tracked, *(link(f"visitor {number}") for number in range(103)))
    hear(tracked, *erasure("visitor 102"))
    tracked.checkpoint()
    assert NODE + b"shop:visitor 102" not in tracked.partition.states


def test_an_erasure_read_again_leaves_what_is_newer() -> None:
    tracked = Tracked()
    hear(tracked, link("bob"), link(VISITOR))
    tracked.checkpoint()
    again = tracked.restarted()
    first, _ = erasure(VISITOR)
    assert messages(hear(again, first)) == []
    assert again.partition.node(NODE + ADA).neighbours == ["user:7"]


def test_who_is_erased_with_its_person_has_nobody_to_leave() -> None:
    tracked = Tracked()
    hear(tracked, link(VISITOR), link("bob"))
    first, _ = erasure(VISITOR, "user:7")
    told = messages(hear(tracked, first))
    assert [(each.visitor_id, each.person) for each in told] == [("bob", "")]


def test_of_what_is_void_only_erasures_and_rebuilds_are_heard() -> None:
    tracked = Tracked()
    tracked.partition.void_before = 9
    assert messages(hear(tracked, link(VISITOR))) == []
    hear(tracked, *erasure(VISITOR), rebuild(NOON + 2))
    assert tracked.partition.erasures
    assert tracked.partition.rebuilds[SITE].is_open


# --- who a visitor is ----------------------------------------------------------------------------


def test_of_two_assignments_the_newer_counts_whichever_arrives_last() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON))
    newer, older = (Assignment(SITE, VISITOR, f"user:{n}", n, NOON, 0) for n in (7, 5))
    hear(tracked, newer)
    assert messages(hear(tracked, older)) == []
    assert [told.person for part in tracked.checkpoint() for told in messages(part)] == ["user:7"]


def test_who_becomes_somebody_else_leaves_who_it_was_and_says_so() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON, name="Product Added"))
    tracked.checkpoint()
    for epoch, person, told in (
        (5, "customer:1", [("customer:1", False, ["a"])]),
        (6, "user:7", [("customer:1", True, []), ("user:7", False, ["a"])]),
        (7, "", [("user:7", True, [])]),
    ):
        said = messages(hear(tracked, Assignment(SITE, VISITOR, person, epoch, NOON, 0)))
        handed = [(one.person, one.is_gone, [seen.id for seen in one.evidence]) for one in said]
        assert handed == told
        [row] = facts(tracked.checkpoint(), IDENTITIES.name)
        assert (row.person_id, row.version) == (person_id(SITE, person or VISITOR), epoch - 4)


def test_who_becomes_part_of_a_person_takes_back_its_own_journey() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON, name="Product Added"))
    tracked.checkpoint()
    hear(tracked, Assignment(SITE, VISITOR, "user:7", 5, NOON, 0))
    written_again = tracked.checkpoint()
    assert {row.is_deleted for row in facts(written_again, TRANSITIONS.name)} == {True}
    [session] = facts(written_again, SESSIONS.name)
    assert (session.person_id, session.is_deleted) == (person_id(SITE, "user:7"), False)


def test_an_assignment_that_is_told_again_changes_nothing() -> None:
    tracked = Tracked()
    assignment = Assignment(SITE, VISITOR, "user:7", 5, NOON, 0)
    hear(tracked, assignment)
    tracked.checkpoint()
    hear(tracked, assignment)
    assert states(tracked.checkpoint()) == [META_KEY]
    assert messages(hear(tracked, Assignment(SITE, VISITOR, "user:7", 6, NOON, 0))) == []
    assert facts(tracked.checkpoint(), IDENTITIES.name) == []


@pytest.mark.parametrize("is_one_chunk", [True, False])
def test_who_was_told_anew_who_it_is_while_it_was_erased_stays_that_person(
    is_one_chunk: bool,
) -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON))
    tracked.checkpoint()
    first, final = erasure(VISITOR)
    said = (first, Assignment(SITE, VISITOR, "user:7", 5, NOON, first.at), final)
    for chunk in [said] if is_one_chunk else [[each] for each in said]:
        hear(tracked, *chunk)
    identity = facts(tracked.checkpoint(), IDENTITIES.name)[-1]
    assert (identity.person_id, identity.is_deleted) == (person_id(SITE, "user:7"), False)
    assert identity.version == 3
    state = tracked.partition.visitor(ADA)
    assert state is not None
    assert (state.count, state.person) == (0, "user:7")


def test_what_is_told_by_another_partition_moves_time() -> None:
    tracked = Tracked()
    hear(tracked, Link(SITE, VISITOR, "user:7", NOON + HOUR))
    assert tracked.partition.times == {SITE: NOON + HOUR}


def test_a_message_is_counted_once() -> None:
    assert hear(Tracked(), link(VISITOR)).fates == {"message": 1}


# --- a person ------------------------------------------------------------------------------------


def erased_one_of_two() -> Tracked:
    """Give a person of two with a cart each, of whom the first is erased since the checkpoint."""
    tracked = Tracked()
    hear(tracked, handover(VISITOR, "a cart"), handover("bob", "b cart"))
    tracked.checkpoint()
    first, _ = erasure(VISITOR, "user:7")
    hear(tracked, first)
    return tracked


def test_an_erasure_takes_a_member_out_of_its_person_at_once() -> None:
    tracked = erased_one_of_two()
    tracked.checkpoint()
    state = tracked.partition.person(SEVEN)
    assert state is not None
    assert (list(state.members), state.offset) == (["bob"], 2)
    assert VISITOR.encode() not in tracked.partition.states[SEVEN]


def test_what_an_erasure_changes_has_its_version() -> None:
    tracked = erased_one_of_two()
    rows = [row for part in tracked.checkpoint() for rows in part.rows.values() for row in rows]
    assert rows  # now it is the cart of the other with which the phase begins
    assert all(b'"version":2' in (value or b"") for _, value, _ in rows)


def test_who_left_an_erased_person_does_not_bring_it_back() -> None:
    tracked = Tracked()
    hear(tracked, handover(VISITOR, era=5, is_gone=True))
    tracked.checkpoint()
    assert SEVEN not in tracked.partition.states


def test_who_was_erased_leaves_no_name_when_it_leaves_its_person() -> None:
    tracked = erased_one_of_two()
    hear(tracked, handover(VISITOR, era=NOON + 1, is_gone=True))
    tracked.checkpoint()
    assert list(decode_person(tracked.partition.states[SEVEN]).members) == ["bob"]


@pytest.mark.parametrize("era", [0, NOON + 1], ids=["before", "by the erasure, told sooner"])
@pytest.mark.parametrize("is_one_chunk", [True, False])
def test_an_erasure_finds_the_names_of_those_who_left_a_person(
    era: int, is_one_chunk: bool
) -> None:
    tracked = Tracked()
    said = (
        handover(VISITOR, "a cart"),
        handover("bob", "b cart"),
        handover(VISITOR, era=era, is_gone=True),
        *erasure(VISITOR),
    )
    for chunk in [said] if is_one_chunk else [[each] for each in said]:
        hear(tracked, *chunk)
        tracked.checkpoint()
    assert list(decode_person(tracked.partition.states[SEVEN]).members) == ["bob"]
    assert VISITOR.encode() not in b"".join(tracked.partition.states.values())


def test_what_was_handed_over_before_an_erasure_comes_too_late() -> None:
    tracked = Tracked()
    hear(tracked, *erasure(VISITOR), handover("bob", "b cart"), handover(VISITOR, "a cart"))
    tracked.checkpoint()
    assert list(decode_person(tracked.partition.states[SEVEN]).members) == ["bob"]


def test_a_link_that_was_told_before_its_identifier_was_erased_comes_too_late() -> None:
    tracked = Tracked()
    assert messages(hear(tracked, *erasure("user:7"), link(VISITOR))) == []
    tracked.checkpoint()
    assert NODE + ADA not in tracked.partition.states


def test_what_was_done_before_an_erasure_stays_erased_when_the_log_is_read_again() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON))
    hear(tracked, *erasure(VISITOR))
    tracked.checkpoint()
    again = tracked.restarted()
    output = again.hear(touchpoint("a", NOON))
    assert (output.fates, output.rows) == ({"erased": 1}, {})


def test_of_several_who_are_erased_all_are_forgotten_even_if_some_are_unknown() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON))
    tracked.checkpoint()
    hear(tracked, *erasure("nobody", VISITOR))
    assert ADA not in tracked.partition.states


def test_a_person_told_while_somebody_dear_waits_is_kept_until_all_is_durable() -> None:
    tracked = after(30)
    tracked.hear(touchpoint("late", NOON + 1))
    hear(tracked, handover("bob", "b cart"))
    tracked.checkpoint(most=10)
    tracked.hear(tick(NOON + 2000 * DAY, SITE))
    tracked.checkpoint()
    assert SEVEN in tracked.partition.states


def test_a_person_closes_old_evidence_when_a_tick_wakes_it_and_not_before() -> None:
    tracked = Tracked()
    hear(tracked, handover(VISITOR, "old"))
    tracked.checkpoint()
    later = NOON + 33 * DAY
    tracked.hear(touchpoint("b", later, anonymous_id="bob"), now=later)
    hear(tracked, handover(VISITOR, "again"))
    tracked.checkpoint()
    assert decode_person(tracked.partition.states[SEVEN]).sealed_to == 0
    tracked.hear(tick(later), now=later)
    tracked.checkpoint()
    state = tracked.partition.states.get(SEVEN)
    assert state is None or decode_person(state).sealed_to == NOON


# --- a rebuild -----------------------------------------------------------------------------------


def rebuild(at: int, *names: str, stage: str = "begin") -> Rebuild:
    return Rebuild(SITE, at, stage, at, list(names))  # type: ignore[arg-type]


def test_a_rebuild_of_some_forgets_nobody_else() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON), touchpoint("b", NOON, anonymous_id="bob"))
    tracked.checkpoint()
    hear(tracked, rebuild(NOON + 1, VISITOR))
    assert list(tracked.partition.states)[:1] == [b"shop:bob"]
    assert ADA not in tracked.partition.states


def test_of_two_rebuilds_the_newer_goes_on() -> None:
    tracked = Tracked()
    hear(tracked, rebuild(NOON + 2), rebuild(NOON + 1), rebuild(NOON + 1, stage="end"))
    known = tracked.partition.rebuilds[SITE]
    assert (known.at, known.is_open) == (NOON + 2, True)


def test_a_rebuild_that_has_ended_does_not_go_on() -> None:
    tracked = Tracked()
    hear(tracked, rebuild(NOON, stage="go_on"))
    assert tracked.partition.rebuilds == {}
    hear(tracked, *(rebuild(NOON, stage=stage) for stage in ("begin", "end", "go_on")))
    assert not tracked.partition.rebuilds[SITE].is_open


def test_a_rebuild_of_a_site_forgets_no_other_site() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON), touchpoint("b", NOON, site="store"))
    tracked.checkpoint()
    hear(tracked, rebuild(NOON + 1))
    assert [key for key in tracked.partition.states if key > b"\x03"] == [b"store:ada"]


def test_a_rebuild_that_says_nothing_for_ten_minutes_is_broken_off() -> None:
    tracked = Tracked()
    hear(tracked, rebuild(NOON))
    open_ = []
    said = NOON + MINUTE
    hear(tracked, Rebuild(SITE, NOON, "go_on", said))
    for silent, site in ((0, None), (2 * SILENCE, SITE), (SILENCE, None), (SILENCE + 1, None)):
        tracked.hear(tick(said + silent, site))
        open_.append(tracked.partition.rebuilds[SITE].is_open)
    assert open_ == [True, True, True, False]


def test_the_silence_before_the_end_of_a_rebuild_is_judged_without_a_tick() -> None:
    tracked = Tracked()
    hear(tracked, rebuild(NOON + DAY, VISITOR))
    tell_anew(tracked, NOON + DAY, name="Product Added")
    assert carts(tracked.checkpoint()) == []
    hear(tracked, Rebuild(SITE, NOON + DAY, "end", NOON + DAY, now=NOON + DAY))
    assert [cart.visitor_id for cart in carts(tracked.checkpoint())] == [VISITOR]


def tell_anew(tracked: Tracked, at: int, **more: Any) -> None:
    """Tell a touchpoint of our visitor again, in the rebuild `at`."""
    again = told_touchpoint(Placed(decode_touchpoint(touchpoint("b", NOON, **more))), at)
    record = Fetched(RAW.name, 0, tracked.count, at, again.key, again.value)
    tracked.count += 1
    process(tracked.partition, [record], tracked.rules, 1, untimed)


@pytest.mark.parametrize(("again", "time"), [(NOON + DAY, NOON), (NOON + DAY + 1, 0)])
def test_the_next_rebuild_begins_with_a_new_time_and_the_same_goes_on(
    again: int, time: int
) -> None:
    tracked = Tracked()
    hear(tracked, rebuild(NOON + DAY, VISITOR))
    tell_anew(tracked, NOON + DAY)
    hear(tracked, rebuild(again, VISITOR, "bob"))
    assert tracked.partition.time_of(SITE, VISITOR) == time


def test_what_is_held_during_a_rebuild_says_whether_it_came_late() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON))
    hear(tracked, rebuild(NOON + 1))
    output = tracked.hear(touchpoint("fresh", NOON), touchpoint("late", NOON - 2 * DAY))
    assert output.fates == {"held": 2}
    rows = written(output, TOUCHPOINTS.name)
    assert [(row.touchpoint_id, row.is_late) for row in rows] == [("fresh", False), ("late", True)]


def test_a_rebuild_takes_what_waits_along() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON, name="Product Added"))
    hear(tracked, rebuild(NOON + 1))
    assert carts(tracked.checkpoint()) == []
    assert tracked.waiting() == []


def test_what_is_told_anew_moves_the_time_of_those_alone_who_are_told_anew() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON + DAY), now=NOON + DAY)
    hear(tracked, rebuild(NOON + DAY, VISITOR))
    tell_anew(tracked, NOON + DAY)
    times = [tracked.partition.time_of(SITE, name) for name in (VISITOR, "bob")]
    assert times == [NOON, NOON + DAY]
