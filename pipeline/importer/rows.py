"""A foreign row becomes a touchpoint. PURE: no files, no clock.

Nothing in a row is lost: columns that the mapping does not name stay in the properties under their
own names. Only empty cells are left out.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from pipeline.importer.clocks import read_time
from pipeline.importer.mapping import EventRule, Mapping
from pipeline.privacy.addresses import without_addresses
from pipeline.values.identifiers import identifier
from pipeline.values.money import is_unsaid, read_amount
from pipeline.values.texts import harmless, line, parsed
from schemas.codec import Refused, decode_touchpoint, encode
from schemas.dead_letter import Reason
from schemas.errors import TouchstreamError
from schemas.times import EPOCH, whole
from schemas.touchpoint import Touchpoint, visitor_of

Row = dict[str, Any]


class ImportFailed(TouchstreamError):
    """An import that ended early; the text says why and what to do."""


class Unreadable(NamedTuple):
    """A value in place of a row that cannot be read."""

    raw: bytes
    reason: Reason
    detail: str
    columns: tuple[str, ...] = ()
    """Of the table in which it stands."""


_TEXTS = ("url", "title", "referrer", "user_agent", "locale")
MONEY = (
    *(
        "revenue",
        "total",
        "value",
        "price",
        "subtotal",
        "cart_value",
        "tax",
        "shipping",
        "discount",
    ),
    "quantity",
)
_IDS = ("anonymous_id", "user_id", "previous_id")


class RowIds:
    """Ids for the rows of one file: the hash of what the mapping reads from a row as a field or as
    JSON, and its number among equal rows.

    So importing the file again, or an overlapping export under another name, with a column that the
    mapping does not name renamed or dropped, gives the same ids.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._seen: Counter[bytes] = Counter()

    def next(self, row: Row) -> str:
        """Give the id of the next row."""
        cells = _Cells(row)
        fields = type(self._mapping.columns).model_fields
        said = {name: cells.peek(getattr(self._mapping.columns, name)) for name in fields}
        said |= {name: cells.peek([name]) for name in self._mapping.json_columns}
        said = {name: cell for name, cell in said.items() if not _is_empty(cell)}
        content = msgspec.json.encode(said, order="deterministic")
        digest = blake2b(content, digest_size=16).digest()
        self._seen[digest] += 1
        number = self._seen[digest]
        return digest.hex() if number == 1 else f"{digest.hex()}-{number}"


def touchpoint_of(
    row: Row,
    mapping: Mapping,
    *,
    site: str,
    row_id: str,
    now: datetime,
    after: datetime | None = None,
    is_falling: bool = False,
) -> Touchpoint:
    """Give the touchpoint of `row`; `row_id` is its id if the row has none, `after` the time of the
    previous row; in a file that `is_falling`, the newest row is the first.

    Raises:
        Refused: no visitor, no name, no time between 1970 and `now`, or a broken contract.
    """
    cells = _Cells(_expanded(row, mapping))
    texts: Row = {name: cells.text(getattr(mapping.columns, name)) for name in _TEXTS}
    texts |= {name: cells.id(getattr(mapping.columns, name), mapping) for name in _IDS}
    for name, prefix in mapping.prefix.items():
        texts[name] = prefix + texts[name] if texts[name] else ""
    if not visitor_of(texts["anonymous_id"], texts["user_id"]):
        raise Refused(Reason.NO_VISITOR_ID, "neither anonymous_id nor user_id is set")
    rule = _rule(cells, mapping, texts["url"])
    occurred_at = _instant(cells, mapping, now, after, is_falling=is_falling)
    touchpoint = Touchpoint(
        touchpoint_id=cells.id(mapping.columns.touchpoint_id, mapping) or row_id,
        site=site,
        type=rule.type,
        name=rule.name,
        channel=rule.channel or mapping.channel,
        occurred_at=occurred_at,
        received_at=occurred_at,  # the file knows no better; importing again writes the same bytes
        sequence=_sequence(cells, mapping),
        properties=_encoded(_properties(cells.rest(), mapping, rule)),
        **texts,
    )
    return decode_touchpoint(encode(touchpoint))


