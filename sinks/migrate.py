"""Numbered SQL migrations, each applied once. Shell: works on a given ClickHouse client.

The rules of a migration file, `NNNN_what_it_does.sql`:

- Only a `;` at the end of a line ends a statement. Lines that begin with `--` are comments.
- Every statement can be repeated. `CREATE` can: an object that exists counts as made by an earlier
  attempt. Write `ALTER ... IF [NOT] EXISTS`; do not `INSERT`.
- `CREATE OR REPLACE VIEW` changes a view: a plain `CREATE` of an existing view does nothing.
- A file that has been applied is never changed. Write a new one with the next number instead.

That is why no lock is needed. ClickHouse has no transactions, but a run that was killed half-way
is repeated from the start of its file. Two runs at the same time skip what the other has done.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

import schemas
from schemas.errors import TouchstreamError
from sinks.cluster import on_cluster

MIGRATIONS = Path(schemas.__file__).parent / "clickhouse"
OLDEST_SERVER = "26.2"

_TABLE_ALREADY_EXISTS = 57
_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_STATEMENT_END = re.compile(r";[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*--.*\n?", re.MULTILINE)
_CREATED = re.compile(
    r"^\s*CREATE (?:TABLE|VIEW|MATERIALIZED VIEW|DICTIONARY) (?:IF NOT EXISTS )?(\w+)"
)

_RECORD = """
CREATE TABLE IF NOT EXISTS migrations
(
    number     UInt32,
    name       String,
    sha256     String COMMENT 'of the file as it was applied',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY number
SETTINGS non_replicated_deduplication_window = 100
"""

_WITHOUT_DEDUPLICATION = """
SELECT name
FROM system.tables
WHERE database = currentDatabase()
    AND engine LIKE '%MergeTree'
    AND NOT match(engine, '^(Replicated|Shared)')
    AND toUInt64OrZero(extract(engine_full, 'non_replicated_deduplication_window = (\\\\d+)')) = 0
ORDER BY name
"""


class MigrationRefused(TouchstreamError):
    """The database, the server or the files do not fit; the text says what to do."""


@dataclass(frozen=True)
class Migration:
    """One file of SQL statements."""

    number: int
    name: str
    sha256: str
    statements: tuple[str, ...]


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Read the migrations of `folder`, in order of their numbers.

    Raises:
        MigrationRefused: a file's name is not `NNNN_name.sql`, or two have the same number.
    """
    migrations = [_migration(path) for path in sorted(folder.glob("*.sql"))]
    numbers = [migration.number for migration in migrations]
    for number, following in pairwise(numbers):
        if number == following:
            raise MigrationRefused(f"{folder}: two files have the number {number:04}")
    return migrations


def migrate(client: Client, migrations: list[Migration], cluster: str = "") -> list[Migration]:
    """Bring the client's database up to date; return the migrations that were applied now.

    With the name of a `cluster`, the tables are replicated on all its servers.

    Raises:
        MigrationRefused: an applied file was changed, the database has foreign tables with our
            names, the server is too old, or a table lacks its deduplication window.
    """
    check_version(client)
    _check_names_are_free(client, migrations)
    client.command(on_cluster(_RECORD, cluster))
    applied = _applied(client)
    for migration in migrations:
        if applied.get(migration.number, migration.sha256) != migration.sha256:
            raise MigrationRefused(
                f"migration {migration.number:04}_{migration.name} was changed after it was "
                "applied: restore it, and put the change into a new migration"
            )
    pending = [migration for migration in migrations if migration.number not in applied]
    for migration in pending:
        _apply(client, migration, cluster)
    check_deduplication(client)
    return pending


def strangers(client: Client, migrations: list[Migration]) -> tuple[set[int], set[int]]:
    """Give the numbers of `migrations` that are not applied, and of applied ones not among them."""
    recorded = (
        "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = %(n)s"
    )
    [[is_there]] = client.query(recorded, {"n": "migrations"}).result_rows
    applied = set(_applied(client)) if is_there else set()
    known = {migration.number for migration in migrations}
    return known - applied, applied - known


def check_version(client: Client) -> None:
    """Raise MigrationRefused if the server is older than the version that was tested."""
    if not client.min_version(OLDEST_SERVER):
        raise MigrationRefused(
            f"ClickHouse {client.server_version} is too old: use {OLDEST_SERVER} or newer"
        )


def check_deduplication(client: Client) -> None:
    """Raise MigrationRefused if a table would accept a repeated insert as a new one."""
    rows = client.query(_WITHOUT_DEDUPLICATION).result_rows
    if rows:
        statements = "; ".join(
            f"ALTER TABLE {name} MODIFY SETTING non_replicated_deduplication_window = 10000"
            for (name,) in rows
        )
        raise MigrationRefused(f"a repeated insert would count twice; run: {statements}")


def _migration(path: Path) -> Migration:
    matched = _FILE_NAME.fullmatch(path.name)
    if matched is None:
        raise MigrationRefused(f"{path}: name it NNNN_what_it_does.sql")
    text = path.read_text(encoding="utf-8")
    return Migration(
        number=int(matched[1]),
        name=matched[2],
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        statements=tuple(_statements(text)),
    )


def _statements(text: str) -> Iterator[str]:
    for piece in _STATEMENT_END.split(_COMMENT.sub("", text)):
        if piece.strip():
            yield piece.strip()


def _check_names_are_free(client: Client, migrations: list[Migration]) -> None:
    names = "SELECT name FROM system.tables WHERE database = currentDatabase()"
    existing = {name for (name,) in client.query(names).result_rows}
    if "migrations" in existing:
        return
    ours = {
        matched[1]
        for migration in migrations
        for statement in migration.statements
        if (matched := _CREATED.match(statement))
    }
    if taken := ", ".join(sorted(existing & ours)):
        raise MigrationRefused(
            f"this database already has tables of these names: {taken}. Give "
            "Touchstream a database of its own (TOUCHSTREAM_CLICKHOUSE_DATABASE)"
        )


def _applied(client: Client) -> dict[int, str]:
    rows = client.query("SELECT number, sha256 FROM migrations FINAL").result_rows
    return {int(number): str(sha256) for number, sha256 in rows}


def _apply(client: Client, migration: Migration, cluster: str) -> None:
    for statement in (on_cluster(each, cluster) for each in migration.statements):
        try:
            client.command(statement)
        except DatabaseError as error:
            if error.code != _TABLE_ALREADY_EXISTS:
                raise MigrationRefused(
                    f"migration {migration.number:04}_{migration.name}: {error}\n{statement}"
                ) from error
    client.insert(
        "migrations",
        [(migration.number, migration.name, migration.sha256)],
        column_names=["number", "name", "sha256"],
    )
