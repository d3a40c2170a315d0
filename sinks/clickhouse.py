"""Rows into ClickHouse. Knows the driver, not the columns: bytes go in as they came from Kafka."""

import asyncio
from collections.abc import Sequence

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from sinks.sink import RowsRefused, SinkUnavailable

_SETTINGS = {
    "async_insert": 0,
    "date_time_input_format": "best_effort",
    "input_format_json_read_objects_as_strings": 1,
    "input_format_skip_unknown_fields": 1,
}

# Errors that blame a row, and not the server or the set-up. After any other error the insert is
# retried: a row is never dropped because an error was missing from a list.
_ROW_AT_FAULT = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        25,  # CANNOT_PARSE_ESCAPE_SEQUENCE
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        53,  # TYPE_MISMATCH
        69,  # ARGUMENT_OUT_OF_BOUND
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        130,  # CANNOT_READ_ARRAY_FROM_TEXT
        131,  # TOO_LARGE_STRING_SIZE
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        407,  # DECIMAL_OVERFLOW
        467,  # CANNOT_PARSE_BOOL
    }
)


class ClickHouseSink:
    """Inserts over HTTP, one insert at a time: the driver's client does not support two."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def write(self, table: str, rows: Sequence[bytes], token: str) -> None:
        """Insert `rows` into `table`; see `sinks.sink.Sink`."""
        try:
            await asyncio.to_thread(
                self._client.raw_insert,
                table,
                insert_block=b"\n".join(rows),
                settings={**_SETTINGS, "insert_deduplication_token": token},
                fmt="JSONEachRow",
            )
        except DatabaseError as error:
            if error.code in _ROW_AT_FAULT:
                raise RowsRefused(str(error)[:1000]) from error
            raise SinkUnavailable(_without_rows(error)) from error
        except (ClickHouseError, OSError) as error:
            raise SinkUnavailable(_without_rows(error)) from error


def _without_rows(error: Exception) -> str:
    """Describe the error for the log, without ClickHouse's message, which may quote a row."""
    code = getattr(error, "code", None)
    return f"ClickHouse error {code}" if code else type(error).__name__
