"""The same log, cut and interrupted anywhere: the same tables."""

from collections.abc import Callable, Iterator
from typing import cast

import msgspec
from clickhouse_connect.driver.client import Client
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.journey.clock import SILENCE_MS
from pipeline.journey.memory import is_over
from pipeline.journey.state import Cursor, decode_state
from pipeline.operations.comparison import Difference, compare
from pipeline.operations.oracle import expected_tables
from pipeline.tracker.partition import META_KEY, PLACES_KEY, site_of
from schemas.dead_letter import DeadLetter
from schemas.topics import ABANDONMENTS, SESSIONS, TRANSITIONS
from schemas.touchpoint import TouchpointRow
from tests.support.journeys import DAY, HOUR, MINUTE, NOON
from tests.support.tracker import QUICK, AnyRow, Log, Worker, tick, touchpoint

SITES = ("shop", "store")
VISITORS = ("ada", "bob", "cy")
NAMES = (
    "Page Viewed",
    "Product Viewed",
    "Product Added",
    "Product Added",
    "Checkout Started",
    "Order Completed",
    "Order Shipped",
    "Form Started",
    "Form Submitted",
    "Email Delivered",
    "Email Opened",
    "Unsubscribed",
    "Script Error",
)
PAUSES = (0, 1, MINUTE, 20 * MINUTE, 30 * MINUTE, 30 * MINUTE + 1, HOUR, 3 * HOUR, 8 * HOUR)
DELAYS = (0, 0, 0, -20 * MINUTE, MINUTE, 40 * MINUTE, 2 * HOUR, 2 * HOUR + 1, 6 * HOUR)
BROKEN = (b"", b"{", b'{"tick":"never"}', b'{"site":"shop"}')

Act = Callable[[Worker], None]


@st.composite
def touchpoints(draw: st.DrawFn, id_: str, now: int) -> bytes:
    return touchpoint(
        id_,
        now - draw(st.sampled_from(DELAYS)),
        site=draw(st.sampled_from(SITES)),
        anonymous_id=draw(st.sampled_from(VISITORS)),
        name=draw(st.sampled_from(NAMES)),
        channel=draw(st.sampled_from(("shop", "newsletter"))),
        properties={
            "order_id": draw(st.sampled_from(("", "o-1"))),
            "product_id": draw(st.sampled_from(("", "p-1", "p-2"))),
            "form": draw(st.sampled_from(("", "contact"))),
            "price": 9.5,
            "revenue": 9.5,
        },
    )


@st.composite
def ticks(draw: st.DrawFn, now: int) -> bytes:
    return draw(
        st.sampled_from(
            (
                *(tick(now), tick(now), tick(now + 3 * DAY)),
                *(tick(now + ahead, site) for site in SITES for ahead in (0, 7 * HOUR)),
            )
        )
    )


@st.composite
def logs(draw: st.DrawFn) -> Log:
    log, now = Log(), NOON
    for number in range(draw(st.integers(1, 15))):
        now += draw(st.sampled_from(PAUSES))
        kind = draw(st.integers(0, 19))
        if kind <= 11:
            log.say(draw(touchpoints(f"t{number}", now)), now)
        elif kind <= 13 and log.records:
            log.add(draw(st.sampled_from(log.records)).value, now)
        elif kind <= 14:
            lines = [draw(touchpoints(f"t{number}.{line}", now)) for line in range(3)]
            log.add(b"\n".join(lines), now)
        elif kind <= 15:
            log.add(draw(st.sampled_from(BROKEN)), now, b"shop:ada")
        else:
            log.add(draw(ticks(now)), now)
    return log


def end(worker: Worker, silence: int) -> None:
    """Read the rest, and then silence: two ticks for every site, as the next ones always come."""
    worker.finish()
    now = worker.log.records[-1].timestamp + 7 * HOUR + silence
    for _ in range(2):
        for site in SITES:
            worker.log.add(tick(now, site), now)
        worker.finish()


def differences(worker: Worker) -> list[Difference]:
    expected = expected_tables([worker.log.records], worker.rules)
    return compare(cast("Client", worker.tables), expected, [len(worker.log.records)])


