"""The way of a chunk through the tracker: what it writes and what it passes over."""

from pathlib import Path
from typing import Any

from pipeline.journey.rules import compile_rules
from pipeline.settings import Settings
from pipeline.tracker.partition import META_KEY, Partition
from pipeline.tracker.steps import checkpoint, process
from schemas.journeys import load_models
from schemas.topics import DEAD_LETTERS, SESSIONS, TOUCHPOINTS, TRANSITIONS
from tests.support.journeys import DAY, HOUR, MINUTE, NOON, RULES
from tests.support.tracker import Log, log_of, run, tick, touchpoint, untimed, written

ADA = b"shop:ada"


def test_the_steps_are_named_in_their_order() -> None:
    names: list[str] = []

    def note(name: str, step: Any) -> None:
        names.append(name)
        step()

    partition = Partition(0)
    process(partition, log_of(touchpoint("a", NOON)).records, RULES, 1, note)
    assert names == ["decode", "enrich", "judge", "remember", "write"]
    names.clear()
    assert len(list(checkpoint(partition, RULES, 1, note))) == 3
    assert names == ["fold", "remember"]


def test_what_was_read_makes_a_checkpoint_worth_making() -> None:
    partition = Partition(0)
    process(partition, log_of(tick(NOON)).records, RULES, 1, untimed)
    assert partition.is_ahead
    assert list(checkpoint(partition, RULES, 1, untimed))
    assert not partition.is_ahead


def test_a_touchpoint_becomes_a_row_a_session_a_state_and_the_partitions_own_entry() -> None:
    output = run(log_of(touchpoint("a", NOON)))
    assert {topic: [row[0] for row in rows] for topic, rows in output.rows.items()} == {
        "sessions": [ADA],
        "transitions": [ADA],
        "touchpoints": [ADA],
    }
    assert [key for key, _, _ in output.state] == [ADA, META_KEY]
    assert output.fates == {"sessionised": 1}


def test_everything_carries_the_timestamp_of_its_record() -> None:
    log = Log()
    log.say(touchpoint("a", NOON), NOON + 5)
    output = run(log)
    rows = [row for batch in output.rows.values() for row in batch]
    assert {at for _, _, at in rows + output.state} == {NOON + 5}


def test_a_row_says_where_its_record_stands() -> None:
    log = log_of(b"{", touchpoint("a", NOON))
    (row,) = written(run(log, partition=Partition(3), partitions=4), TOUCHPOINTS.name)
    assert (row.kafka_partition, row.kafka_offset) == (3, 1)


def test_facts_have_the_offset_of_the_newest_record_behind_them_as_version() -> None:
    log = log_of(b"{", touchpoint("a", NOON), touchpoint("b", NOON + 1), b"{")
    (session,) = written(run(log), SESSIONS.name)
    assert (session.touchpoints, session.version) == (2, 2)


def test_a_visitor_who_comes_several_times_in_a_chunk_is_written_once() -> None:
    output = run(log_of(*(touchpoint(f"t{number}", NOON + number) for number in range(5))))
    assert len(output.rows["sessions"]) == 1
    assert [key for key, _, _ in output.state] == [ADA, META_KEY]


def test_a_touchpoint_seen_before_is_counted_and_not_written_again() -> None:
    output = run(log_of(touchpoint("a", NOON), touchpoint("a", NOON)))
    assert output.fates == {"sessionised": 1, "duplicate": 1}
    assert len(output.rows["touchpoints"]) == 1


def test_a_touchpoint_seen_in_an_earlier_chunk_is_not_written_again() -> None:
    partition = Partition(0)
    log = log_of(touchpoint("a", NOON))
    run(log, partition=partition)
    log.add(touchpoint("a", NOON), NOON, ADA)
    log.records = log.records[1:]
    output = run(log, partition=partition)
    assert (output.fates, output.rows) == ({"duplicate": 1}, {})


def test_a_touchpoint_as_old_as_the_allowed_lateness_is_sessionised() -> None:
    output = run(log_of(touchpoint("a", NOON), touchpoint("b", NOON - DAY)))
    assert output.fates == {"sessionised": 2}


def test_an_older_one_is_kept_as_late_and_changes_no_session() -> None:
    output = run(log_of(touchpoint("a", NOON), touchpoint("b", NOON - DAY - 1)))
    assert output.fates == {"sessionised": 1, "late": 1}
    assert [row.is_late for row in written(output, TOUCHPOINTS.name)] == [False, True]
    assert [s.first_touchpoint_id for s in written(output, SESSIONS.name)] == ["a"]


def test_who_is_sent_by_a_spammer_is_a_bot() -> None:
    spammer = min(RULES.traffic.spammers)
    output = run(log_of(touchpoint("a", NOON, referrer=f"https://{spammer}/")))
    assert [row.is_bot for row in written(output, TOUCHPOINTS.name)] == [True]
    assert [session.is_bot for session in written(output, SESSIONS.name)] == [True]


