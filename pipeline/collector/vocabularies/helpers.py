"""What the vocabularies share when they turn native events into Segment's calls. PURE."""

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import inf
from typing import Any

from pipeline.collector.decoding import JsonObject, json_value
from pipeline.collector.request import as_object
from pipeline.values.identifiers import identifier
from schemas.codec import Refused
from schemas.dead_letter import Reason
from schemas.times import EPOCH

ONE_PRODUCT = frozenset(
    {
        "Product Added",
        "Product Added to Wishlist",
        "Product Clicked",
        "Product Removed",
        "Product Viewed",
    }
)
"""Segment's events that have the product among their own properties."""


def taken(source: JsonObject, names: Mapping[str, str]) -> JsonObject:
    """Move the values of `source` that have a key in `names`, under their new names.

    Of two keys for one name, the first counts; the other stays where it is.
    """
    found: JsonObject = {}
    for theirs, ours in names.items():
        if theirs in source and ours not in found:
            found[ours] = source.pop(theirs)
    return found


def first_of(source: JsonObject, names: Iterable[str]) -> Any:
    """Remove and give the first identifier in `source` that names somebody; the others stay."""
    return next((source.pop(name) for name in names if identifier(source.get(name))), None)


def key_of(events: Iterable[Any], field: str) -> str | None:
    """Find the write key: the first event that is an object and has one in `field`."""
    found = (event.get(field) for event in events if isinstance(event, dict))
    return next((key for key in found if isinstance(key, str) and key), None)


def without_nothing(call: JsonObject) -> JsonObject:
    """Leave out what is None, empty text or an empty object."""
    return {name: value for name, value in call.items() if value not in (None, "", {})}


def json_or_base64(data: str) -> Any:
    """Read the JSON of a field `data`, or of its base64, where forms make blanks of plus signs.

    Raises:
        Refused: it is neither.
    """
    try:
        return json_value(data if data[:1] in "{[" else base64.b64decode(data.replace(" ", "+")))
    except ValueError as error:  # binascii.Error is one, and so is Refused
        raise not_base64(error) from None


def not_base64(error: ValueError) -> Refused:
    """Give the refusal of a `data` that fails with `error`."""
    if isinstance(error, Refused):
        return error
    return Refused(Reason.NOT_JSON, f"`data` is not base64: {error}")


def instant(value: Any, unit: timedelta, since: datetime = EPOCH) -> Any:
    """Read a number of `unit`s after `since` as a time; give another value back, to be refused.

    Raises:
        Refused: no calendar has this time.
    """
    try:
        number = float(value)
    except OverflowError:  # it has hundreds of digits
        number = inf
    except (TypeError, ValueError):
        return value
    try:
        return since + number * unit
    except (OverflowError, ValueError):
        raise Refused(Reason.INVALID_TIME, f"no calendar has {value!r}") from None


def put_products(name: str, properties: JsonObject, products: list[JsonObject]) -> None:
    """Add products as Segment has them: one among the properties, or a list."""
    if name in ONE_PRODUCT and len(products) == 1 and not _contradict(properties, products[0]):
        properties.update(products[0])
    elif products:
        properties["products"] = products


def _contradict(properties: JsonObject, product: JsonObject) -> bool:
    return any(properties.get(field, value) != value for field, value in product.items())


def renamed(items: Iterable[Any], names: Mapping[str, str], what: str) -> list[JsonObject]:
    """Give each object of `items` Segment's field names; Refused if one is not an object."""
    return [
        {names.get(field, field): value for field, value in as_object(item, what).items()}
        for item in items
    ]


def page(source: JsonObject, names: Mapping[str, str]) -> JsonObject:
    """Move url, title and referrer out of `source` if they are not empty.

    A referrer without the page that it led to may be of the same site: it stays where it is.
    """
    address = next((theirs for theirs, ours in names.items() if ours == "url"), "")
    known = {t: ours for t, ours in names.items() if source.get(address) or ours != "referrer"}
    return without_nothing(taken(source, known))
