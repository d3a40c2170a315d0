"""Whose fault it is that an insert fails: the row's, or ClickHouse's. No message quotes a row."""

from typing import Any, cast

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from sinks.clickhouse import ClickHouseSink
from sinks.sink import RowsRefused, SinkUnavailable


class Server:
    """A ClickHouse that answers every insert alike, and notes what it was asked."""

    def __init__(self, answer: Exception | None = None) -> None:
        self.answer = answer
        self.asked: list[tuple[Any, ...]] = []

    def raw_insert(self, table: str, insert_block: bytes, settings: Any, fmt: str) -> None:
        self.asked.append((table, insert_block, settings["insert_deduplication_token"], fmt))
        if self.answer:
            raise self.answer


async def write(server: Server) -> None:
    await ClickHouseSink(cast("Client", server)).write("sessions", [b"a", b"b"], "token")


def error(code: int | None) -> DatabaseError:
    found = DatabaseError("Code: cannot parse ada@example.org")
    found.code = code
    return found


async def test_rows_go_in_as_they_came_with_the_token_of_their_place() -> None:
    server = Server()
    await write(server)
    assert server.asked == [("sessions", b"a\nb", "token", "JSONEachRow")]


async def test_a_row_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(RowsRefused):
        await write(Server(error(27)))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (error(241), "ClickHouse error 241"),
        (error(None), "DatabaseError"),
        (OperationalError("ada@example.org"), "OperationalError"),
        (ConnectionRefusedError("ada@example.org"), "ConnectionRefusedError"),
    ],
)
async def test_anything_else_is_the_servers_fault_and_the_rows_wait(
    answer: Exception, told: str
) -> None:
    with pytest.raises(SinkUnavailable) as raised:
        await write(Server(answer))
    assert str(raised.value) == told
