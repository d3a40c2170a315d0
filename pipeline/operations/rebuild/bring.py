"""What a database of another log holds of a site, brought here. Shell around a given client.

A new log has a database of its own (`sinks.another_log` says why). Brought are the touchpoints, of
which a rebuild computes all facts, and what no rebuild can compute.
"""

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from schemas.errors import Unusable
from sinks.another_log import copy_rows

_BROUGHT = ("touchpoints", "dead_letters", "alerts", "watch_states")


class NotBrought(Unusable):
    """The other database cannot be read; the text says what to do."""


def bring(client: Client, source: str, site: str) -> None:
    """Copy what the database `source`, on the same server, holds of `site`.

    Raises:
        NotBrought: it is this database, or its tables are not like those here.
    """
    if source == client.command("SELECT currentDatabase()"):
        raise NotBrought(
            f"{source} is the database to write to: name the one of the log before, and set "
            "TOUCHSTREAM_CLICKHOUSE_DATABASE to the new one"
        )
    try:
        for table in _BROUGHT:
            copy_rows(client, source, table, "site = {site:String}", {"site": site})
    except DatabaseError as error:
        raise NotBrought(
            f"the database {source} cannot be read as this one is ({str(error)[:200]}): bring its "
            f"tables up to date with TOUCHSTREAM_CLICKHOUSE_DATABASE={source} touchstream migrate, "
            "and let the user read it"
        ) from error
