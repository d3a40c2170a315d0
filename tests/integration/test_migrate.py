"""Migrations against the real engine."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from sinks.migrate import MigrationRefused, check_deduplication, migrate, read_migrations
from tests.support.database import client_of, empty_database
from tests.support.engine import EngineServer

FIRST = """-- The first; a semicolon here; ends nothing
CREATE TABLE one (a UInt8, b String DEFAULT ';')
ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 10;

CREATE VIEW two AS SELECT a FROM one;
-- the end
"""


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with empty_database(engine) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text(FIRST)
    return tmp_path


def tables(client: Client) -> set[str]:
    rows = client.query("SELECT name FROM system.tables WHERE database = currentDatabase()")
    return {str(name) for (name,) in rows.result_rows}


def refusal(client: Client, folder: Path) -> str:
    with pytest.raises(MigrationRefused) as refused:
        migrate(client, read_migrations(folder))
    return str(refused.value)


def test_the_shipped_migrations_make_all_tables_and_the_second_time_change_nothing(
    client: Client,
) -> None:
    shipped = read_migrations()
    assert migrate(client, shipped) == shipped
    made = tables(client)
    assert {"touchpoints", "sessions", "transitions", "abandonments", "dead_letters"} < made
    assert migrate(client, shipped) == []
    assert tables(client) == made


def test_statements_end_at_a_semicolon_at_the_end_of_a_line_only(folder: Path) -> None:
    [migration] = read_migrations(folder)
    assert [statement.split("\n")[0] for statement in migration.statements] == [
        "CREATE TABLE one (a UInt8, b String DEFAULT ';')",
        "CREATE VIEW two AS SELECT a FROM one",
    ]


def test_only_the_new_ones_are_applied_in_the_order_of_their_numbers(
    client: Client, folder: Path
) -> None:
    migrate(client, read_migrations(folder))
    (folder / "0010_tenth.sql").write_text("ALTER TABLE one DROP COLUMN IF EXISTS c;")
    (folder / "0002_second.sql").write_text("ALTER TABLE one ADD COLUMN IF NOT EXISTS c UInt8;")
    assert [m.name for m in migrate(client, read_migrations(folder))] == ["second", "tenth"]
    rows = client.query("SELECT number, name FROM migrations FINAL ORDER BY number").result_rows
    assert [tuple(row) for row in rows] == [(1, "first"), (2, "second"), (10, "tenth")]


def test_an_applied_file_that_was_changed_is_refused(client: Client, folder: Path) -> None:
    migrate(client, read_migrations(folder))
    (folder / "0001_first.sql").write_text(FIRST + "-- harmless")
    (folder / "0002_second.sql").write_text("CREATE VIEW three AS SELECT 1 AS x;")
    assert refusal(client, folder) == (
        "migration 0001_first was changed after it was applied: restore it, and put the change "
        "into a new migration"
    )
    assert "three" not in tables(client)


def test_a_run_that_was_killed_half_way_is_finished_by_the_next(
    client: Client, folder: Path
) -> None:
    (folder / "0001_first.sql").write_text(FIRST.replace("SELECT a", "SELECT nothing"))
    assert "migration 0001_first: " in refusal(client, folder)
    (folder / "0001_first.sql").write_text(FIRST)
    assert [m.name for m in migrate(client, read_migrations(folder))] == ["first"]
    assert {"one", "two"} < tables(client)


def test_runs_at_once_all_end_well_and_leave_one_record(
    engine: EngineServer, client: Client
) -> None:
    def run(_number: int) -> None:
        with client_of(engine, client.database or "") as other:
            migrate(other, read_migrations())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    numbers = client.query("SELECT number FROM migrations FINAL ORDER BY number").result_rows
    assert [number for (number,) in numbers] == [m.number for m in read_migrations()]


def test_somebody_elses_table_of_our_name_is_refused_and_not_touched(
    client: Client, folder: Path
) -> None:
    client.command("CREATE TABLE one (x UInt8) ENGINE = Memory")
    client.command("CREATE TABLE other (x UInt8) ENGINE = Memory")
    assert "already has tables of these names: one. Give" in refusal(client, folder)
    assert tables(client) == {"one", "other"}


def test_a_table_without_deduplication_window_is_refused_with_the_statement_that_helps(
    client: Client, folder: Path
) -> None:
    (folder / "0002_bad.sql").write_text(
        "CREATE TABLE bad (a UInt8) ENGINE = MergeTree ORDER BY a;"
    )
    complaint = refusal(client, folder)
    [statement] = re.findall(r"run: (.*)", complaint)
    assert "TABLE bad " in statement
    client.command(statement)
    check_deduplication(client)


def test_a_server_that_is_too_old_is_refused(client: Client, folder: Path) -> None:
    client.server_version = "26.1.9.9"
    assert refusal(client, folder) == "ClickHouse 26.1.9.9 is too old: use 26.2 or newer"
    assert tables(client) == set()


@pytest.mark.parametrize("name", ["first.sql", "1_first.sql", "0001-first.sql"])
def test_a_file_without_number_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(MigrationRefused, match="name it NNNN_what_it_does"):
        read_migrations(tmp_path)


def test_two_files_of_one_number_are_refused(folder: Path) -> None:
    (folder / "0001_again.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationRefused, match="two files have the number 0001"):
        read_migrations(folder)