def test_what_is_late_for_one_site_is_not_for_another() -> None:
    output = run(
        log_of(touchpoint("a", NOON), touchpoint("b", NOON - 2 * DAY, site="store"), key=None)
    )
    assert output.fates == {"sessionised": 2}


def test_records_up_to_the_partitions_offset_are_skipped() -> None:
    partition, log = Partition(0), log_of(touchpoint("a", NOON), b"{")
    run(log, partition=partition)
    output = run(log, partition=partition)
    assert (output.fates, output.rows) == ({"replayed": 2}, {})
    assert (output.offset, partition.offset) == (1, 1)


def test_reading_old_records_again_does_not_put_the_partition_back() -> None:
    partition, log = Partition(0), log_of(*(touchpoint(f"t{n}", NOON) for n in range(3)))
    run(log, partition=partition)
    log.records = log.records[:1]
    output = run(log, partition=partition)
    assert (output.offset, partition.offset) == (0, 2)


# --- several lines ------------------------------------------------------------------------------


def test_every_line_of_a_value_is_a_touchpoint() -> None:
    lines = [touchpoint("a", NOON), touchpoint("b", NOON, anonymous_id="bob")]
    output = run(log_of(b"\n".join(lines), key=None))
    assert output.fates == {"sessionised": 2}
    assert [row.kafka_offset for row in written(output, TOUCHPOINTS.name)] == [0, 0]


def test_empty_lines_and_windows_line_ends_mean_nothing() -> None:
    value = b"\n" + touchpoint("a", NOON) + b"\r\n\n" + touchpoint("b", NOON) + b"\n"
    assert run(log_of(value, key=None)).fates == {"sessionised": 2}


def test_a_bad_line_is_refused_alone() -> None:
    lines = [touchpoint("a", NOON), b'{"oops":1}', touchpoint("b", NOON)]
    output = run(log_of(b"\n".join(lines)))
    assert output.fates == {"sessionised": 2, "dead_letter": 1}
    assert [letter.payload for letter in written(output, DEAD_LETTERS.name)] == ['{"oops":1}']


def test_a_tick_may_stand_between_touchpoints() -> None:
    cart = touchpoint("a", NOON, name="Product Added")
    value = b"\n".join((cart, tick(NOON + 31 * MINUTE), touchpoint("b", NOON + HOUR)))
    assert run(log_of(value)).fates == {"sessionised": 2, "tick": 1}


# --- a model of one's own ------------------------------------------------------------------------

OWN = """
id = "support"
version = "1"
funnel = ["Ticket Opened", "Ticket Solved"]
order = ["Ticket Solved"]
cycle = { leave = ["happy"], enter = ["waiting"] }
phases = [
    { id = "waiting", en = "Waiting", de = "Wartend" },
    { id = "happy", en = "Happy", de = "Zufrieden" },
]
[[rules]]
id = "opened"
phase = "waiting"
touchpoints = ["Ticket Opened"]
channels = ["support"]
[[rules]]
id = "rated"
phase = "happy"
touchpoints = ["Ticket Rated"]
where = [{ property = "stars", at_least = 4 }]
"""


def test_a_sixth_model_from_a_file_classifies_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    names = [*Settings(_secrets_dir=None).journey_models, str(tmp_path / "own.toml")]
    rules = compile_rules(load_models(names))
    told = [
        ("Ticket Opened", "website", {}),
        ("Ticket Opened", "support", {}),
        ("Ticket Rated", "support", {"stars": 3}),
        ("Ticket Rated", "support", {"stars": 5}),
        ("Page Viewed", "website", {}),
        ("Ticket Opened", "support", {}),
    ]
    output = run(
        log_of(
            *(
                touchpoint(f"t{n}", NOON + n, name=name, channel=channel, properties=properties)
                for n, (name, channel, properties) in enumerate(told)
            )
        ),
        rules,
    )
    rows = written(output, TRANSITIONS.name)
    assert [
        (row.touchpoint_id, row.kind, row.to_phase, row.cycle, row.rule)
        for row in rows
        if row.model == "support"
    ] == [
        ("t1", "enter", "waiting", 1, "opened"),
        ("t3", "forward", "happy", 1, "rated"),
        ("t5", "cycle", "waiting", 2, "opened"),
    ]
    assert {row.model: row.to_phase for row in rows if row.touchpoint_id == "t4"} == {
        "lifecycle": "awareness",
        "aida": "attention",
        "favorability": "awareness",
        "canvas": "awareness",
        "purchase": "before",
    }
    assert {row.rule_version for row in rows} == {rules.version}
