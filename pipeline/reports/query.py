"""`touchstream query`: an SQL statement, and its answer as ClickHouse writes it."""

import re
from typing import BinaryIO, TextIO

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

# A statement that brings its own data or names its own format is sent unchanged.
_HAS_ITS_OWN_FORMAT = re.compile(r"^\s*INSERT\b|\bFORMAT\s+\w+[\s;]*$", re.IGNORECASE)

_CLICKHOUSE_WORDS = re.compile(r"Code: \d+\..*?(?= \(for url |$)", re.DOTALL)


def default_format(is_terminal: bool) -> str:
    """Choose a format that suits a person at a terminal, or a program."""
    return "PrettyCompact" if is_terminal else "TSVWithNames"


def run_query(client: Client, sql: str, fmt: str, out: BinaryIO, err: TextIO) -> int:
    """Write the answer to `out`, or ClickHouse's error message to `err`.

    Returns the exit code: 0, or 1 after an error.
    """
    try:
        out.write(client.raw_query(sql, fmt=None if _HAS_ITS_OWN_FORMAT.search(sql) else fmt))
    except ClickHouseError as error:
        err.write(f"{_words(error)}\n")
        return 1
    return 0


def _words(error: ClickHouseError) -> str:
    found = _CLICKHOUSE_WORDS.search(str(error))
    return found[0] if found else str(error)
