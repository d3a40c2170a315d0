"""Texts from outside, made fit to keep: half characters, numbers no machine holds, control codes.

PURE. What is repaired here is what senders produce without knowing: an emoji cut in two by a limit
in UTF-16 units, `1e400` and `NaN` of a division, an escape sequence that would reach the terminal
of whoever reads the figures.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import msgspec

T = TypeVar("T")

# Each matches to the end without looking back: nobody can make it slow.
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*+"?|(?<![\w"])[-+]?(?:Infinity\b|NaN\b|\d[\d.eE+-]*+)', re.DOTALL
)
_HEX = "[0-9a-fA-F]"
_HALF = re.compile(
    rf"\\u[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}|(\\u[dD][89a-fA-F]{_HEX}{{2}})"
    r"|\\.|([\x00-\x1f])",
    re.DOTALL,
)
_UNREADABLE = r"\ufffd"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
"""Those of terminals, and those that turn the direction of what follows."""
_HARMFUL = re.compile(
    rb"(\\u00(?:0[0-8bBcCeEfF]|1[0-9a-fA-F]|7[fF]|[89][0-9a-fA-F])|\\[bf]|\x7f|\xc2[\x80-\x9f])"
    rb"|\\.",
    re.DOTALL,
)
_BOM = "\ufeff"
_ROOMLESS = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_INVISIBLE = re.compile(f"[{_ROOMLESS}]+")
"""What takes no room: marks of byte order and direction, places where a word may be cut."""
_AROUND = _ROOMLESS + "".join(filter(str.isspace, map(chr, range(0x3001))))


def parsed(decode: Callable[[bytes | str], T], raw: bytes | str) -> T:
    """Decode JSON, repaired if need be.

    Raises:
        msgspec.MsgspecError: it is none, or not of the decoder's shape.
        RecursionError: it is nested a thousand times.
    """
    try:
        return decode(raw)
    except (msgspec.MsgspecError, UnicodeError):
        return decode(repaired(raw))


def repaired(raw: bytes | str) -> bytes:
    """Give JSON in which only the shape can still be wrong.

    Half a surrogate pair and bytes that are no UTF-8 become U+FFFD, a control character that stands
    in a text as it is becomes a blank, and a number that JSON or the machine does not have becomes
    a text of the same characters, so that nothing of it is lost.
    """
    text = raw.decode(errors="replace") if isinstance(raw, bytes) else raw
    mended = _TOKEN.sub(_mended, text.removeprefix(_BOM))
    return mended.encode(errors="replace")


def _mended(token: re.Match[str]) -> str:
    said = token[0]
    if said.startswith('"'):
        return _HALF.sub(_whole, said)
    try:
        msgspec.json.decode(said)
    except msgspec.MsgspecError:
        return f'"{said}"'
    return said


def _whole(found: re.Match[str]) -> str:
    if found[1]:
        return _UNREADABLE
    return " " if found[2] else found[0]


def harmless(raw: bytes) -> bytes:
    """Give JSON whose texts have blanks for control characters; line breaks and tabs stay."""
    if b"\\" not in raw and b"\x7f" not in raw and b"\xc2" not in raw:
        return raw  # so it is with most: JSON writes a control character in no other way
    return _HARMFUL.sub(lambda found: b" " if found[1] else found[0], raw)


def line(text: str) -> str:
    """Give a text as one line without control characters, and nothing unseen around it."""
    return text.strip() if text.isprintable() else _CONTROL.sub(" ", text).strip(_AROUND)


def apparent(text: str) -> str:
    """Give a text as it looks: in its compatible form (NFKC), without what takes no room."""
    return text if text.isascii() else _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=4096)
def heading(text: str) -> str:
    """Give the name of a column as it is compared: composed, its blanks plain, none around it."""
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return " ".join(text.split())
