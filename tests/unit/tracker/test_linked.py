"""Visitors of several partitions become people: whatever the order, and wherever a worker dies."""

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any, cast

from clickhouse_connect.driver.client import Client
from hypothesis import given
from hypothesis import strategies as st

from pipeline.journey.people import person_id
from pipeline.journey.rules import compile_rules
from pipeline.kafka.records import partition_for
from pipeline.operations.comparison import Difference, compare
from pipeline.operations.oracle import expected_tables
from schemas.topics import record_key
from tests.support.journeys import DAY, HOUR, MINUTE, NOON, SITE
from tests.support.tracker import LINKED, Log, Worker, finish_all, line, tick, touchpoint

PARTITIONS = 3
VISITORS = ("ada", "bob", "cy", "dora", "eve")
CARRIED: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {"user_id": "7"},
    {"user_id": "8"},
    {"user_id": "null"},
    {"properties": {"customer_id": "c-1"}},
    {"properties": {"email_sha256": "e-1"}},
    {"properties": {"traits": {"subscriber_id": "s-1"}}},
    {"type": "alias", "user_id": "7", "previous_id": "9"},
)
NAMES = ("Page Viewed", "Product Viewed", "Product Added", "Order Completed", "Order Shipped")
Act = Callable[[list[Worker]], None]


def say(logs: list[Log], id_: str, at: int, now: int, **more: Any) -> None:
    """Append a touchpoint to the partition of its visitor."""
    fields = {"anonymous_id": "ada"} | more
    who = fields["anonymous_id"] or f"user:{fields['user_id']}"
    key = record_key(SITE, who)
    log = logs[partition_for(key, len(logs))]
    log.add(touchpoint(id_, at, **fields), now, key)


def new_logs() -> list[Log]:
    return [Log(partition=number) for number in range(PARTITIONS)]


@st.composite
def traffic(draw: st.DrawFn) -> list[Log]:
    logs, now = new_logs(), NOON
    numbers: Counter[str] = Counter()
    are_shared = draw(st.booleans())  # ids that several visitors have
    for number in range(draw(st.integers(1, 14))):
        now += draw(st.sampled_from((0, MINUTE, 20 * MINUTE, HOUR, 6 * HOUR)))
        carried = draw(st.sampled_from(CARRIED))
        who = draw(st.sampled_from(VISITORS))
        if "user_id" in carried and carried["user_id"] != "null" and draw(st.booleans()):
            who = ""
        late = draw(st.sampled_from((0, 0, 30 * MINUTE, 90 * MINUTE)))
        id_ = f"t{numbers[who or str(carried)] if are_shared else number}"
        numbers[who or str(carried)] += 1
        name = draw(st.sampled_from(NAMES))
        say(logs, id_, now - late, now, anonymous_id=who, name=name, **carried)
        if draw(st.integers(0, 5)) == 0:
            say(logs, id_, now - late, now, anonymous_id=who, name=name, **carried)
    return logs


def end(workers: list[Worker], silence: int = 7 * HOUR) -> None:
    """Read the rest, and then silence in all partitions."""
    finish_all(workers)
    now = max(record.timestamp for worker in workers for record in worker.log.records) + silence
    for _ in range(2):
        for worker in workers:
            worker.log.add(tick(now, SITE), now)
        finish_all(workers)


def differences(workers: list[Worker]) -> list[Difference]:
    logs = [worker.log.records for worker in workers]
    expected = expected_tables(logs, workers[0].rules)
    return compare(cast("Client", workers[0].tables), expected, [len(log) for log in logs])


def lived(logs: list[Log]) -> list[Worker]:
    workers = line(logs, LINKED)
    end(workers)
    assert differences(workers) == []
    return workers


def people(workers: list[Worker]) -> dict[str, str]:
    return {row["visitor_id"]: row["person_id"] for row in workers[0].tables.of("identities")}


SEVEN = person_id(SITE, "user:7")


def test_a_device_that_signs_in_is_its_user_and_the_session_is_not_split() -> None:
    logs = new_logs()
    say(logs, "a", NOON, NOON)
    say(logs, "b", NOON + MINUTE, NOON, type="identify", name="Identify", user_id="7")
    say(logs, "c", NOON + 2 * MINUTE, NOON, name="Product Viewed")
    workers = lived(logs)
    (session,) = workers[0].tables.of("sessions")
    assert (session["person_id"], session["touchpoints"]) == (SEVEN, 3)
    assert people(workers) == {"ada": SEVEN, "user:7": SEVEN}


