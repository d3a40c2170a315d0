"""What a visitor hands over to its person arrives there, whatever its size."""

from tests.support.journeys import MINUTE, NOON
from tests.support.tracker import LINKED, Log, finish_all, line
from tests.unit.tracker.test_linked import lived, new_logs, say

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
