"""Bytes from outside become values, or a refusal with its closed reason. PURE."""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from pipeline.values.texts import parsed
from schemas.codec import Refused, reason_of
from schemas.dead_letter import Reason

JsonObject = dict[str, Any]

_Shape = TypeVar("_Shape")
_NESTED = re.compile(r"got `(?:object|array)` - at `\$\.\w+\[")
_anything = msgspec.json.Decoder()


def decoded(decoder: msgspec.json.Decoder[_Shape], raw: bytes | str) -> _Shape:
    """Decode JSON, with repairs if needed; Refused if it is invalid or has another shape."""
    try:
        return parsed(decoder.decode, raw)
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from None
    except msgspec.DecodeError as error:
        raise Refused(Reason.NOT_JSON, str(error)) from None
    except RecursionError:
        raise Refused(Reason.TOO_DEEP, "nested too deeply") from None


def values(levels: int, longest: int) -> Any:
    """Give the type of JSON with so many levels of arrays and objects, of `longest` keys each.

    Every level doubles what msgspec has to build, so only a few levels are possible.
    """
    scalar = str | int | float | bool | None
    value: Any = scalar
    for _ in range(levels):
        value = scalar | list[value] | Annotated[dict[str, value], Meta(max_length=longest)]
    return value


def json_value(raw: bytes | str) -> Any:
    """Decode JSON of any shape; Refused if it is invalid, or some hundred levels deep."""
    return decoded(_anything, raw)


def _refused(complaint: str) -> Refused:
    if _NESTED.search(complaint):
        return Refused(
            Reason.TOO_DEEP, "nested too deeply" + complaint[complaint.rindex(" - at") :]
        )
    if complaint.endswith(("imestamp`", "sentAt`")):
        return Refused(Reason.INVALID_TIME, complaint)
    return Refused(reason_of(complaint), complaint)
