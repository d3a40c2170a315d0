"""What the text of a statement says about it. Pure: reads the text, runs nothing."""

import re
from typing import NamedTuple

_TOKEN = re.compile(
    rb"""--[^\n]* | /\*.*?\*/                                            # comments
       | '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `(?:[^`\\]|\\.)*`      # quoted
       | \w+ | [^\s\w]""",
    re.DOTALL | re.VERBOSE,
)
_COMMENTS = (b"--", b"/*")
_NO_DATA_FOLLOWS = {b"SELECT", b"WITH", b"FROM"}
_INPUT_FORMAT = re.compile(rb"\s+(\w+)[ \t\f]*\r?\n?")
_OUTPUT_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*(?:SETTINGS\s[^;]*)?;?\s*\Z", re.IGNORECASE)


class Insert(NamedTuple):
    """An INSERT taken apart: its `data` is in `format`, `target` and `settings` come before it."""

    target: bytes
    format: str
    data: bytes
    settings: bytes = b""

    def of_file(self, name: str) -> bytes:
        """Write the statement that inserts what the file `name` holds."""
        file = f" FROM INFILE '{name}' COMPRESSION 'none' "
        return self.target + file.encode() + self.settings + f" FORMAT {self.format}".encode()


def split_insert(statement: bytes) -> Insert | None:
    """Split `INSERT ... FORMAT x data` or `INSERT ... VALUES data`; None for all else."""
    depth = settings = 0
    tokens = (t for t in _TOKEN.finditer(statement) if not t[0].startswith(_COMMENTS))
    if next((t[0].upper() for t in tokens), b"") != b"INSERT":
        return None
    for token in tokens:
        word = token[0].upper()
        depth += (word == b"(") - (word == b")")
        if depth == 0 and word in _NO_DATA_FOLLOWS:
            return None
        if depth == 0 and word == b"SETTINGS":
            settings = token.start()
        before = settings or token.start()
        split = statement[:before], statement[before : token.start()]
        if depth == 0 and word == b"VALUES":
            return Insert(split[0], "Values", statement[token.end() :], split[1])
        if (
            depth == 0
            and word == b"FORMAT"
            and (name := _INPUT_FORMAT.match(statement, token.end()))
        ):
            return Insert(split[0], name[1].decode(), statement[name.end() :], split[1])
    return None


def output_format(statement: bytes) -> str | None:
    """Name the format that the statement itself asks for, if it does."""
    found = _OUTPUT_FORMAT.search(statement)
    return found[1].decode() if found else None


def description_of(select: bytes) -> bytes:
    """Write the statement that returns the names and types of the columns of `select`."""
    bare = _OUTPUT_FORMAT.sub(b"", select).rstrip(b"; \n")
    return b"DESCRIBE (\n" + bare + b"\n)"
