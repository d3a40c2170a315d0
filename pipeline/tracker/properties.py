"""PURE: how a touchpoint's properties are read: values that make no sense are ignored."""

from typing import TypeVar

import msgspec

from pipeline.values.texts import line, parsed

T = TypeVar("T")


def said(decoder: msgspec.json.Decoder[T], properties: str | bytes) -> T | None:
    """Read what `decoder` asks for, with repairs if needed; None if it is a bomb."""
    try:
        return parsed(decoder.decode, properties)
    except (msgspec.MsgspecError, RecursionError):
        return None


def word(value: object, longest: int = 128) -> str:
    """Give a text as one line, or a whole number as text, truncated; empty for anything else."""
    if isinstance(value, str):
        return line(value)[:longest]
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value)[:longest] if is_number else ""
