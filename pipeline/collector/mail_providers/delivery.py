"""What all providers' webhooks have in common: a request, and its events. PURE."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from pipeline.collector.decoding import json_value
from pipeline.collector.request import Headers, listed
from schemas.codec import Refused, reason_of
from schemas.dead_letter import Reason

TOLERANCE = timedelta(hours=24)
"""How old a provider's signature may be: providers retry for this long. A copy within this time
does no harm, because it has the same event id."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request: its full `url` as the provider knows it, and the `query` of that."""

    url: str
    query: str
    headers: Headers
    body: bytes
    now: datetime


class MailEvent(Struct):
    """What happened to a mail. `event_id` is empty where the provider has none."""

    name: str
    at: datetime
    address: str
    event_id: str = ""
    message_id: str = ""
    subject: str = ""
    campaign_id: str = ""
    list_id: str = ""
    subscriber_id: str = ""
    url: str = ""
    user_agent: str = ""
    is_machine: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: whether a request is genuine, which events it contains, and what each says.

    `read` gives None for events that concern no mail or nobody.
    """

    is_genuine: Callable[[Delivery, str], bool]
    events: Callable[[bytes], list[Any]]
    read: Callable[[Any], MailEvent | None]


_DEEPEST = 4
_FIRST_SECOND = 365 * 24 * 60 * 60
_Shape = TypeVar("_Shape")


def shaped(event: Any, shape: type[_Shape]) -> _Shape:
    """Read an event; Refused if it has another shape.

    A field with nothing in it (null, an empty text, list or object) is as if it were not there.
    """
    try:
        return msgspec.convert(_filled(event), shape, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(reason_of(str(error)), str(error)) from None
    except (OverflowError, ValueError) as error:  # a number of seconds that is no date
        raise Refused(Reason.INVALID_TIME, str(error)) from None


def _filled(said: Any, depth: int = 0) -> Any:
    if not isinstance(said, dict) or depth > _DEEPEST:
        return said
    return {
        name: _filled(part, depth + 1)
        for name, part in said.items()
        if part is not None and part not in ("", [], {})
    }


def name_of(kind: str, names: dict[str, str]) -> str:
    """Translate a provider's word; Refused if `names` does not have it."""
    if kind not in names:
        raise Refused(Reason.UNKNOWN_TYPE, f"no event of this provider is called {kind!r}")
    return names[kind]


def json_events(body: bytes) -> list[Any]:
    """Split a body that is one event, or a list of events; Refused if it is not JSON."""
    return listed(json_value(body))


def word(said: Any, name: str) -> str:
    """Give a text (or a number as text) that the sender attached to the mail, or an empty one."""
    value = said.get(name) if isinstance(said, dict) else None
    return str(value) if isinstance(value, str | int) else ""


def form(body: bytes) -> dict[str, str]:
    """Read a form; Refused if it has too many fields."""
    text = body.decode(errors="replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=256))
    except ValueError as error:
        raise Refused(Reason.INVALID_FIELD, str(error)) from None


def moment(seconds: float) -> datetime:
    """Give the time of this many seconds since 1970; Refused if it is invalid, or in 1970."""
    try:
        if seconds < _FIRST_SECOND:
            raise ValueError("before 1971")  # noqa: TRY301 - refused like what no calendar has
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Refused(Reason.INVALID_TIME, f"{seconds} seconds since 1970") from None


def is_equal(claimed: str, expected: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(claimed.encode(), expected.encode())


def is_basic(delivery: Delivery, secret: str) -> bool:
    """Tell whether `secret`, user:password, came by basic authentication."""
    scheme, _, credentials = (delivery.headers.get("authorization") or "").partition(" ")
    try:
        claimed = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and is_equal(claimed, secret)


def made_id(*parts: object) -> str:
    """Make the id of an event whose provider has none: equal parts give equal ids."""
    told = "\0".join(map(str, parts))
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