def heads(worker: Worker) -> dict[bytes, Cursor]:
    """What evidence and silence have come to, however much of the evidence is sealed.

    Silence that was judged before anything that could still arrive makes no difference, nor does
    who could have been forgotten by now.
    """
    found = {}
    for key, state in worker.partition.states.items():
        somebody, horizon = decode_state(state), worker.partition.clock.horizon(site_of(key))
        if not is_over(somebody, horizon, worker.rules):
            open_ = horizon - worker.rules.allowed_lateness_ms
            head = somebody.head
            found[key] = replace(head, settled_at=max(head.settled_at, open_))
    return found


def versions(worker: Worker) -> Iterator[tuple[str, int]]:
    for output in worker.pending:
        for topic in (SESSIONS, TRANSITIONS, ABANDONMENTS):
            for _, value, _ in output.rows.get(topic.name, ()):
                fields = msgspec.json.decode(value or b"")
                yield next(iter(fields.values())), fields["version"]


cuts = st.lists(st.integers(1, 6), max_size=15)


@given(logs(), cuts)
def test_chunks_of_any_size_give_the_tables_of_the_oracle(log: Log, sizes: list[int]) -> None:
    worker = Worker(log, QUICK)
    for size in sizes:
        worker.work(size)
        worker.send()
    end(worker, HOUR)
    assert differences(worker) == []


@given(logs(), cuts)
def test_chunks_of_any_size_end_in_the_same_states(log: Log, sizes: list[int]) -> None:
    in_chunks, one_by_one = Worker(log, QUICK), Worker(Log([*log.records]), QUICK)
    for size in sizes:
        in_chunks.work(size)
    for worker in (in_chunks, one_by_one):
        end(worker, -6 * HOUR)
    assert heads(in_chunks) == heads(one_by_one)
    assert in_chunks.partition.times == one_by_one.partition.times


@given(logs(), cuts)
def test_no_row_is_ever_written_with_a_lower_version_than_before(
    log: Log, sizes: list[int]
) -> None:
    worker = Worker(log, QUICK)
    newest: dict[str, int] = {}
    for size in (*sizes, *(1 for _ in log.records)):
        worker.work(size)
        for id_, version in versions(worker):
            assert newest.get(id_, 0) <= version
            newest[id_] = version
        worker.send()


@given(logs(), cuts)
def test_after_long_silence_nothing_is_remembered(log: Log, sizes: list[int]) -> None:
    worker = Worker(log, QUICK)
    for size in sizes:
        worker.work(size)
    end(worker, 5 * HOUR + SILENCE_MS)
    assert worker.partition.states == {}
    assert {key for key, value in dict(worker.changelog).items() if value} == {META_KEY, PLACES_KEY}


work: st.SearchStrategy[Act] = st.integers(1, 6).map(lambda most: lambda w: w.work(most))
send: st.SearchStrategy[Act] = st.just(Worker.send)
pause: st.SearchStrategy[Act] = st.just(Worker.checkpoint)
hurry: st.SearchStrategy[Act] = st.just(Worker.hurry)
stutter: st.SearchStrategy[Act] = st.integers(0, 30).map(lambda sent: lambda w: w.stutter(sent))
die: st.SearchStrategy[Act] = st.builds(
    lambda sent, compacted, committed: (
        lambda w: w.die(sent, is_compacted=compacted, has_committed=committed)
    ),
    st.integers(0, 40),
    st.booleans(),
    st.booleans(),
)


@given(logs(), st.lists(work | work | work | hurry | pause | send | stutter | die, max_size=25))
def test_dying_anywhere_ends_in_the_same_tables(log: Log, acts: list[Act]) -> None:
    worker = Worker(log, QUICK)
    for act in acts:
        act(worker)
    end(worker, HOUR)
    assert differences(worker) == []


