"""When something happened, by clocks that go wrong. PURE: the time of arrival is an argument."""

from datetime import UTC, datetime, timedelta

from schemas.codec import Refused
from schemas.dead_letter import Reason
from schemas.fields import LARGEST_SEQUENCE
from schemas.times import milliseconds

_SHORTEST_SKEW = timedelta(seconds=150)
"""A smaller difference between the clocks may be the way of the request: no reason to correct."""

_LARGEST_LEAD = timedelta(days=1)
_PLACES = 10_000
"""More than any request has events."""

_CLOCKS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 1, 1, tzinfo=UTC))


def plausible(sent_at: datetime | None) -> datetime | None:
    """Give the device's `sentAt` in UTC; Refused if no clock shows such a time."""
    if sent_at is None:
        return None
    if not _CLOCKS[0] <= sent_at < _CLOCKS[1]:
        raise Refused(Reason.TIME_OUT_OF_RANGE, f"no clock says {sent_at.isoformat()}, the sentAt")
    return sent_at.astimezone(UTC)


def occurred(
    timestamp: datetime | None, sent_at: datetime | None, received_at: datetime, oldest: timedelta
) -> datetime:
    """Correct the device's `timestamp`: received_at - (sent_at - timestamp), never in the future.

    Segment and Snowplow have the same formula. Without a timestamp it happened on arrival.

    Raises:
        Refused: more than a day ahead of the arrival, or more than `oldest` before it.
    """
    if timestamp is None:
        return received_at
    age = received_at - timestamp
    if sent_at and abs(received_at - sent_at) >= _SHORTEST_SKEW:
        age = sent_at - timestamp
    if not -_LARGEST_LEAD <= age <= oldest:
        said = timestamp.isoformat()
        raise Refused(Reason.TIME_OUT_OF_RANGE, f"{said} is over a day ahead, or {oldest} ago")
    return received_at - max(age, timedelta())


def sequence(occurred_at: datetime, left_at: datetime, place: int) -> int:
    """Give the order of a touchpoint among those of the same time, where its sender counts none.

    What left its sender sooner came first, and in one request what stands there first (`place`).
    """
    wait = max(0, milliseconds(left_at) - milliseconds(occurred_at))
    return min(wait * _PLACES + place, LARGEST_SEQUENCE)
