"""PURE: spans of time in words: the last seven days, one day to another, an earlier span."""

import re
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from pipeline.reports.span import Span
from schemas.errors import Unusable

_LENGTH = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
USUAL = timedelta(days=1)


class BadSpan(Unusable):
    """Words that do not form a span; the text says what to write instead."""


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone of this name.

    Raises:
        BadSpan: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadSpan(f"no time zone {name!r}; write it as Europe/Berlin") from error


def length_of(words: str) -> timedelta:
    """Read a length: 90m, 24h, 7d, 2w.

    Raises:
        BadSpan: it is not a length, or it is zero.
    """
    found = _LENGTH.fullmatch(words.strip())
    if found is None or not int(found[1]):
        raise BadSpan(f"{words!r} is not a length of time: write 90m, 24h, 7d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def moment_of(words: str, zone: tzinfo) -> datetime:
    """Read a moment in ISO 8601: a day, or a time; in `zone` unless it names its offset.

    Raises:
        BadSpan: it is neither.
    """
    try:
        moment = datetime.fromisoformat(words.strip())
    except ValueError as error:
        raise BadSpan(
            f"{words!r} is not a time: write 2026-03-01, 2026-03-01T12:00 or 2026-03-01T12:00+01:00"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def span_in_words(
    site: str, *, last: str, ago: str, start: str, end: str, zone: ZoneInfo, now: datetime
) -> Span:
    """Return the span that is meant; without any words, the last day.

    Either `last` is its length and `ago` is how long before `now` it ended, or it runs from `start`
    up to, not including, `end`. An empty `end` means `now`.

    Raises:
        BadSpan: the words are invalid or contradict each other, or the end is not after the start.
    """
    if (last or ago) and (start or end):
        raise BadSpan("give --last and --ago, or --from and --to, not both")
    if start or end:
        finish = moment_of(end, zone) if end else now
        begin = moment_of(start, zone) if start else finish - USUAL
    else:
        finish = now - length_of(ago) if ago else now
        begin = finish - (length_of(last) if last else USUAL)
    if begin >= finish:
        raise BadSpan(
            f"the span ends ({finish.isoformat()}) before it begins ({begin.isoformat()})"
        )
    return Span(site=site, start=begin, end=finish)