def instant_of(
    row: Row,
    mapping: Mapping,
    now: datetime,
    after: datetime | None = None,
    *,
    is_falling: bool = False,
) -> datetime | None:
    """Give the time of a row, if it has one between 1970 and `now`, whatever else is missing."""
    try:
        cells = _Cells(_expanded(row, mapping))
        return _instant(cells, mapping, now, after, is_falling=is_falling)
    except Refused:
        return None


def has_time(row: Row, mapping: Mapping) -> bool:
    """Tell whether a row has something where the mapping says that its time is."""
    names = mapping.columns.occurred_at
    if any(name in row for name in names):
        return True
    try:
        return _Cells(_expanded(row, mapping)).peek(names) is not None
    except Refused:
        return True


@dataclass
class _Cells:
    """A row from which cells are removed; the remaining ones become properties."""

    row: Row
    used: set[str] = field(default_factory=set)

    def get(self, name: str) -> Any:
        """Give a cell, or a value inside one if the name has dots: `device.0.category`."""
        return self.row[name] if name in self.row else _inside(self.row, name.split("."))

    def peek(self, names: Iterable[str]) -> Any:
        return next((cell for name in names if not _is_empty(cell := self.get(name))), None)

    def pop(self, names: Iterable[str]) -> Any:
        for name in names:
            if not _is_empty(cell := self.get(name)):
                self.used.add(name)
                return cell
        return None

    def text(self, names: Iterable[str]) -> str:
        return _text(self.pop(names))

    def id(self, names: Iterable[str], mapping: Mapping) -> str:
        """Remove and give the first id that names somebody; placeholders are removed too."""
        found = ""
        for name in names:
            if not found and not _is_empty(cell := self.get(name)):
                self.used.add(name)
                found = identifier(cell, mapping.placeholders, mapping.real_ids)
        return found

    def rest(self) -> Row:
        return {
            name: cell
            for name, cell in self.row.items()
            if name not in self.used and not _is_empty(cell)
        }