@given(logs(), st.lists(work | hurry | send | die, max_size=12), st.integers(0, 20))
def test_reading_again_from_any_earlier_offset_changes_nothing(
    log: Log, acts: list[Act], back: int
) -> None:
    worker = Worker(log, QUICK)
    for act in acts:
        act(worker)
    worker.send()
    worker.committed = max(0, worker.committed - back)
    worker.die(0)
    end(worker, HOUR)
    assert differences(worker) == []


def rows_without_versions(worker: Worker) -> dict[str, dict[str, AnyRow]]:
    """The rows; a version may be that of a tick that came before the checkpoint, or after it."""
    return {
        table: {
            id_: row if isinstance(row, TouchpointRow | DeadLetter) else replace(row, version=0)
            for id_, row in rows.items()
        }
        for table, rows in worker.tables.rows.items()
    }


def test_reading_everything_again_without_a_state_writes_the_same_rows() -> None:
    log = Log()
    for number in range(30):
        at = NOON + number * 20 * MINUTE
        log.say(touchpoint(f"t{number}", at, name=NAMES[number % len(NAMES)]), at)
    worker = Worker(log, QUICK)
    end(worker, HOUR)
    before = rows_without_versions(worker)
    worker.changelog, worker.committed = [], 0
    worker.die(0)
    worker.finish()
    assert rows_without_versions(worker) == before


def all_but_the_last_effect(worker: Worker) -> int:
    """The partition's own entry of the last chunk is what a crash loses first."""
    return len(worker._effects()) - 1


def test_two_crashes_around_a_tombstone_do_not_make_a_visitor_new() -> None:
    log = Log()
    log.say(touchpoint("first", NOON), NOON)
    log.say(touchpoint("second", NOON + MINUTE), NOON + MINUTE)
    log.add(tick(NOON + 8 * HOUR, "shop"), NOON + 8 * HOUR)
    worker = Worker(log, QUICK)
    worker.work(1)
    worker.send()
    for chunk in (1, 2):
        worker.work(chunk)
        worker.die(all_but_the_last_effect(worker))
    end(worker, HOUR)
    assert differences(worker) == []
    assert len(worker.tables.rows["sessions"]) == 1


def test_a_checkpoint_begun_after_others_were_committed_is_made_again_where_it_was() -> None:
    log = Log()
    log.say(touchpoint("put in", NOON, name="Product Added"), NOON)
    log.say(touchpoint("meanwhile", NOON, anonymous_id="bob"), NOON)
    log.add(tick(NOON + 110 * MINUTE, "shop"), NOON + 110 * MINUTE)
    log.say(touchpoint("bought", NOON + MINUTE, name="Order Completed"), NOON + 2 * HOUR)
    worker = Worker(log, QUICK)
    for _ in range(3):  # each on its way before the one before it is known to be complete
        worker.work(1)
        worker.checkpoint()
    begun = [output.state for output in worker.pending if output.state]
    worker.die(len(worker._effects()) - len(begun[-1]) - len(begun[-2]), has_committed=True)
    assert "cart" in {row["kind"] for row in worker.tables.of("abandonments")}
    assert worker.position == 2
    worker.work(2)  # the tick and the order that refutes what was abandoned by then
    end(worker, HOUR)
    assert differences(worker) == []


def test_who_was_woken_before_a_crash_is_woken_there_again_whenever_the_tick_was_heard() -> None:
    log = Log()
    log.say(touchpoint("put in", NOON, name="Product Added"), NOON)
    log.add(tick(NOON + MINUTE, "shop"), NOON + MINUTE)
    later = NOON + 110 * MINUTE
    log.say(touchpoint("meanwhile", later, anonymous_id="bob"), later)
    log.say(touchpoint("bought", NOON + MINUTE, name="Order Completed"), NOON + 2 * HOUR)
    worker = Worker(log, QUICK)
    worker.work(3)
    worker.checkpoint()
    worker.die(len(worker._effects()) - sum(len(output.state) for output in worker.pending))
    assert "cart" in {row["kind"] for row in worker.tables.of("abandonments")}
    worker.work(2)
    worker.checkpoint()  # this run pauses here, and hears the tick with less of the log
    worker.work(1)
    end(worker, HOUR)
    assert differences(worker) == []
