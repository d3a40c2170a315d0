"""When old evidence of a visitor is closed: not before everything that may be older has come."""

from pipeline.journey.messages import Assignment, encode_message
from pipeline.journey.state import VisitorState
from tests.support.journeys import DAY, NOON, SITE, VISITOR
from tests.support.tracker import touchpoint
from tests.unit.tracker.test_waiting import ADA, Tracked, identified

LATER = NOON + 33 * DAY
"""When evidence of noon is older than what is kept."""
ASSIGNED = encode_message(Assignment(SITE, VISITOR, "user:7", 0, LATER, 0))


def remembered(tracked: Tracked) -> VisitorState:
    state = tracked.partition.visitor(ADA)
    assert state is not None
    return state


def come_back(first: bytes) -> Tracked:
    """Give a tracker whose visitor comes twice, the second time after a month; that still waits."""
    tracked = Tracked()
    tracked.hear(first)
    tracked.checkpoint()
    tracked.hear(touchpoint("b", LATER), now=LATER)
    return tracked


def test_old_evidence_is_closed() -> None:
    tracked = come_back(touchpoint("a", NOON))
    tracked.checkpoint()
    state = remembered(tracked)
    assert (state.count, state.sealed_to >= NOON) == (1, True)


def test_who_does_not_know_yet_who_it_is_keeps_old_evidence_until_it_does() -> None:
    tracked = come_back(identified("a"))
    tracked.checkpoint()
    assert (remembered(tracked).count, remembered(tracked).sealed_to) == (2, 0)
    tracked.hear(ASSIGNED, now=LATER)
    assert (remembered(tracked).count, remembered(tracked).sealed_to >= NOON) == (1, True)


def test_while_something_waits_nothing_is_closed() -> None:
    tracked = come_back(touchpoint("a", NOON))
    tracked.hear(ASSIGNED, now=LATER)
    assert (remembered(tracked).count, remembered(tracked).sealed_to) == (1, 0)
