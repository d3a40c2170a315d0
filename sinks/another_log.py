"""Tables that were written from another log than the one that is read. Shell around a client.

Versions of rows are offsets, and a new log counts from 0: its rows would lose against older ones.
So facts of another log must be gone before the first row of a new one comes. The touchpoints stay,
and all facts are computed from them anew.
"""

from collections.abc import Mapping
from uuid import uuid4

from clickhouse_connect.driver.client import Client

from schemas.topics import DEAD_LETTERS, TABLES, TOUCHPOINTS

FACTS = tuple(
    table for topic, table in TABLES.items() if topic not in (TOUCHPOINTS.name, DEAD_LETTERS.name)
)
"""The tables whose rows are versions."""

_POSITION = ("kafka_partition", "kafka_offset")
_COLUMNS = """
SELECT name FROM system.columns WHERE database = currentDatabase()
AND table = {table:String} AND default_kind = '' ORDER BY position
"""
LOG = "SELECT log_id FROM logs ORDER BY since LIMIT 1"
HELD = """
SELECT count() FROM system.tables WHERE database = currentDatabase()
AND name IN {facts:Array(String)} AND total_rows > 0
"""
_SITES = "SELECT DISTINCT site FROM touchpoints ORDER BY site"


def holds_facts(client: Client) -> bool:
    """Tell whether there are rows with versions; it takes no right to read them."""
    [(tables,)] = client.query(HELD, parameters={"facts": [*FACTS]}).result_rows
    return int(tables) > 0


def noted_log(client: Client) -> str:
    """Give the id of the log that the tables are of; if there is none, make one up and note it."""
    if known := log_of(client):
        return known
    client.insert("logs", [(uuid4().hex,)], column_names=["log_id"])
    return log_of(client)  # of two sinks that did this, both take the older one


def log_of(client: Client) -> str:
    """Give the id of the log that the tables are of; empty: there is none."""
    rows = client.query(LOG).result_rows
    return str(rows[0][0]) if rows else ""


def forget_log(client: Client) -> list[str]:
    """Delete the facts, and the positions of the touchpoints; give the sites to compute anew.

    Broken off, it can be done again.
    """
    database = str(client.command("SELECT currentDatabase()"))
    copy_rows(client, database, "touchpoints", "kafka_offset > 0", {})
    for table in ("bot_sessions", *FACTS, "logs"):
        client.command(f"TRUNCATE TABLE {table}")
    return [str(site) for (site,) in client.query(_SITES).result_rows]


def copy_rows(
    client: Client, source: str, table: str, condition: str, parameters: Mapping[str, object]
) -> None:
    """Insert the rows of `table` in the database `source` that meet `condition`.

    Their position in the log becomes 0: they were before everything in this log. A row that is
    here already stays one row.
    """
    found = client.query(_COLUMNS, parameters={"table": table}).result_rows
    columns = [str(name) for (name,) in found]
    values = ["0" if name in _POSITION else name for name in columns]
    client.command(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "  # noqa: S608 - ours
        f"FROM {{source:Identifier}}.{table} FINAL WHERE {condition}",
        parameters={**parameters, "source": source},
        settings={"max_partitions_per_insert_block": 0},
    )
