"""What is wrong in the tables of a running system, and whom a repair concerns."""

import dataclasses
from datetime import timedelta
from typing import cast

import pytest
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from pipeline.operations.comparison import compare
from pipeline.operations.live_check import (
    Checked,
    LogCut,
    in_span,
    refuse_cut,
    told_again,
    wrong_in,
)
from pipeline.operations.oracle import expected_tables
from pipeline.operations.rebuild.told import Placed, told_touchpoint
from pipeline.reports.span import Span
from schemas.codec import decode_touchpoint
from tests.support.journeys import HOUR, NOON, RULES, SITE
from tests.support.tracker import Log, Worker, instant, tick, touchpoint


def told() -> Worker:
    """Let three visitors do something, of whom two are one person."""
    log = Log()
    for number, who in enumerate("abcabc"):
        user = {"user_id": "u"} if who != "c" else {}
        log.say(touchpoint(f"{who}{number}", NOON + number * 3 * HOUR, anonymous_id=who, **user))
    log.say(tick(NOON + 90 * HOUR))
    worker = Worker(log)
    worker.finish()
    return worker


def checked(worker: Worker, span: Span) -> Checked:
    log = [[*worker.log.records]]
    expected = expected_tables(log, RULES)
    client, ends = cast("Client", worker.tables), [len(log[0])]
    return Checked(log, expected, compare(client, expected, ends, in_span(span)))


def test_nothing_is_wrong_where_nothing_is() -> None:
    assert checked(told(), Span()).differences == []


def test_whose_rows_differ_is_named_with_the_touchpoints_that_the_log_has() -> None:
    worker = told()
    touchpoints, sessions = worker.tables.rows["touchpoints"], worker.tables.rows["sessions"]
    del touchpoints[f"{SITE} c c2"]
    foreign = replace(touchpoints[f"{SITE} a a0"], touchpoint_id="z", anonymous_id="z")
    touchpoints[f"{SITE} z z"] = replace(foreign, visitor_id="z", kafka_offset=0)
    sessions.clear()
    found = wrong_in(checked(worker, Span()))
    assert found[SITE].names == {"a", "b", "c"}
    assert found[SITE].ids == {("c", "c2")}


def test_what_is_outside_the_span_or_of_another_site_is_not_asked_about() -> None:
    worker = told()
    worker.tables.rows["touchpoints"].clear()
    first = Span(site=SITE, start=instant(NOON), end=instant(NOON) + timedelta(hours=1))
    assert [each.id for each in checked(worker, first).differences] == [f"{SITE} a a0"]
    assert checked(worker, Span(site="other")).differences == []


def test_a_log_without_its_beginning_is_refused_with_what_can_be_done_instead() -> None:
    records = told().log.records
    refuse_cut([records, []])
    with pytest.raises(LogCut, match=r"begins at \d+.* only.*`touchstream rebuild`"):
        refuse_cut([records, records[1:]])


def test_what_is_told_again_has_the_place_of_its_first_copy() -> None:
    log = [*told().log.records]
    copy = dataclasses.replace(log[2], offset=len(log))
    again = told_again([[*log, copy]], RULES, SITE, {("c", "c2"), ("c", "never")})
    assert [(one.touchpoint.touchpoint_id, one.offset) for one in again] == [("c2", log[2].offset)]


def test_what_a_rebuild_has_corrected_is_told_again_as_it_was_corrected() -> None:
    log = told().log
    right = Placed(decode_touchpoint(touchpoint("c2", NOON + 5, anonymous_id="c")))
    record = told_touchpoint(right, NOON)
    log.add(record.value, NOON, record.key)
    [again] = told_again([log.records], RULES, SITE, {("c", "c2")})
    assert again == right._replace(offset=len(log.records) - 1)
