"""PURE: times as programs write them, where they can mean only one thing."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"\d{9,}(?:\.\d+)?")
_WITHOUT_SIGNS = re.compile(r"(?:19|20)\d{12}")
_UTC_IN_WORDS = re.compile(r" ?(?:UTC|GMT|[zZ])$")
_BLANK_BEFORE_THE_ZONE = re.compile(r" (?=[+-]\d\d:?\d\d$)")
_OF_JAVASCRIPT = re.compile(r"\w{3} (\w{3} \d\d \d{4} \d\d:\d\d:\d\d) GMT([+-]\d{4})(?: \(.*\))?")
_LEAST, _MOST = 1e8, 1e20
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (_MOST, 1e9))
"""How many units are a second, of numbers below; no two units meet from 1973 to 5138."""
_UNSET = ("0001-01-01", "0000-00-00")
"""What Go, .NET and MySQL write where no time is set."""


def is_unset(said: object) -> bool:
    """Tell whether a sender says by this that there is no time."""
    return said is None or (isinstance(said, str) and (said[:10] in _UNSET or not said.strip()))


def moment(said: object) -> datetime | None:
    """Read a time, give it in UTC; None if it is none, or could be several.

    It is ISO 8601 in any form, a date as HTTP and mails have it, what JavaScript prints of one, or
    a number since 1970: of seconds, milli-, micro- or nanoseconds, as its size tells. Without a
    zone it is UTC, as for the servers of Segment and PostHog.
    """
    if is_unset(said):
        return None
    try:
        found = read_text(said) if isinstance(said, str) else _of_number(said)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError):
        return None


def read_text(text: str) -> datetime:
    """Read a time that can mean only one thing, as `moment` does, in the zone that it names.

    Raises:
        ValueError, OverflowError, TypeError: it is none, or could be several.
    """
    text = text.strip()
    if text[4:5] in {"-", "/"}:
        return _of_year_first(text[:10].replace("/", "-") + text[10:])
    if _WITHOUT_SIGNS.fullmatch(text):
        return datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 - it names no zone
    if _NUMBER.fullmatch(text):
        return _of_number(float(text))
    if printed := _OF_JAVASCRIPT.fullmatch(text):
        return datetime.strptime(" ".join(printed.groups()), "%b %d %Y %H:%M:%S %z")
    return _of_mail(text) if "," in text else datetime.fromisoformat(text)


def _of_year_first(text: str) -> datetime:
    zoned = _UTC_IN_WORDS.sub("+00:00", text)
    return datetime.fromisoformat(_BLANK_BEFORE_THE_ZONE.sub("", zoned))


def _of_mail(text: str) -> datetime:
    """Read a date as HTTP and mails have it; a zone that is a word of its own is not known."""
    found = parsedate_to_datetime(text)
    if found.tzinfo is None and text[-1].isalpha():
        raise ValueError("CET, PM: no zone that is the same everywhere")
    return found


def _of_number(said: object) -> datetime:
    if isinstance(said, bool) or not isinstance(said, int | float) or not _LEAST <= said < _MOST:
        raise ValueError("no number since 1970")
    of_a_second = next(each for below, each in _UNITS if said < below)
    return _EPOCH + timedelta(seconds=said / of_a_second)
