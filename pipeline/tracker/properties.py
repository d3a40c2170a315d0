"""PURE: how a touchpoint's properties are read: what makes no sense was not said."""

from typing import TypeVar

import msgspec

T = TypeVar("T")


def said(decoder: msgspec.json.Decoder[T], properties: str | bytes) -> T | None:
    """Read what `decoder` asks for; None where a number is one that no machine holds, or a bomb."""
    try:
        return decoder.decode(properties)
    except (msgspec.MsgspecError, RecursionError):
        return None


def word(value: object, longest: int = 128) -> str:
    """Give a text or a whole number as a text, cut off; nothing for anything else."""
    if isinstance(value, str):
        return value[:longest]
    return str(value)[:longest] if isinstance(value, int) else ""
