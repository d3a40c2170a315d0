"""Touchpoints wait for the next checkpoint: what is decided at once, and who cannot wait."""

from itertools import chain, islice, permutations
from typing import Any

import pytest

from pipeline.journey.crowd import MOST, weight
from pipeline.journey.memory import repeated
from pipeline.journey.messages import (
    Assignment,
    Erasure,
    Handover,
    Link,
    decode_message,
    encode_message,
    is_message,
)
from pipeline.journey.rules import Rules
from pipeline.journey.state import decode_state
from pipeline.kafka.in_memory import Fetched
from pipeline.tracker.output import Output
from pipeline.tracker.partition import META_KEY, NODE, Partition
from pipeline.tracker.steps import checkpoint, fate_of, process
from pipeline.tracker.waiting import Waiting
from schemas.facts import Abandonment, Session, Transition
from schemas.topics import ABANDONMENTS, RAW, SESSIONS, TOUCHPOINTS, TRANSITIONS
from tests.support.journeys import DAY, HOUR, MINUTE, NOON, RULES, SITE, VISITOR, seen
from tests.support.tracker import QUICK, Log, Worker, key_of, tick, touchpoint, untimed, written
from tests.unit.tracker.test_crashes import differences

ADA = f"{SITE}:{VISITOR}".encode()


