"""An HTTP request as a vocabulary sees it: its line, its key, its unpacked body. PURE."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import parse_qsl

from pipeline.collector.decoding import JsonObject, json_value
from schemas.codec import Refused
from schemas.dead_letter import Reason

_MOST_PARAMETERS = 512


class Headers(Protocol):
    """The headers of a request, by names in lower case."""

    def get(self, name: str, /) -> str | None: ...  # noqa: D102 - as a dict has it


@dataclass(slots=True)
class Request:
    """What was sent; `body` is unpacked, and empty for a GET and where the query says it all."""

    query: str = ""
    body: bytes = b""
    authorization: str | None = None
    headers: Headers | None = None
    received_at: datetime | None = None
    _value: Any = None

    @property
    def user_name(self) -> str | None:
        """Give the user name of Basic authentication."""
        return user_name(self.authorization)

    def header(self, name: str) -> str | None:
        """Give a header of the request, by its name in lower case."""
        return self.headers.get(name) if self.headers else None

    @property
    def parameters(self) -> dict[str, str]:
        """Give the query's parameters; Refused if there are too many."""
        return parameters_in(self.query)

    @property
    def json(self) -> Any:
        """Decode the body, once; Refused if it is not JSON."""
        if self._value is None:
            self._value = json_value(self.body)
        return self._value

    @property
    def object(self) -> JsonObject:
        """Decode the body; Refused if it is not a JSON object."""
        return as_object(self.json, "the body")


def parameters_in(text: str) -> dict[str, str]:
    """Read `name=value&...`, of a query or of a form; Refused if there are too many.

    What is no UTF-8, or joined by `&amp;`, is repaired.
    """
    joined = text.replace("&amp;", "&")
    try:
        return dict(parse_qsl(joined, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS))
    except ValueError:
        detail = f"a request has {_MOST_PARAMETERS} parameters at most"
        raise Refused(Reason.TOO_LARGE, detail) from None


def as_object(value: Any, what: str) -> JsonObject:
    """Give `value` if it is a JSON object, or PHP's empty one: `[]`; Refused if not."""
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise Refused(Reason.NOT_AN_OBJECT, f"{what} is not a JSON object")
    return value


def as_list(value: Any, what: str) -> list[Any]:
    """Give `value` if it is a JSON array, or what PHP writes for one with gaps; Refused if not."""
    if isinstance(value, dict) and value and all(place.isdigit() for place in value):
        return list(value.values())
    if not isinstance(value, list):
        raise Refused(Reason.INVALID_FIELD, f"{what} is not a JSON array")
    return value


def listed(value: Any) -> list[Any]:
    """Give `value` if it is a JSON array, else an array with it alone."""
    return value if isinstance(value, list) else [value]


def user_name(authorization: str | None) -> str | None:
    """Give the user name of Basic authentication."""
    return _user_name(authorization) if authorization else None


@lru_cache(maxsize=1024)
def _user_name(authorization: str) -> str | None:
    told = credentials(authorization)
    return told[0] if told else None


def credentials(authorization: str) -> tuple[str, str] | None:
    """Give user name and password of Basic authentication."""
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        padded = coded.rstrip("=") + "=" * (-len(coded.rstrip("=")) % 4)
        name, _, password = base64.b64decode(padded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, password
