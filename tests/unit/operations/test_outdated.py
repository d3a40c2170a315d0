"""A tracker's memory is lost, and what it wrote and nobody remembers is taken back."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.journey.messages import Erasure, encode_message
from pipeline.journey.rules import Rules
from pipeline.operations.oracle import expected_tables
from pipeline.operations.outdated import FACTS, Written
from pipeline.personal.erasures import erased_in
from pipeline.tracker.changelog import fresh_meta
from pipeline.tracker.partition import META_KEY
from schemas.codec import encode_fact
from schemas.facts import Fact
from schemas.topics import TABLES
from tests.support.journeys import HOUR, MINUTE, NOON, RULES, SITE
from tests.support.tracker import LINKED, Log, Worker, line, tick
from tests.unit.tracker.test_linked import (
    Act,
    die,
    differences,
    end,
    hurry,
    new_logs,
    say,
    send,
    traffic,
    work,
)


def begin_anew(workers: list[Worker], *, is_taken_back: bool = True) -> int:
    """Lose the memory, and let the log be read again; give how much was taken back."""
    for worker in workers:
        worker.log.add(tick(0), NOON)
    taken_back = take_back(workers) if is_taken_back else 0
    for worker in workers:
        worker.pending.clear()
        worker.changelog = [(META_KEY, fresh_meta(len(worker.log.records)))]
        worker.committed = 0
        worker.die(0)
    return taken_back


def written(workers: list[Worker], rules: Rules = LINKED) -> Written:
    logs = [worker.log.records for worker in workers]
    found = Written(expected_tables(logs, LINKED), erased_in(logs), rules)
    for topic in FACTS:
        for fact in workers[0].tables.rows[TABLES[topic]].values():
            found.hear(topic, cast("Fact", fact), (0, b""))
    return found


def take_back(workers: list[Worker]) -> int:
    void = [*written(workers).retractions([len(worker.log.records) for worker in workers])]
    for each in void:
        workers[0].tables.insert(each.topic, (b"", encode_fact(each.fact), 0))
    return len(void)


@given(traffic(), st.lists(work | work | hurry | send | send | die, max_size=20))
def test_a_lost_memory_leaves_only_what_the_oracle_says(logs: list[Log], acts: list[Act]) -> None:
    workers = line(logs, LINKED)
    for act in acts:
        act(workers)
    begin_anew(workers)
    end(workers)
    assert differences(workers) == []


def refuted() -> list[Worker]:
    """A tracker writes two sessions and dies; what is read next shows that they were one."""
    logs = new_logs()
    say(logs, "a", NOON, NOON)
    say(logs, "b", NOON + 50 * MINUTE, NOON + 50 * MINUTE)
    workers = line(logs, LINKED)
    for worker in workers:
        worker.work(9)
        worker.send()
    say(logs, "c", NOON + 25 * MINUTE, NOON + HOUR)
    return workers


@pytest.mark.parametrize(("is_taken_back", "left"), [(True, 0), (False, 1)])
def test_a_session_that_nobody_remembers_is_taken_back(is_taken_back: bool, left: int) -> None:
    workers = refuted()
    assert begin_anew(workers, is_taken_back=is_taken_back) == is_taken_back
    end(workers)
    assert len(differences(workers)) == left


@pytest.mark.parametrize("rules", [LINKED, RULES])
def test_facts_of_other_rules_are_said_to_be_there(rules: Rules) -> None:
    assert written(refuted(), rules).is_of_other_rules == (rules is RULES)


def test_what_was_written_of_an_erased_person_is_left_alone() -> None:
    workers = refuted()
    for worker in workers:
        for is_final in (False, True):
            erasure = encode_message(Erasure(SITE, ["ada"], NOON + HOUR, is_final))
            worker.log.add(erasure, NOON + HOUR)
    ends = [len(worker.log.records) for worker in workers]
    assert [*written(workers).retractions(ends)] == []