def test_a_cart_left_on_the_phone_is_recovered_by_the_order_on_the_laptop() -> None:
    logs = new_logs()
    say(logs, "a", NOON, NOON, anonymous_id="phone", name="Product Added", user_id="7")
    say(logs, "b", NOON + HOUR, NOON + HOUR, anonymous_id="laptop", user_id="7", channel="store")
    say(
        logs,
        "c",
        NOON + HOUR,
        NOON + HOUR,
        anonymous_id="laptop",
        name="Order Completed",
        channel="store",
    )
    workers = lived(logs)
    carts = [row for row in workers[0].tables.of("abandonments") if row["kind"] == "cart"]
    assert [(row["visitor_id"], row["recovered_channel"]) for row in carts] == [("phone", "store")]
    moves = [row for row in workers[0].tables.of("transitions") if row["model"] == "lifecycle"]
    assert {row["person_id"] for row in moves} == {SEVEN}


def test_a_link_that_comes_late_rewrites_the_journeys_from_before() -> None:
    logs = new_logs()
    say(logs, "a", NOON, NOON, anonymous_id="phone", name="Order Completed")
    say(logs, "b", NOON + 4 * HOUR, NOON + 4 * HOUR, anonymous_id="laptop")
    for who in ("phone", "laptop"):
        later = NOON + 30 * HOUR
        say(logs, f"{who}-login", later, later, anonymous_id=who, user_id="7", name="Signed In")
    rows = list(lived(logs)[0].tables.of("transitions"))
    assert {row["person_id"] for row in rows} == {SEVEN}
    entered = {(row["visitor_id"], row["to_phase"]) for row in rows if row["model"] == "lifecycle"}
    assert ("laptop", "loyalty") in entered


def test_newsletter_website_shop_and_till_are_one_person() -> None:
    logs = new_logs()
    say(logs, "n", NOON, NOON, anonymous_id="mailbox", properties={"subscriber_id": "s-1"})
    say(logs, "w", NOON, NOON, anonymous_id="web", properties={"subscriber_id": "s-1"})
    say(logs, "u", NOON, NOON, anonymous_id="web", properties={"email_sha256": "e-1"})
    say(logs, "t", NOON, NOON, anonymous_id="till", properties={"email_sha256": "e-1"})
    everybody = people(lived(logs))
    first = person_id(SITE, "email:e-1")
    assert everybody == dict.fromkeys(
        ("mailbox", "web", "till", "email:e-1", "subscriber:s-1"), first
    )


def test_an_id_shared_by_too_many_lets_everybody_go_again() -> None:
    logs = new_logs()
    for number in range(4):
        at = NOON + number * HOUR
        say(logs, f"t{number}", at, at, anonymous_id=f"v{number}", user_id="till")
        say(logs, f"o{number}", at, at, anonymous_id=f"v{number}", name="Order Completed")
    workers = lived(logs)
    assert people(workers) == {}
    sessions = list(workers[0].tables.of("sessions"))
    assert len({row["person_id"] for row in sessions}) == 4


def test_a_link_in_a_touchpoint_that_comes_too_late_counts() -> None:
    logs = new_logs()
    say(logs, "a", NOON, NOON)
    say(logs, "b", NOON - 3 * HOUR, NOON, user_id="7")
    assert people(lived(logs)) == {"ada": SEVEN, "user:7": SEVEN}


def test_a_backlog_longer_than_evidence_is_kept_gives_the_people_of_the_oracle() -> None:
    rules = compile_rules(
        [model.model for model in LINKED.models],
        allowed_lateness=timedelta(hours=2),
        journey_timeout=timedelta(hours=5),
        customer_timeout=timedelta(days=9),
        evidence_retention=timedelta(hours=3),
    )
    logs = new_logs()
    for number in range(30):
        at = NOON + number * 2 * HOUR
        who = ("phone", "laptop", "tablet")[number % 3]
        name = NAMES[number % len(NAMES)]
        say(logs, f"t{number}", at, at, anonymous_id=who, user_id="7", name=name)
    workers = line(logs, rules)
    for worker in workers:
        worker.work(1000)  # all of it before the first link is heard
    end(workers)
    assert differences(workers) == []
    moves = workers[0].tables.of("transitions")
    assert {row["person_id"] for row in moves} == {SEVEN}


work: st.SearchStrategy[Act] = st.builds(
    lambda who, most: lambda workers: workers[who].work(most),
    st.integers(0, PARTITIONS - 1),
    st.integers(1, 5),
)
send: st.SearchStrategy[Act] = st.integers(0, PARTITIONS - 1).map(
    lambda who: lambda workers: workers[who].send()
)
hurry: st.SearchStrategy[Act] = st.integers(0, PARTITIONS - 1).map(
    lambda who: lambda workers: workers[who].hurry()
)
stutter: st.SearchStrategy[Act] = st.builds(
    lambda who, sent: lambda workers: workers[who].stutter(sent),
    st.integers(0, PARTITIONS - 1),
    st.integers(0, 20),
)
die: st.SearchStrategy[Act] = st.builds(
    lambda who, sent, compacted, committed: (
        lambda workers: workers[who].die(sent, is_compacted=compacted, has_committed=committed)
    ),
    st.integers(0, PARTITIONS - 1),
    st.integers(0, 30),
    st.booleans(),
    st.booleans(),
)


