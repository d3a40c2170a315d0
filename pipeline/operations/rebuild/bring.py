"""What a database of another log holds of a site, brought here. Shell around a given client.

A new log counts its records from 0, and the rows of two logs in one database would be compared by
offsets that have nothing to do with each other. So a new log has a database of its own. Brought
are the touchpoints, of which a rebuild makes all facts, and what no rebuild can make.
"""

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from schemas.errors import Unusable

TABLES = ("touchpoints", "dead_letters", "alerts", "watch_states")

_POSITION = ("kafka_partition", "kafka_offset")
"""A place in the other log means nothing here. At 0, a row is before all of this log."""


class NotBrought(Unusable):
    """The other database cannot be read; the text says what to do."""


def bring(client: Client, source: str, site: str) -> dict[str, int]:
    """Copy what the database `source` holds of `site`; give the number of rows by table.

    A row that is here already stays one row. `source` is on the same server.

    Raises:
        NotBrought: it is this database, or its tables are not like those here.
    """
    if source == client.command("SELECT currentDatabase()"):
        raise NotBrought(
            f"{source} is the database to write to: name the one of the log before, and set "
            "TOUCHSTREAM_CLICKHOUSE_DATABASE to the new one"
        )
    try:
        return {table: _copy(client, source, table, site) for table in TABLES}
    except DatabaseError as error:
        raise NotBrought(
            f"the database {source} cannot be read as this one is ({str(error)[:200]}): bring its "
            f"tables up to date with TOUCHSTREAM_CLICKHOUSE_DATABASE={source} touchstream migrate, "
            "and let the user read it"
        ) from error


def _copy(client: Client, source: str, table: str, site: str) -> int:
    found = client.query(
        "SELECT name FROM system.columns WHERE database = currentDatabase() "
        "AND table = {table:String} AND default_kind = '' ORDER BY position",
        parameters={"table": table},
    ).result_rows
    columns = [str(name) for (name,) in found]
    values = ["0" if name in _POSITION else name for name in columns]
    parameters = {"source": source, "site": site}
    of_site = f"FROM {{source:Identifier}}.{table} FINAL WHERE site = {{site:String}}"
    client.command(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} {of_site}",
        parameters=parameters,
        settings={"max_partitions_per_insert_block": 0},
    )
    [(count,)] = client.query(f"SELECT count() {of_site}", parameters=parameters).result_rows
    return int(count)