def _inside(value: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(value, list) and part.isdecimal():
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def names_in(row: Row, mapping: Mapping) -> Callable[[str], bool]:
    """Give what tells whether a name stands in `row`: as a column, or as a key inside of one."""
    try:
        cells = row | _expanded(row, mapping)
    except Refused:
        cells = row
    lists = [cell for cell in cells.values() if isinstance(cell, list)]
    within = {key for cell in lists for one in cell if isinstance(one, dict) for key in one}

    def is_in(name: str) -> bool:
        return name in cells or name in within or _inside(cells, name.split(".")) is not None

    return is_in


def _expanded(row: Row, mapping: Mapping) -> Row:
    """Add the content of the JSON columns to the other columns."""
    if not mapping.json_columns:
        return row
    found = {name: cell for name, cell in row.items() if name not in mapping.json_columns}
    for column in mapping.json_columns:
        cell = row.get(column)
        for name, value in ({} if _is_empty(cell) else _object_in(cell, column)).items():
            found[f"{column}.{name}" if name in found else name] = value
    return found


def _text(cell: object) -> str:
    return "" if cell is None else line(str(cell))


def _is_empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _rule(cells: _Cells, mapping: Mapping, url: str) -> EventRule:
    # A name that a rule translates stays in the properties: two names may become one.
    name = _text(cells.peek(mapping.columns.name))
    path = _path(url)
    for rule in mapping.events:
        if rule.matches(name, path, lambda column: _text(cells.get(column))):
            return rule
    if not name:
        raise Refused(Reason.MISSING_FIELD, f"no event name in {_any_of(mapping.columns.name)}")
    cells.pop(mapping.columns.name)
    return EventRule.model_construct(name=name)


def _path(url: str) -> str:
    address = url.partition("?")[0].partition("#")[0]
    scheme, separator, rest = address.partition("://")
    return "/" + rest.partition("/")[2] if separator else scheme


def _instant(
    cells: _Cells,
    mapping: Mapping,
    now: datetime,
    after: datetime | None = None,
    *,
    is_falling: bool = False,
) -> datetime:
    cell = cells.pop(mapping.columns.occurred_at)
    if cell is None:
        raise Refused(Reason.MISSING_FIELD, f"no time in {_any_of(mapping.columns.occurred_at)}")
    try:
        moment = read_time(cell, mapping.time, after, is_falling=is_falling)
    except (ValueError, OverflowError) as error:
        raise Refused(Reason.INVALID_TIME, f"{cell!r}: {error}") from None
    if not EPOCH <= moment <= now:
        raise Refused(Reason.TIME_OUT_OF_RANGE, f"{cell!r} is before 1970 or in the future")
    return whole(moment)


def _sequence(cells: _Cells, mapping: Mapping) -> int:
    """Read a whole number; a column of numbers with gaps has `3.0` and `NaN`."""
    cell = cells.pop(mapping.columns.sequence)
    if cell is None or is_unsaid(told := str(cell).strip()):
        return 0
    try:
        return int(told.removesuffix(".0"))
    except ValueError:
        raise Refused(Reason.INVALID_FIELD, f"the sequence {cell!r} is no whole number") from None


def _properties(rest: Row, mapping: Mapping, rule: EventRule) -> Row:
    properties = dict(rest)
    for path, name in mapping.properties.items():
        inside = None if path in rest else _inside(rest, path.split("."))
        if not _is_empty(inside):
            properties.setdefault(name, inside)
    properties = _counted(properties, mapping, mapping.properties)
    if isinstance(properties.get("products"), list):
        properties["products"] = [
            _counted(product, mapping, mapping.products) if isinstance(product, dict) else product
            for product in properties["products"]
        ]
    return {**mapping.constants, **rule.properties, **properties}


def _object_in(cell: object, column: str) -> Row:
    try:
        value = parsed(msgspec.json.decode, cell) if isinstance(cell, str) else cell
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Refused(Reason.NOT_JSON, f"{column}: {error}") from None
    if isinstance(value, list):
        return _listed(value, column)
    if value is not None and not isinstance(value, dict):
        raise Refused(Reason.NOT_AN_OBJECT, f"{column}: neither a JSON object nor an array")
    return value or {}


def _counted(cells: Row, mapping: Mapping, names: dict[str, str]) -> Row:
    """Rename the cells, and convert those that the mapping declares as numbers.

    With a `decimal`, all money is converted too. A value that is no number, or ambiguous, stays as
    it is: the tracker marks why money does not count.
    """
    _count(cells, mapping.numbers, mapping)
    renamed = _renamed(cells, names)
    if mapping.file.decimal:
        _count(renamed, MONEY, mapping)
    return renamed


def _count(cells: Row, names: Iterable[str], mapping: Mapping) -> None:
    for name in names:
        cell = cells.get(name)
        if not isinstance(cell, str):
            continue
        amount = read_amount(cell, str(cells.get("currency") or ""), mapping.file.decimal)
        if amount is not None and amount.problem in {"", "negative"}:
            value = amount.value
            cells[name] = int(value) if value.is_integer() else value
            if amount.currency:
                cells.setdefault("currency", amount.currency)


def _listed(entries: list[Any], column: str) -> Row:
    """Read an array: GA4's pairs of key and value become keys; any other array stays one."""
    if not entries or not all(isinstance(one, dict) and "key" in one for one in entries):
        return {column: entries} if entries else {}
    return {str(one["key"]): _only(one.get("value")) for one in entries}


def _only(value: Any) -> Any:
    """Give the value that is set in GA4's `{"string_value": …, "int_value": …}`."""
    if not isinstance(value, dict):
        return value
    return next((one for one in value.values() if one is not None), None)


def _renamed(values: Row, names: dict[str, str]) -> Row:
    moved: Row = {}
    for name, value in values.items():
        new = names.get(name, name)
        # An existing name is never overwritten.
        moved[name if new in values or new in moved else new] = value
    return moved


def _encoded(properties: Row) -> msgspec.Raw:
    try:
        return msgspec.Raw(harmless(encode(without_addresses(properties))))
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(Reason.INVALID_FIELD, f"properties: {error}") from None


def _any_of(columns: tuple[str, ...]) -> str:
    return " or ".join(columns) or "any column"
