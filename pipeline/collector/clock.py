"""When something happened, by clocks that are wrong. PURE: the time of arrival is an argument."""

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipeline.collector.decoding import JsonObject
from pipeline.values.identifiers import is_placeholder
from pipeline.values.times import is_unset, moment
from schemas.codec import Refused
from schemas.dead_letter import Reason
from schemas.fields import LARGEST_SEQUENCE
from schemas.times import milliseconds

_SHORTEST_SKEW = timedelta(seconds=150)
"""A device that seems less behind than this may be right: requests can take this long."""

_LONGEST_WAY = timedelta(minutes=10)
"""No request takes longer."""

LARGEST_LEAD = timedelta(days=1)
_PLACES = 10_000
"""More than any request has events."""

_MOST_CLOCKS = 20_000
_CLOCKS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 1, 1, tzinfo=UTC))
_NOTHING = timedelta()


_TIMES = ("timestamp", "originalTimestamp", "sentAt")


def with_readable_times(call: JsonObject) -> JsonObject:
    """Give a call whose times are in RFC 3339, as far as they can be read.

    A word that stands for no time is left out, and so is a `sentAt` that cannot be read: it is not
    the event's own, and the event can do without it.
    """
    readable = {name: told for name, told in call.items() if name not in _TIMES}
    for name in (name for name in _TIMES if name in call):
        told, at = call[name], moment(call[name])
        is_unsaid = is_unset(told) or (isinstance(told, str) and is_placeholder(told))
        if at or not (is_unsaid or name == "sentAt"):
            readable[name] = at or told
    return readable


def plausible(sent_at: datetime | None) -> datetime | None:
    """Give the device's `sentAt` in UTC; None if no clock shows such a time."""
    if sent_at is None or not _CLOCKS[0] <= sent_at < _CLOCKS[1]:
        return None
    return sent_at.astimezone(UTC)


class _Known(NamedTuple):
    lag: timedelta
    at: datetime


class Clocks:
    """By how much the clocks of devices are behind, judged by their quickest recent requests.

    A request that seems to come from a slower clock than the previous one took longer to arrive.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def skew(self, who: str, sent_at: datetime | None, received_at: datetime) -> timedelta:
        """Give the correction for the times of `who`, by the clock of the device at sending.

        A time of sending after the arrival always means that the clock is ahead.
        """
        if sent_at is None:
            return _NOTHING
        lag = self._least(who, received_at - sent_at, received_at)
        return lag if lag < _NOTHING or lag >= _SHORTEST_SKEW else _NOTHING

    def _least(self, who: str, lag: timedelta, received_at: datetime) -> timedelta:
        known = self._known.get(who)
        is_known = known is not None and received_at - known.at <= _LONGEST_WAY
        if known and is_known and _NOTHING <= lag - known.lag <= _LONGEST_WAY:
            return known.lag
        self._known[who] = _Known(lag, received_at)
        self._known.move_to_end(who)
        if len(self._known) > _MOST_CLOCKS:
            self._known.popitem(last=False)
        return lag


def occurred(
    timestamp: datetime | None, skew: timedelta, received_at: datetime, oldest: timedelta
) -> datetime:
    """Correct the device's `timestamp` by `skew`, never into the future.

    Segment and Snowplow have the same formula: received_at - (sent_at - timestamp). Without a
    timestamp, the event happened on arrival.

    Raises:
        Refused: more than a day ahead of the arrival, or more than `oldest` before it.
    """
    if timestamp is None:
        return received_at
    age = received_at - timestamp - skew
    if not -LARGEST_LEAD <= age <= oldest:
        said = timestamp.isoformat()
        raise Refused(Reason.TIME_OUT_OF_RANGE, f"{said} is over a day ahead, or {oldest} ago")
    return received_at - max(age, _NOTHING)


def sequence(occurred_at: datetime, left_at: datetime, place: int) -> int:
    """Give the order of a touchpoint among those of the same time, if its sender counts none.

    Requests are ordered by sending, and the events of a request by `place`.
    """
    wait = max(0, milliseconds(left_at) - milliseconds(occurred_at))
    return min(wait * _PLACES + place, LARGEST_SEQUENCE)
