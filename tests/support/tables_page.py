"""The lists of columns in docs/tables.md, as the migrated database describes them.

python -m tests.support.tables_page      writes them
"""

import asyncio
import html
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.topics import TABLES
from tests.support.database import migrated_database
from tests.support.engine import EngineServer
from tests.support.examples import ROWS

PAGE = Path(__file__).parents[2] / "docs/tables.md"
MARK = "<!-- What follows is written by `python -m tests.support.tables_page`. -->\n"

_TOPIC_OF = {table: topic for topic, table in TABLES.items()}

_TABLES = """
SELECT name, engine = 'View', comment, sorting_key
FROM system.tables
WHERE database = currentDatabase() AND engine != 'MaterializedView' AND name != 'migrations'
    AND empty(parameterized_view_parameters)
ORDER BY indexOf({first:Array(String)}, name) = 0, indexOf({first:Array(String)}, name), name
"""

# Not DESCRIBE TABLE: the columns of a view with parameters are known only together with these.
_COLUMNS = """
SELECT name, type, comment
FROM system.columns
WHERE database = currentDatabase() AND table = {table:String}
ORDER BY position
"""


class Column(NamedTuple):
    """A column of a table or view; views need no `comment` where a table has the same column."""

    name: str
    type: str
    comment: str


class Table(NamedTuple):
    """A table or view. One with parameters has no columns until they are given: it is left out."""

    name: str
    is_view: bool
    comment: str
    sorting_key: str
    columns: list[Column]


def read_tables(client: Client) -> list[Table]:
    """List the tables of facts, then all others and the views by name."""
    found = client.query(_TABLES, parameters={"first": list(ROWS)}).result_rows
    return [Table._make((*about, _columns(client, about[0]))) for about in found]


def _columns(client: Client, table: str) -> list[Column]:
    described = client.query(_COLUMNS, parameters={"table": table}).result_rows
    return [Column._make(column) for column in described]


def write_page(prose: str, tables: list[Table]) -> str:
    """Give the page: `prose` by hand, then the lists."""
    return "\n".join([prose + MARK, *("\n".join(_section(table)) for table in tables)])


def _section(table: Table) -> Iterator[str]:
    yield f"## {table.name}{' (view)' if table.is_view else ''}\n\n{table.comment}."
    if table.name in _TOPIC_OF:
        yield f"Records of the topic `{_TOPIC_OF[table.name]}`."
    if table.sorting_key:
        yield f"Sorted by `{table.sorting_key}`."
    described = [column for column in table.columns if column.comment]
    if described:
        yield "\n| column | type | |\n|---|---|---|"
    for name, type_, comment in described:
        yield f"| `{name}` | `{type_}` | {html.escape(comment, quote=False)} |"
    as_in_tables = [f"`{column.name}`" for column in table.columns if not column.comment]
    if as_in_tables:
        yield f"\nColumns as in the tables: {', '.join(as_in_tables)}."
    yield ""


async def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with EngineServer(Path(folder) / "data") as engine:
            with migrated_database(engine) as client:
                prose = PAGE.read_text().partition(MARK)[0]
                PAGE.write_text(write_page(prose, read_tables(client)))


if __name__ == "__main__":
    asyncio.run(_main())
