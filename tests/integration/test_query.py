"""`touchstream query`: what ClickHouse says, as it says it."""

import io
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.reports.query import default_format, run_query
from tests.support.database import empty_database
from tests.support.engine import EngineServer


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with empty_database(engine) as client:
        yield client


def said(client: Client, sql: str, fmt: str = "TSVWithNames") -> tuple[int, str, str]:
    out, err = io.BytesIO(), io.StringIO()
    return run_query(client, sql, fmt, out, err), out.getvalue().decode(), err.getvalue()


@pytest.mark.parametrize("sql", ["SELECT 1 AS a", "SELECT 1 AS a;", "SELECT 1 AS a -- why\n;\n"])
def test_an_answer_comes_in_the_format_asked_for(client: Client, sql: str) -> None:
    assert said(client, sql) == (0, "a\n1\n", "")
    assert said(client, sql, "JSONEachRow") == (0, '{"a":1}\n', "")


def test_a_format_in_the_statement_itself_wins(client: Client) -> None:
    assert said(client, "SELECT 1 AS a FORMAT CSV;") == (0, "1\n", "")


def test_statements_without_an_answer_say_nothing(client: Client) -> None:
    assert said(client, "CREATE TABLE t (a UInt8) ENGINE = Memory") == (0, "", "")
    assert said(client, "INSERT INTO t VALUES (1), (2)") == (0, "", "")
    assert said(client, "SELECT sum(a) FROM t", "TSV") == (0, "3\n", "")


def test_an_error_is_given_in_the_words_of_clickhouse_and_ends_with_1(client: Client) -> None:
    code, out, err = said(client, "SELECT nothing FROM nowhere")
    assert (code, out) == (1, "")
    assert err.startswith("Code: 60. DB::Exception: ")
    assert "UNKNOWN_TABLE" in err
    assert "http" not in err


def test_a_person_gets_a_table_and_a_program_gets_lines() -> None:
    assert [default_format(is_one) for is_one in (True, False)] == ["PrettyCompact", "TSVWithNames"]
