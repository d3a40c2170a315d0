"""PURE: spans of time in words: the last seven days, from a day to another, as long before."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.reports.span import Span
from schemas.errors import Unusable

_LENGTH = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
USUAL = timedelta(days=1)


class BadSpan(Unusable):
    """Words that are no span; the text says what to write instead."""


def length_of(words: str) -> timedelta:
    """Read a length: 90m, 24h, 7d, 2w.

    Raises:
        BadSpan: it is none, or zero.
    """
    found = _LENGTH.fullmatch(words.strip())
    if found is None or not int(found[1]):
        raise BadSpan(f"{words!r} is not a length of time: write 90m, 24h, 7d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def moment_of(words: str, zone: ZoneInfo) -> datetime:
    """Read a moment in ISO 8601: a day, or a time; in `zone` unless it names its offset.

    Raises:
        BadSpan: it is none.
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
    """Give the span that is meant; without any word the last day.

    `last` is its length and `ago` how long before `now` it ended; or it goes from `start` to `end`,
    which is not included, and `now` where that is empty.

    Raises:
        BadSpan: the words cannot be read or contradict each other, or the end is not after the
            beginning.
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
