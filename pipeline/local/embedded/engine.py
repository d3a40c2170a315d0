"""The embedded ClickHouse engine: one statement in, bytes out. Wraps chdb; knows nothing of HTTP.

What chdb 4.4 (ClickHouse 26.9) allows, as measured:

- One process per data folder, one data folder per process.
- Any number of connections and threads in that process. A connection has its own settings,
  database and temporary tables, and opens in 0.4 ms. Connections run in parallel, without the
  GIL: a slow SELECT delays neither inserts nor other SELECTs.
- One statement per connection, or answers get mixed up: after a SELECT that fails half-way, its
  partial output precedes the connection's next result.
- No data inside a statement: for chdb, data ends at the first empty line. A file keeps every byte.
  So does `send_insert`, but it says that all is well when the rows could not be stored (too many
  parts, a full disk): that error is another thread's, and nobody hears of it.
- No users and no grants: whoever reaches the engine may do everything, including to files.
"""

import fcntl
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Self

from pipeline.local.embedded import EmbeddedError
from pipeline.local.embedded.native import empty_block
from pipeline.local.embedded.statement import Insert, description_of, output_format

# A result is held in memory until it is sent; a larger one is refused with
# TOO_MANY_ROWS_OR_BYTES. `implicit_select` is off as on a server, where `1 + 1` is no statement.
_OPTIONS = "implicit_select=0&max_result_bytes=1073741824"

_CODE = re.compile(r"Code: (\d+)\.")
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


class StatementError(Exception):
    """ClickHouse refused a statement: its text, and the number of the error."""

    def __init__(self, words: str) -> None:
        found = _CODE.search(words)
        super().__init__(words[found.start() :] if found else words)
        self.code = int(found[1]) if found else 1002  # UNKNOWN_EXCEPTION

    @classmethod
    def because(cls, code: int, reason: str, name: str) -> Self:
        """Build an error in ClickHouse's form, for a statement that never reaches the engine."""
        return cls(f"Code: {code}. DB::Exception: {reason}. ({name})")


@dataclass(frozen=True, slots=True)
class Query:
    """A statement, or an `insert` in its place, and its settings.

    `settings` may also hold parameters, as `param_x`.
    """

    statement: bytes
    insert: Insert | None = None
    database: str = ""
    format: str = "TabSeparated"
    settings: Mapping[str, str] = field(default_factory=dict)
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a statement: `format` is None if there is no result; `summary` counts rows."""

    body: bytes
    format: str | None
    summary: dict[str, int]


class Engine:
    """The engine on one data folder. All methods are safe to call from several threads at once."""

    def __init__(self, path: Path) -> None:
        """Open `path`, creating it if needed; raise EmbeddedError if it cannot be used."""
        if "?" in str(path):  # chdb would cut the path there and use another folder
            raise EmbeddedError(f"{path} contains a question mark; choose another folder.")
        self._chdb = _chdb()
        self._address = f"{path.resolve()}?{_OPTIONS}"
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._held_open = self._chdb.connect(self._address)
        except (OSError, RuntimeError) as error:
            raise EmbeddedError(_why_not(path, error)) from error
        self.version, self.timezone = self._about()

    def execute(self, query: Query) -> Answer:
        """Run one statement to its end; raise StatementError if ClickHouse refuses it."""
        with _clickhouse_words(), closing(self._chdb.connect(self._address)) as connection:
            _prepare(connection, query)
            if query.insert:
                return _insert(connection, query.insert)
            return _run(connection, query)

    def close(self) -> None:
        """Cancel what is still running and release the data folder."""
        with closing(self._held_open) as connection:
            connection.query("KILL QUERY WHERE query_id != currentQueryID() SYNC")

    def _about(self) -> tuple[str, str]:
        answer = self.execute(Query(b"SELECT version(), timezone()"))
        version, timezone = answer.body.decode().split()
        return version, timezone


def _chdb() -> Any:
    try:
        return importlib.import_module("chdb")
    except ImportError as error:
        raise EmbeddedError(
            "The embedded ClickHouse is not installed; run: pip install 'touchstream[embedded]'"
        ) from error


def _why_not(path: Path, error: Exception) -> str:
    status = path / "status"
    if status.exists() and _is_locked(status):
        return (
            f"{path} is in use by another process ({status.read_text().splitlines()[0]}); only one "
            "can own an embedded ClickHouse. Stop it, ask it over HTTP, or choose another folder."
        )
    return f"{path} cannot be opened ({error}); check that it is a folder you may write to."


def _is_locked(status: Path) -> bool:
    with status.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def _clickhouse_words() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # chdb's own errors derive from it
        raise StatementError(str(error)) from error
    except OSError as error:
        raise StatementError.because(243, str(error), "NOT_ENOUGH_SPACE") from error


def _prepare(connection: Any, query: Query) -> None:
    if query.database:
        connection.query("USE {name:Identifier}", params={"name": query.database})
    if query.settings:
        connection.query("SET " + ", ".join(_assignment(*item) for item in query.settings.items()))
    if query.readonly and query.settings.get("readonly", "0") == "0":
        connection.query("SET readonly = 2")


def _assignment(name: str, value: str) -> str:
    if not _SETTING.fullmatch(name):
        raise StatementError.because(115, f"Unknown setting {name!r}", "UNKNOWN_SETTING")
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name} = '{escaped}'"


def _insert(connection: Any, insert: Insert) -> Answer:
    with NamedTemporaryFile(prefix="touchstream-insert-") as file:
        file.write(insert.data)
        file.flush()
        done = connection.query(insert.of_file(file.name))
    counts = {"written_rows": done.rows_written(), "written_bytes": done.bytes_written()}
    return Answer(b"", None, counts | {"elapsed_ns": round(done.elapsed() * 1e9)})


def _run(connection: Any, query: Query) -> Answer:
    # Only the inner connection can say what a statement is; chdb.durable asks it the same way.
    kind = connection._conn.classify_query(query.statement, "")  # noqa: SLF001
    if kind["statement_count"] > 1:
        raise StatementError.because(
            62, "Syntax error (Multi-statements are not allowed)", "SYNTAX_ERROR"
        )
    result = connection.query(query.statement, query.format)
    reads = kind["query_class"].name == "READ_ONLY"
    chosen = output_format(query.statement) or query.format
    body = result.bytes()
    if reads and not body and chosen == "Native":
        body = _empty_native(connection, query.statement)
    counts = {
        "read_rows": result.storage_rows_read(),
        "read_bytes": result.storage_bytes_read(),
        "written_rows": result.rows_written(),
        "written_bytes": result.bytes_written(),
        "result_rows": result.rows_read(),
        "result_bytes": len(body),
        "elapsed_ns": round(result.elapsed() * 1e9),
    }
    return Answer(body, chosen if reads or body else None, counts)


def _empty_native(connection: Any, statement: bytes) -> bytes:
    try:
        described = connection.query(description_of(statement), "JSONCompactEachRow").bytes()
    except RuntimeError:  # SHOW, EXPLAIN and the like cannot be described
        return b""
    return empty_block((row[0], row[1]) for row in map(json.loads, described.splitlines()))