class Tracked:
    """A partition to which one record is said after the other, with checkpoints when asked for."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.partition = Partition(0)
        self.rules = rules
        self.count = 0

    def hear(self, *values: bytes, now: int = NOON) -> Output:
        """Take a chunk of records of the time `now`."""
        records = [
            Fetched(RAW.name, 0, self.count + number, now, key_of_any(value), value)
            for number, value in enumerate(values)
        ]
        self.count += len(records)
        return process(self.partition, records, self.rules, 1, untimed)

    def checkpoint(self, most: int | None = None) -> list[Output]:
        """Make a checkpoint; its place is left out."""
        outputs = checkpoint(self.partition, self.rules, 1, untimed, most)
        return [output for output in outputs if not output.place]

    def waiting(self) -> list[str]:
        """Give the ids of those that wait."""
        return list(chain(*(waiting.evidence for waiting in self.partition.waiting.values())))

    def restarted(self, rules: Rules = RULES) -> "Tracked":
        """Give a tracker that knows the states of this one, and reads the log again."""
        other = Tracked(rules)
        for key, value in self.partition.states.items():
            other.partition.restore(key, value)
        return other


def key_of_any(value: bytes) -> bytes | None:
    return None if is_message(value) else key_of(value)


def facts(outputs: list[Output], topic: str) -> list[Any]:
    return [row for output in outputs for row in written(output, topic)]


def sessions(outputs: list[Output]) -> list[Session]:
    return facts(outputs, SESSIONS.name)


def carts(outputs: list[Output]) -> list[Abandonment]:
    return [row for row in facts(outputs, ABANDONMENTS.name) if row.kind == "cart"]


def cart(id_: str = "cart", at: int = NOON, **more: Any) -> bytes:
    return touchpoint(id_, at, name="Product Added", **more)


def messages(output: Output) -> list[Any]:
    return [decode_message(value or b"") for _, value, _ in chain(*output.messages.values())]


def handed_over(output: Output) -> list[list[str]]:
    said = [message for message in messages(output) if isinstance(message, Handover)]
    return [[seen.id for seen in message.evidence] for message in said]


def links(output: Output) -> list[str]:
    return [message.identifier for message in messages(output) if isinstance(message, Link)]


# --- what is written when ------------------------------------------------------------------------


def test_the_row_is_written_at_once_and_what_it_means_at_the_checkpoint() -> None:
    tracked = Tracked()
    output = tracked.hear(touchpoint("a", NOON))
    assert (list(output.rows), output.state, output.fates) == (
        [TOUCHPOINTS.name],
        [],
        {"sessionised": 1},
    )
    part, last = tracked.checkpoint()
    assert set(part.rows) == {SESSIONS.name, TRANSITIONS.name}
    assert [key for key, _, _ in part.state] == [ADA]
    assert (last.rows, [key for key, _, _ in last.state]) == ({}, [META_KEY])


def test_the_chunks_of_a_visitor_are_folded_at_once() -> None:
    tracked = Tracked()
    for number in range(3):
        tracked.hear(touchpoint(f"t{number}", NOON + number))
    (session,) = sessions(tracked.checkpoint())
    assert (session.touchpoints, session.version) == (3, 2)


def test_a_checkpoint_comes_in_parts_and_only_the_last_one_has_the_offset() -> None:
    tracked = Tracked()
    names = [f"v{number:03}" for number in range(150)]
    tracked.hear(*(touchpoint(name, NOON, anonymous_id=name) for name in names))
    outputs = tracked.checkpoint()
    assert [output.offset for output in outputs] == [None, None, None, 149]
    assert [row.visitor_id for row in sessions(outputs)] == names
    states = [key for output in outputs for key, _, _ in output.state]
    assert states == [*(f"shop:{name}".encode() for name in names), META_KEY]


def test_a_checkpoint_that_is_broken_off_goes_on_with_the_next_one() -> None:
    tracked = Tracked()
    names = [f"v{number:03}" for number in range(100)]
    tracked.hear(*(touchpoint(name, NOON, anonymous_id=name) for name in names))
    _, first = islice(checkpoint(tracked.partition, tracked.rules, 1, untimed), 2)
    tracked.hear(touchpoint("more", NOON + 1, anonymous_id="v000"))
    rest = tracked.checkpoint()
    assert {row.visitor_id for row in sessions([first, *rest])} == set(names)
    (again,) = [row for row in sessions(rest) if row.visitor_id == "v000"]
    assert (again.touchpoints, rest[-1].offset) == (2, 100)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_waits_out_of_order_means_what_it_means_in_order(order: tuple[int, ...]) -> None:
    tracked = Tracked()
    names = ("Page Viewed", "Product Viewed", "Checkout Started")
    for number in order:
        tracked.hear(touchpoint(f"t{number}", NOON + number * HOUR, name=names[number]))
    rows: list[Transition] = facts(tracked.checkpoint(), TRANSITIONS.name)
    assert {row.touchpoint_id for row in rows if not row.is_deleted} == {"t0", "t1", "t2"}


def test_what_was_said_before_a_crash_and_is_refuted_by_what_waits_is_taken_back() -> None:
    log = Log()
    log.say(touchpoint("second", NOON + MINUTE), NOON)
    log.say(touchpoint("first", NOON), NOON)
    worker = Worker(log)
    worker.work(1)
    worker.checkpoint()
    worker.die(sum(len(rows) for output in worker.pending for rows in output.rows.values()))
    tables = worker.finish()
    assert [row["first_touchpoint_id"] for row in tables.of("sessions")] == ["first"]
    assert differences(worker) == []


def test_without_a_tick_a_checkpoint_wakes_nobody_however_often_it_is_made() -> None:
    tracked = Tracked(QUICK)
    long_ago = touchpoint("long ago", NOON, name="Product Added", anonymous_id="bob")
    tracked.hear(long_ago, touchpoint("now", NOON + DAY), now=NOON + DAY)
    assert [carts(tracked.checkpoint(most)) for most in (0, 0, None, None)] == [[]] * 4
    tracked.hear(tick(NOON + DAY), now=NOON + DAY)
    assert [row.visitor_id for row in carts(tracked.checkpoint())] == ["bob"]
    later = NOON + 2 * DAY
    tracked.hear(cart(at=NOON + DAY), touchpoint("later", later, anonymous_id="eve"), now=later)
    assert [carts(tracked.checkpoint()) for _ in range(2)] == [[]] * 2


# --- who is dear ---------------------------------------------------------------------------------


def after(count: int) -> Tracked:
    """Give a partition that has folded so many touchpoints of a visitor, a minute apart."""
    tracked = Tracked()
    tracked.hear(*(touchpoint(f"t{number}", NOON + number * MINUTE) for number in range(count)))
    tracked.checkpoint()
    return tracked


def test_who_is_dear_waits_for_company_and_holds_up_nobody() -> None:
    tracked = after(30)
    late = [touchpoint(f"late{number}", NOON + number) for number in (1, 2, 3)]
    tracked.hear(late[0], touchpoint("other", NOON, anonymous_id="bob"))
    told = tracked.checkpoint(most=10)
    assert [row.visitor_id for row in sessions(told)] == ["bob"]
    assert tracked.waiting() == ["late1"]
    assert META_KEY not in {key for output in told for key, _, _ in output.state}
    assert [output.offset for output in told if output.offset is not None] == []
    assert sessions(tracked.checkpoint(most=10)) == []
    tracked.hear(late[1])
    assert sessions(tracked.checkpoint(most=10)) == []
    tracked.hear(late[2])
    told = tracked.checkpoint(most=10)  # thirty for three
    assert [row.touchpoints for row in sessions(told)] == [33]
    assert told[-1].offset == 33


def test_while_somebody_dear_waits_what_others_said_of_the_graph_is_remembered() -> None:
    tracked = after(30)
    link = encode_message(Link(SITE, "bob", "user:7", NOON))
    tracked.hear(touchpoint("late", NOON + 1), link)
    told = tracked.checkpoint(most=10)
    states = {key for output in told for key, _, _ in output.state}
    assert states == {NODE + b"shop:bob", NODE + b"shop:user:7"}
    assert not tracked.partition.is_ahead
    states = {key for output in tracked.checkpoint() for key, _, _ in output.state}
    assert states == {ADA, META_KEY}


def test_who_is_late_by_little_is_not_dear_however_long_its_history() -> None:
    tracked = after(200)
    tracked.hear(touchpoint("late", NOON + 198 * MINUTE + 1))
    assert [row.touchpoints for row in sessions(tracked.checkpoint(most=100))] == [201]


def test_who_is_dear_is_told_by_the_next_whole_checkpoint() -> None:
    tracked = after(30)
    tracked.hear(touchpoint("late", NOON + 1))
    tracked.checkpoint(most=10)
    told = tracked.checkpoint()
    assert [row.touchpoints for row in sessions(told)] == [31]
    assert told[-1].offset == 30


def test_who_was_folded_while_somebody_dear_waits_is_kept_until_all_is_durable() -> None:
    tracked = after(30)
    tracked.hear(touchpoint("late", NOON + 1), touchpoint("b", NOON, anonymous_id="bob"))
    tracked.checkpoint(most=10)
    tracked.hear(tick(NOON + 400 * DAY, SITE))
    tracked.checkpoint()  # bob's time is over, but a crash now would bring back his touchpoint
    assert b"shop:bob" in tracked.partition.states


def test_what_is_repeated_may_be_as_much_as_is_asked_for() -> None:
    tracked = after(200)
    stored = tracked.partition.states[ADA]
    waiting = Waiting(SITE, VISITOR)
    waiting.follow(stored, 0)
    late = seen("late", 198 * MINUTE + 1)
    waiting.add(late, 200, NOON)
    most = repeated(decode_state(stored), late.place())
    assert 0 < most < waiting.count
    assert (waiting.is_dear(most), waiting.is_dear(most - 1)) == (False, True)
    waiting.add(seen("later", 198 * MINUTE + 2), 201, NOON)
    half = (most + 1) // 2
    assert (waiting.is_dear(half), waiting.is_dear(half - 1)) == (False, True)


def test_of_whom_nothing_waits_is_not_dear() -> None:
    assert not Waiting(SITE, VISITOR, count=9).is_dear(0)


def test_as_much_as_may_stay_open_stays_open() -> None:
    one = seen("t")
    waiting = Waiting(SITE, VISITOR, weight=MOST - weight(one))
    waiting.add(one, 0, NOON)
    assert waiting.weight == MOST


def test_a_crowd_is_closed_by_half_of_what_may_stay_open() -> None:
    waiting, number = Waiting(SITE, VISITOR), 0
    while not waiting.sealed_to:
        number += 1
        waiting.add(seen(f"t{number}", number, path="/" + "x" * 3000), number, NOON)
    closed_to = waiting.sealed_to
    for more in range(1, 10):
        waiting.add(seen(f"more{more}", number + more), number, NOON)
    assert waiting.sealed_to == closed_to


def test_who_is_dear_does_not_wait_while_a_crash_would_repeat_many_checkpoints() -> None:
    tracked = after(30)
    counts = []
    for number in range(100):
        tracked.hear(touchpoint(f"late{number}", NOON + 1))
        counts.append(len(tracked.partition.places))
        if tracked.checkpoint(most=0)[-1].offset is not None:
            break
    assert 10 < max(counts) < 100


def test_much_that_waits_of_one_visitor_makes_a_checkpoint_due() -> None:
    tracked = Tracked()
    told = (touchpoint(f"t{number}", NOON + number) for number in range(2_048))
    for _ in range(31):
        tracked.hear(*islice(told, 64))
    due = [tracked.partition.is_due]
    tracked.hear(*told)
    assert [*due, tracked.partition.is_due] == [False, True]
    tracked.checkpoint()
    assert tracked.partition.fullest == 0


# --- who is known --------------------------------------------------------------------------------


def test_what_waits_is_known() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON))
    output = tracked.hear(touchpoint("a", NOON), touchpoint("b", NOON), touchpoint("b", NOON))
    assert output.fates == {"duplicate": 2, "sessionised": 1}
    (session,) = sessions(tracked.checkpoint())
    assert session.touchpoints == 2


def test_what_a_tick_has_folded_in_the_same_chunk_is_known() -> None:
    tracked = Tracked()
    output = tracked.hear(cart(), tick(NOON + HOUR), cart())
    assert output.fates == {"sessionised": 1, "tick": 1, "duplicate": 1}


def test_what_was_folded_is_known() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON))
    tracked.checkpoint()
    assert tracked.hear(touchpoint("a", NOON)).fates == {"duplicate": 1}


def test_who_only_looks_known_is_not() -> None:
    """The id stands in the state's bytes, as the path of another touchpoint."""
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON, url="https://shop.example/b-7"))
    tracked.checkpoint()
    output = tracked.hear(touchpoint("b-7", NOON + 1))
    assert output.fates == {"sessionised": 1}
    (session,) = sessions(tracked.checkpoint())
    assert session.touchpoints == 2