@given(traffic(), st.lists(work | work | hurry | send | send, max_size=20))
def test_people_are_those_of_the_oracle_whatever_partition_is_ahead(
    logs: list[Log], acts: list[Act]
) -> None:
    workers = line(logs, LINKED)
    for act in acts:
        act(workers)
    end(workers)
    assert differences(workers) == []


@given(traffic(), st.lists(work | work | hurry | send | send | stutter | die, max_size=30))
def test_dying_anywhere_ends_in_the_same_people(logs: list[Log], acts: list[Act]) -> None:
    workers = line(logs, LINKED)
    for act in acts:
        act(workers)
    end(workers)
    assert differences(workers) == []


@given(traffic())
def test_after_long_silence_nobody_is_remembered_but_the_links(logs: list[Log]) -> None:
    workers = line(logs, LINKED)
    end(workers, 20 * DAY)
    assert [key for worker in workers for key in worker.partition.states if key[0] != 2] == []


PEOPLE = 3000 if os.environ.get("LONG") == "1" else 500


def many_people() -> list[Log]:
    """Devices, logins, customer cards and mail addresses of many, late, twice, shuffled."""
    random = Random(PEOPLE)  # noqa: S311 - not for secrets
    logs = new_logs()
    arrivals: list[tuple[int, str, int, dict[str, Any]]] = []
    for person in range(PEOPLE):
        devices = [f"v{person}-{number}" for number in range(random.choice((1, 1, 2, 3)))]
        carried = known_by(person) if random.random() < 0.6 else []
        for number in range(random.randint(1, 6)):
            at = NOON + random.randrange(20 * HOUR)
            more = {"anonymous_id": random.choice(devices), "name": random.choice(NAMES)}
            if carried and random.random() < 0.5:
                more |= random.choice(carried)
            arrival = at + random.choice((0, 0, MINUTE, HOUR, 115 * MINUTE))
            copies = random.choice((1, 1, 1, 2))
            arrivals += [(arrival, f"t{person}-{number}", at, more)] * copies
    random.shuffle(arrivals)
    for arrival, id_, at, more in sorted(arrivals, key=lambda one: one[0]):
        say(logs, id_, at, arrival, **more)
    return logs


def known_by(person: int) -> list[dict[str, Any]]:
    """What a person may be known by; every tenth shares an address, every hundredth the till."""
    return [
        {"user_id": f"u{person}"},
        {"properties": {"customer_id": f"c{person}" if person % 100 else "till"}},
        {"properties": {"email_sha256": f"e{person // 2 if person % 10 == 0 else person}"}},
    ]


def test_many_people_are_those_of_the_oracle() -> None:
    workers = line(many_people(), LINKED)
    while any(worker.position < len(worker.log.records) for worker in workers):
        for worker in workers:
            worker.work(64)
            worker.send()
    end(workers)
    assert differences(workers) == []
    assert len(set(people(workers).values())) > PEOPLE / 3


def test_of_a_visitors_identifiers_the_newest_fifty_are_remembered() -> None:
    logs, key = new_logs(), record_key(SITE, "ada")
    for number in range(60):
        customer = {"customer_id": f"c-{number}"}
        say(logs, f"t{number}", NOON + number, NOON + number, properties=customer)
    workers = line(logs)
    finish_all(workers)
    state = workers[partition_for(key, PARTITIONS)].partition.visitor(key)
    assert state is not None
    assert [name.rpartition("-")[2] for name in state.identifiers] == [
        str(number) for number in range(10, 60)
    ]


def shop(*said: tuple[str, int, str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Let visitors do things, minutes after noon, and give the abandonments after the silence."""
    logs = new_logs()
    for number, (who, minutes, name, carried) in enumerate(said):
        at = NOON + minutes * MINUTE
        for log in logs:
            log.add(tick(at, SITE), at)
        say(logs, f"t{number}", at, at, anonymous_id=who, name=name, **carried)
    workers = line(logs, LINKED)
    end(workers)
    return list(workers[0].tables.of("abandonments"))


BUYER = {"properties": {"email_sha256": "e-1"}}


def test_a_cart_that_is_told_again_of_another_device_stays_one_row() -> None:
    left = shop(
        ("phone", 0, "Product Added", BUYER),
        ("laptop", 10, "Page Viewed", {}),
        ("laptop", 120, "Newsletter Subscribed", BUYER),
    )
    assert [(row["kind"], row["visitor_id"]) for row in left if row["kind"] == "cart"] == [
        ("cart", "laptop")
    ]


def test_a_cart_is_none_once_the_device_that_ordered_turns_out_to_be_the_same_person() -> None:
    left = shop(
        ("phone", 0, "Product Added", BUYER),
        ("laptop", 10, "Page Viewed", {}),
        ("tablet", 20, "Order Completed", {}),
        ("laptop", 120, "Newsletter Subscribed", BUYER),
        ("tablet", 240, "Newsletter Subscribed", BUYER),
    )
    assert [row["kind"] for row in left if row["kind"] == "cart"] == []
