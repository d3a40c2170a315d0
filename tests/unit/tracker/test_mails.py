"""Opens and clicks of machines on their way through the tracker."""

from schemas.topics import TOUCHPOINTS, TRANSITIONS
from tests.support.journeys import NOON
from tests.support.tracker import log_of, run, touchpoint, written

MAIL = {"name": "Email Opened", "channel": "newsletter", "type": "track"}


def test_what_a_person_opened_begins_a_journey() -> None:
    (transition,) = written(run(log_of(touchpoint("a", NOON, **MAIL))), TRANSITIONS.name)
    assert "awareness" == transition.to_phase


def test_what_a_machine_opened_is_a_row_but_moves_nobody_on() -> None:
    by_a_machine = touchpoint("a", NOON, **MAIL, properties={"is_machine_open": True})
    output = run(log_of(by_a_machine))
    (row,) = written(output, TOUCHPOINTS.name)
    assert "Email Opened" == row.name
    assert TRANSITIONS.name not in output.rows