def test_what_a_restored_state_knows_is_not_heard_again() -> None:
    tracked = Tracked()
    tracked.hear(touchpoint("a", NOON), touchpoint("b", NOON + 1, name="Product Viewed"))
    tracked.checkpoint()
    again = tracked.restarted()
    output = again.hear(touchpoint("a", NOON), touchpoint("b", NOON + 1, name="Product Viewed"))
    assert (output.fates, again.waiting()) == ({"replayed": 2}, [])
    assert again.hear(touchpoint("third", NOON + 2)).fates == {"sessionised": 1}
    assert again.waiting() == ["third"]


def test_what_was_late_once_stays_so_when_it_is_read_again_by_other_rules() -> None:
    values = [
        touchpoint("first", NOON + 3 * HOUR),
        touchpoint("late", NOON),
        touchpoint("last", NOON + 3 * HOUR + 1),
    ]
    tracked = Tracked(QUICK)
    assert tracked.hear(*values, now=NOON + 3 * HOUR).fates == {"sessionised": 2, "late": 1}
    tracked.checkpoint()
    again = tracked.restarted(RULES)
    for value in values:
        assert again.hear(value, now=NOON + 3 * HOUR).fates == {"replayed": 1}


def sealed_early() -> Tracked:
    tracked = Tracked()
    tracked.hear(*(touchpoint(f"t{n}", NOON + n) for n in range(MOST // 128 + 1)), now=NOON + HOUR)
    tracked.checkpoint()
    return tracked


@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_is_older_than_evidence_sealed_early_set_aside(is_restarted: bool) -> None:
    tracked = sealed_early()
    if is_restarted:
        count, tracked = tracked.count, tracked.restarted()
        tracked.count = count
    output = tracked.hear(touchpoint("late", NOON), now=NOON + HOUR)
    assert (output.fates, tracked.waiting()) == ({"set_aside": 1}, [])
    (row,) = written(output, TOUCHPOINTS.name)
    assert row.is_late


def test_what_is_as_old_as_what_is_closed_is_set_aside() -> None:
    waiting = Waiting(SITE, VISITOR, sealed_to=NOON)
    fates = [fate_of(at, NOON, waiting, RULES) for at in (NOON - 1, NOON, NOON + 1)]
    assert fates == ["set_aside", "set_aside", "sessionised"]


def test_evidence_sealed_early_makes_nobody_else_late() -> None:
    tracked = sealed_early()
    assert tracked.hear(touchpoint("x", NOON, anonymous_id="bob")).fates == {"sessionised": 1}
    other_site = touchpoint("y", NOON, anonymous_id="bob", site="store")
    assert tracked.hear(other_site).fates == {"sessionised": 1}
    assert tracked.waiting() == ["x", "y"]


# --- who cannot wait -----------------------------------------------------------------------------


def test_a_tick_judges_the_silence_of_those_who_wait() -> None:
    tracked = Tracked()
    tracked.hear(cart())
    tracked.hear(tick(NOON + 30 * MINUTE + 1))
    *parts, last = tracked.checkpoint()
    (left,) = carts(parts)
    assert (left.visitor_id, left.version, last.rows) == (VISITOR, 1, {})


def test_who_comes_back_in_time_has_abandoned_nothing_though_its_state_was_due() -> None:
    tracked = Tracked()
    tracked.hear(cart())
    tracked.checkpoint()
    tracked.hear(cart("more", NOON + 29 * MINUTE), now=NOON + 29 * MINUTE)
    tracked.hear(tick(NOON + 31 * MINUTE))
    assert carts(tracked.checkpoint()) == []


def test_an_erasure_takes_what_waits_along() -> None:
    tracked = Tracked()
    tracked.hear(cart(), touchpoint("b", NOON, anonymous_id="bob"))
    for is_final in (False, True):
        tracked.hear(encode_message(Erasure(SITE, [VISITOR], NOON + 1, is_final)))
    outputs = tracked.checkpoint()
    assert [row.visitor_id for row in sessions(outputs)] == ["bob"]
    assert list(tracked.partition.states)[1:] == [b"shop:bob"]


def test_who_is_told_to_be_a_person_hands_over_what_waits() -> None:
    tracked = Tracked()
    tracked.hear(cart())
    told = Assignment(SITE, VISITOR, "user:7", 5, NOON, 0)
    output = tracked.hear(encode_message(told))
    assert handed_over(output) == [[]]
    (part, _) = tracked.checkpoint()
    assert handed_over(part) == [["cart"]]
    tracked.hear(touchpoint("next", NOON + 1))
    (part, _) = tracked.checkpoint()
    assert handed_over(part) == [["next"]]


def identified(id_: str, at: int = NOON, user_id: str = "7") -> bytes:
    return touchpoint(id_, at, anonymous_id=VISITOR, user_id=user_id)


def test_who_carries_an_identifier_tells_of_it_at_once() -> None:
    tracked = Tracked()
    output = tracked.hear(cart(), identified("b", NOON + 1))
    assert links(output) == ["user:7"]
    (session,) = sessions(tracked.checkpoint())
    assert session.touchpoints == 2


def test_who_carries_the_same_identifiers_again_tells_nothing() -> None:
    tracked = Tracked()
    tracked.hear(identified("a"))
    output = tracked.hear(identified("again", NOON + 1))
    assert links(output) == []
    output = tracked.hear(identified("other", NOON + 2, "8"))
    assert links(output) == ["user:8"]


def test_after_an_erasure_an_identifier_is_told_again() -> None:
    tracked = Tracked()
    tracked.hear(identified("a"))
    tracked.hear(encode_message(Erasure(SITE, ["user:7"], NOON + 1, is_final=True)))
    output = tracked.hear(identified("again", NOON + 1))
    assert links(output) == ["user:7"]


def test_who_was_forgotten_tells_of_its_identifiers_again() -> None:
    tracked = Tracked()
    tracked.hear(identified("a"))
    tracked.checkpoint()
    tracked.hear(tick(NOON + 40 * DAY, SITE))
    tracked.checkpoint()
    assert list(tracked.partition.states) == []
    output = tracked.hear(identified("again", NOON + 40 * DAY), now=NOON + 40 * DAY)
    assert links(output) == ["user:7"]


def test_what_another_worker_has_changed_meanwhile_makes_everybody_tell_again() -> None:
    tracked = Tracked()
    tracked.hear(identified("a"))
    tracked.checkpoint()
    tracked.partition.restore(ADA, None)
    output = tracked.hear(identified("again", NOON + 1))
    assert links(output) == ["user:7"]


# --- all together --------------------------------------------------------------------------------


def test_a_flood_of_one_visitor_in_any_order_is_the_oracles() -> None:
    log = Log()
    for number in range(600):
        at = NOON + (number * 7919 % 600) * MINUTE // 2
        name = ("Page Viewed", "Product Added", "Order Completed")[number % 3]
        log.say(touchpoint(f"t{number}", at, name=name), NOON + 6 * HOUR)
    worker = Worker(log)
    worker.work(len(log.records))
    worker.finish()
    assert differences(worker) == []
