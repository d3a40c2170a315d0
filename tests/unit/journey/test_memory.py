"""How much of somebody is remembered, and for how long: what it costs and when it ends."""

from functools import cache

from pipeline.journey import crowd
from pipeline.journey.memory import forgotten_at, next_deadline, observe, repeated, rewrite, seal
from pipeline.journey.state import (
    Cursor,
    PersonState,
    Place,
    Stake,
    VisitorState,
    decode_state,
    encode_state,
    new_person,
    new_state,
    recall,
)
from tests.support.journeys import DAY, HOUR, MINUTE, NOON, RULES, SECOND, new_facts, seen

MANY = 5000


@cache
def lived() -> VisitorState:
    """Give a visitor with many touchpoints in order."""
    state = new_state()
    for number in range(MANY):
        one = seen(f"t{number:05}", number * SECOND)
        observe(state, [one], one.at, new_facts())
    return state


def long_life() -> list[tuple[Place, int]]:
    """Give the marks of that visitor: the place, and how many to it."""
    return [(mark.newest, mark.count) for mark in lived().marks]


def test_what_comes_late_is_folded_from_a_mark_not_far_before_it() -> None:
    from_the_end = [MANY, *(MANY - count for _, count in long_life())]
    for behind in range(1, MANY):
        assert min(each for each in from_the_end if each >= behind) <= 2 * behind + 16


def test_of_old_marks_few_are_kept() -> None:
    marks = long_life()
    assert len(marks) < 30
    assert sorted({count for _, count in marks}) == [count for _, count in marks]
    assert [place[0] for place, _ in marks] == [NOON + (n - 1) * SECOND for _, n in marks]


def test_how_much_is_folded_again_is_known_beforehand() -> None:
    state = lived()
    marks = [(mark.newest, mark.count) for mark in state.marks]
    assert repeated(state, (NOON + MANY * SECOND, 0, "next", "")) == 0
    for number in (0, *(count - 1 for _, count in marks), *(count for _, count in marks)):
        place = seen(f"t{number:05}", number * SECOND).place()
        before = max((count for newest, count in marks if newest < place), default=0)
        assert repeated(state, place) == state.count - before


def test_a_person_who_is_a_crowd_keeps_the_newer_half() -> None:
    person = new_person()
    number = 0
    while len(person.evidence) <= crowd.MOST:
        seal(person, NOON, new_facts())
        assert (person.count, person.sealed_to) == (number, 0)
        path = "/" + "x" * (1000 if number < 200 else 3000)
        one = seen(f"t{number:05}", number * SECOND, visitor_id="ada", path=path)
        observe(person, [one], one.at, new_facts())
        number += 1
    seal(person, NOON, new_facts())
    left = recall(person)
    weight = crowd.weight(left[-1])
    assert crowd.MOST // 2 - weight < sum(map(crowd.weight, left)) <= crowd.MOST // 2
    assert [each.id for each in left] == [f"t{n:05}" for n in range(number - len(left), number)]
    assert person.sealed_to == left[0].at - SECOND


def test_a_person_who_is_no_crowd_keeps_everything() -> None:
    person = new_person()
    observe(person, [seen("a", visitor_id="ada")], NOON, new_facts())
    seal(person, NOON, new_facts())
    assert (person.count, person.sealed_to) == (1, 0)


def test_what_is_as_old_as_what_is_closed_is_closed() -> None:
    state = new_state()
    observe(state, [seen("a"), seen("b"), seen("c", SECOND)], NOON, new_facts())
    state.sealed_to = NOON
    seal(state, NOON, new_facts())
    assert [each.id for each in recall(state)] == ["c"]


def test_what_is_as_old_as_what_is_kept_is_kept() -> None:
    state = new_state()
    observe(state, [seen("a"), seen("b", 31 * DAY)], NOON, new_facts())
    seal(state, NOON + 61 * DAY, new_facts())  # evidence is kept for thirty days
    assert [each.id for each in recall(state)] == ["b"]


def test_what_is_closed_from_a_mark_on_is_what_is_closed_from_the_beginning() -> None:
    from_a_mark, from_the_beginning = (half_closed(with_marks=marks) for marks in (True, False))
    assert from_a_mark.base == from_the_beginning.base


def test_marks_stay_where_they_were_when_what_is_before_them_is_closed() -> None:
    state = half_closed()
    assert state.marks
    for mark in state.marks:
        after = [each for each in recall(state) if each.place() > mark.newest]
        assert (recall(state, mark), mark.count) == (after, state.count - len(after))


def test_marks_are_of_what_is_left_when_a_memory_is_written_anew() -> None:
    state, fresh = half_closed(), new_state()
    left = recall(state)[::2]
    rewrite(state, left, NOON, new_facts(), Cursor())
    observe(fresh, left, NOON, new_facts())
    assert [mark.newest for mark in state.marks] == [mark.newest for mark in fresh.marks]


def test_a_mark_is_worth_its_room() -> None:
    state = new_state()
    sizes = [0]
    for number in range(600):
        name = "Page Viewed" if number > 20 else "Order Completed"  # orders are remembered
        observe(state, [seen(f"t{number}", number, name)], NOON, new_facts())
        if state.marks and state.marks[-1].size > sizes[-1]:
            mark = state.marks[-1]
            sizes.append(mark.size)
            assert mark.count % 16 == 0
            assert sizes[-1] - sizes[-2] >= 4 * len(bytes(mark.cursor))
    assert len(sizes) > 3


def half_closed(*, with_marks: bool = True) -> VisitorState:
    """Give that visitor once all but its last thousand touchpoints are closed."""
    state = decode_state(encode_state(lived()))
    if not with_marks:
        state.marks.clear()
    state.sealed_to = NOON + (MANY - 1001) * SECOND
    seal(state, NOON, new_facts())
    assert state.count == 1000
    return state


def test_the_lightest_touchpoints_are_a_crowd_from_four_thousand_on() -> None:
    assert crowd.MOST // crowd.weight(seen("t")) == 4096


def woken_at(state: VisitorState | PersonState) -> int:
    """Give when somebody is woken, after noon, if nothing but the evidence is due."""
    for after in (0, HOUR):
        observe(state, [seen(f"t{after}", after, visitor_id="ada")], NOON + after, new_facts())
    state.head.journeys.clear()
    return next_deadline(state, RULES, silence=MINUTE) - NOON


def test_a_visitor_is_woken_once_all_its_evidence_is_due() -> None:
    assert woken_at(new_state()) == 30 * DAY + HOUR + MINUTE


def test_a_person_is_woken_a_day_after_the_oldest_is_due() -> None:
    assert woken_at(new_person()) == 31 * DAY + MINUTE


def test_silence_puts_off_that_somebody_is_closed_even_if_more_is_due_later() -> None:
    state = new_state()
    observe(state, [seen("a")], NOON, new_facts())
    state.head.journeys.clear()
    state.head.open["newsletter"] = Stake("newsletter", NOON, "a", due=NOON + 60 * DAY)
    assert next_deadline(state, RULES, silence=MINUTE) == NOON + 30 * DAY + MINUTE


def test_who_was_told_who_it_is_is_remembered_from_then_on() -> None:
    state = new_state()
    state.kept_from = NOON
    assert forgotten_at(state, RULES) == NOON + 31 * DAY


def test_silence_puts_off_that_somebody_is_forgotten() -> None:
    state = new_state()
    assert next_deadline(state, RULES, silence=MINUTE) == forgotten_at(state, RULES) + MINUTE
