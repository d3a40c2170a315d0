"""The times of a file's rows. PURE: no files, no clock."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.importer.mapping import TimeFormat
from pipeline.values.times import read_text
from schemas.times import EPOCH, MILLISECOND

_FIRST_OF_A_NUMBER = datetime(1971, 1, 1, tzinfo=UTC)
"""Seconds that are misread as milliseconds are before this."""

_OF_DIGITS = re.compile(r"[-+\d.,eE]+")
_A_NUMBER = (
    'a number: write format = "epoch_s" or "epoch_ms" below [time] in the mapping; if a '
    "spreadsheet counts days with it, save the column as dates"
)
_UNCLEAR = (
    "not a time that can mean only one thing: write how it is written below [time] in the mapping, "
    'such as format = "%d.%m.%Y %H:%M"'
)

_UNITS = {
    "epoch_s": timedelta(seconds=1),
    "epoch_ms": MILLISECOND,
    "epoch_us": timedelta(microseconds=1),
}


def read_time(
    cell: object, written: TimeFormat, after: datetime | None = None, *, is_falling: bool = False
) -> datetime:
    """Read a time as the mapping says that it is `written`, in UTC.

    `after` is the time of the previous row; in a file that `is_falling`, the newest is the first.

    Raises:
        ValueError, OverflowError: it is none.
    """
    moment = _parsed(cell, written)
    if moment.tzinfo is None:
        moment = _local(moment, ZoneInfo(written.zone), after, is_falling=is_falling)
    return moment.astimezone(UTC)


def _local(
    moment: datetime, zone: ZoneInfo, after: datetime | None, *, is_falling: bool
) -> datetime:
    """Give the time in its zone; in an hour that exists twice, the one that goes on from `after`.

    A time that does not exist, in the hour that is left out in spring, is an hour later.
    """
    first = moment.replace(tzinfo=zone)
    second = first.replace(fold=1)
    early, late = first.astimezone(UTC), second.astimezone(UTC)
    if after is None or early >= late:
        return first
    is_second = late <= after if is_falling else early < after <= late
    return second if is_second else first


def _since(number: str, unit: timedelta) -> datetime:
    try:
        moment = EPOCH + float(number) * unit
    except OverflowError:
        raise ValueError(
            "beyond all calendars with the unit of the mapping: is it right?"
        ) from None
    if EPOCH <= moment < _FIRST_OF_A_NUMBER:
        raise ValueError("would be in 1970 with the unit of the mapping: is the unit right?")
    return moment


def _parsed(cell: object, written: TimeFormat) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    text = str(cell).strip()
    for other in written.format[:-1]:
        with suppress(ValueError):
            return _as_written(text, other)
    return _as_written(text, written.format[-1])


def _as_written(text: str, pattern: str) -> datetime:
    if unit := _UNITS.get(pattern):
        return _since(text, unit)
    if pattern == "iso":
        return _clear(text)
    return datetime.strptime(text, pattern)  # noqa: DTZ007 - the caller adds the zone


def _clear(text: str) -> datetime:
    try:
        return read_text(text)
    except (ValueError, OverflowError, TypeError):
        raise ValueError(_A_NUMBER if _OF_DIGITS.fullmatch(text) else _UNCLEAR) from None
