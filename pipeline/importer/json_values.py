"""JSON that is not one row per line: values one after the other, or in one array. PURE.

Only the value that is being read is in memory, however long the file is.
"""

import re
from collections.abc import Iterable, Iterator
from json import JSONDecodeError, JSONDecoder

_CHUNK = 256 * 1024
_LARGEST = 64 * 1024 * 1024
"""Characters of one value: a wrapper of rows may be that large."""

_BETWEEN = re.compile(r"(?:[\s,\]\x1e\ufeff]|\[(?=\s*\{))*")
"""Between values; an array of objects is its entries."""

_CUT = 16
"""An error that near to the end of what has been read may be a value that goes on."""

_DECODER = JSONDecoder(strict=False)


class TooLarge(ValueError):
    """A value that is too large to be read at once."""


def split(pieces: Iterable[str]) -> Iterator[str]:
    """Give the text of each value; what is none is given line by line.

    Raises:
        TooLarge: a value has more characters than are kept.
    """
    source = iter(pieces)
    text, place, wanted, is_whole = "", 0, _CHUNK, False
    while True:
        if len(text) - place < wanted and not is_whole:
            more = _read(source, wanted)
            text, place, is_whole = text[place:] + more, 0, not more
        place = _BETWEEN.match(text, place).end()  # type: ignore[union-attr]
        if place == len(text):
            if is_whole:
                return
            continue
        end = _end(text, place, is_whole=is_whole)
        if end is None and wanted > _LARGEST:
            raise TooLarge(f"a value of more than {_LARGEST:,} characters")
        if end is None:
            wanted *= 2
            continue
        yield text[place:end]
        place, wanted = end, _CHUNK


def _read(source: Iterator[str], wanted: int) -> str:
    parts: list[str] = []
    length = 0
    for piece in source:
        parts.append(piece)
        length += len(piece)
        if length >= wanted:
            break
    return "".join(parts)


def _end(text: str, place: int, *, is_whole: bool) -> int | None:
    """Give the end of the value that begins at `place`, or of its line if it is none.

    None: it may go on behind what has been read.
    """
    try:
        _, end = _DECODER.raw_decode(text, place)
    except JSONDecodeError as error:
        is_open = error.msg.startswith("Unterminated") or error.pos > len(text) - _CUT
    except RecursionError:
        is_open = False
    else:
        if is_whole or end < len(text):
            return end
        is_open = True
    if is_open and not is_whole:
        return None
    line = text.find("\n", place)
    return len(text) if line < 0 else line
