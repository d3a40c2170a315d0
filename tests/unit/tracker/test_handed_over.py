"""What a visitor hands over to its person arrives there, whatever its size."""

from dataclasses import replace

from pipeline.journey.crowd import MOST
from tests.support.journeys import HOUR, MINUTE, NOON
from tests.support.tracker import LINKED, Log, finish_all, line
from tests.unit.tracker.test_linked import SEVEN, end, lived, new_logs, say

LONG = "https://shop.example/" + "ü" * 1500
LARGEST = 1024 * 1024
"""Bytes of the largest record that Kafka takes."""


def long_visit(logs: list[Log], touchpoints: int) -> None:
    for number in range(touchpoints):
        at = NOON + number * MINUTE
        say(logs, f"t{number}", at, at, url=f"{LONG}{number}", name="Product Viewed")


def test_a_visit_with_very_long_addresses_reaches_the_person_whole() -> None:
    logs = new_logs()
    long_visit(logs, 60)
    say(logs, "login", NOON + 60 * MINUTE, NOON + 60 * MINUTE, user_id="7")
    workers = lived(logs)
    assert list(workers[0].tables.of("dead_letters")) == []


def test_no_message_is_larger_than_kafka_takes() -> None:
    logs = new_logs()
    say(logs, "login", NOON - MINUTE, NOON, user_id="7")
    workers = line(logs, LINKED)
    finish_all(workers)
    long_visit(logs, 400)
    for worker in workers:
        worker.work(400)
        worker.send()
    sizes = [len(record.value or b"") for log in logs for record in log.records]
    assert max(sizes) < LARGEST


FORGETFUL = replace(LINKED, evidence_retention_ms=3 * HOUR)


def test_an_order_that_was_sealed_moves_with_its_visitor_from_person_to_person() -> None:
    logs = new_logs()
    workers = line(logs, FORGETFUL)
    later = NOON + 20 * HOUR
    say(logs, "a", NOON, NOON, name="Order Completed", properties={"email_sha256": "e-1"})
    end(workers)
    say(logs, "b", later, later, user_id="7")
    end(workers)
    say(logs, "c", later + 8 * HOUR, later + 8 * HOUR, name="Order Completed")
    end(workers)
    (move,) = (row for row in workers[0].tables.of("transitions") if row["touchpoint_id"] == "c")
    assert (move["person_id"], move["to_phase"]) == (SEVEN, "loyalty")


def test_what_was_open_when_it_was_sealed_is_abandoned_by_the_person_alone() -> None:
    logs = new_logs()
    workers = line(logs, FORGETFUL)
    for number in range(MOST // 128 + 1):
        name = "Page Viewed" if number else "Product Added"
        say(logs, f"t{number:04}", NOON + number, NOON + number, name=name)
    finish_all(workers)
    say(logs, "login", NOON + MINUTE, NOON + MINUTE, user_id="7")
    end(workers)
    carts = [row for row in workers[0].tables.of("abandonments") if row["kind"] == "cart"]
    assert [row["person_id"] for row in carts] == [SEVEN]


def test_a_person_that_everybody_has_left_abandons_nothing_any_more() -> None:
    logs = new_logs()
    workers = line(logs, FORGETFUL)
    for number in range(MOST // 128 + 1):
        name = "Page Viewed" if number else "Product Added"
        say(logs, f"t{number:04}", NOON + number, NOON + number, name=name)
    say(logs, "mail", NOON + MINUTE, NOON + MINUTE, properties={"email_sha256": "e-1"})
    finish_all(workers)
    say(logs, "login", NOON + 2 * MINUTE, NOON + 2 * MINUTE, user_id="7")
    end(workers)
    carts = [row for row in workers[0].tables.of("abandonments") if row["kind"] == "cart"]
    assert [row["person_id"] for row in carts] == [SEVEN]


def test_a_link_in_a_late_touchpoint_has_the_version_of_its_record() -> None:
    logs = new_logs()
    for number in range(3):
        say(logs, f"t{number}", NOON, NOON)
    say(logs, "late", NOON - 3 * HOUR, NOON, user_id="7")
    (link,) = lived(logs)[0].tables.of("links")
    assert link["version"] == 3
