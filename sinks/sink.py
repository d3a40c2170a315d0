"""The contract of a sink. Knows neither Kafka nor ClickHouse."""

from collections.abc import Sequence
from typing import Protocol

from sinks.batch import Row


class RowsRefused(Exception):
    """At least one of the rows will never be accepted; the text says why."""


class SinkUnavailable(Exception):
    """The rows could not be written now; offer the same rows again."""


class Sink(Protocol):
    """Takes encoded rows."""

    async def write(self, table: str, rows: Sequence[bytes], token: str) -> None:
        """Insert `rows` (JSON objects) into `table`, all or none, and only once for each `token`.

        Raises:
            RowsRefused: a row is invalid; nothing was written.
            SinkUnavailable: try again with the same rows and token.
        """


class SinkEvents(Protocol):
    """Receives what the sink did, for metrics."""

    def wrote(self, table: str, rows: Sequence[Row], seconds: float) -> None:
        """Rows were written to the table."""

    def retried(self, table: str, reason: str) -> None:
        """An insert will be repeated."""

    def refused(self, table: str) -> None:
        """A row became a dead letter."""
