"""Erasing a person from ClickHouse. Shell over a client that it is given.

Lightweight deletes: rows are hidden at once for every reader and leave the disk when their parts
merge, without rewriting what belongs to others.
"""

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from pipeline.personal import HELD, Named

_LAST = ("links", "touchpoints", "identities")
"""By these the person is found again, should the command be interrupted."""

_SEGMENT = "(site, visitor_id) IN {names:Array(Tuple(String, String))}"

# In place and in one statement: what the materialized view adds meanwhile is not lost.
_FUNNEL = """
ALTER TABLE funnel_hours UPDATE visitors = arrayReduce('groupUniqArrayState', arrayFilter(
    visitor -> NOT has(arrayMap(name -> cityHash64(name), {names:Array(String)}), visitor),
    finalizeAggregation(visitors)))
WHERE site = {site:String} AND hasAny(
    finalizeAggregation(visitors), arrayMap(name -> cityHash64(name), {names:Array(String)}))
"""

_NOT_ALLOWED = {497, 164}
"""ClickHouse's codes: access denied, read only."""


class EraseRefused(Exception):
    """ClickHouse does not let this user delete; the text says what to do."""


def erase_person(client: Client, named: Named) -> None:
    """Delete the person's rows from all tables and aggregates; return when nobody sees them.

    It can be repeated. Kafka's topics and the tracker's memory are not touched: what they still
    bring is erased by doing it again.

    Raises:
        EraseRefused: the user may not delete.
    """
    try:
        _erase(client, named)
    except DatabaseError as error:
        if error.code in _NOT_ALLOWED:
            raise EraseRefused(
                "the ClickHouse user may not delete: set TOUCHSTREAM_CLICKHOUSE_USER to the one "
                "that runs `touchstream migrate`"
            ) from error
        raise


def _erase(client: Client, named: Named) -> None:
    conditions = {table: held for table, held in HELD.items() if table not in _LAST}
    conditions["segment_states"] = _SEGMENT
    for table, condition in conditions.items():
        _delete(client, table, condition, named)
    _leave_funnels(client, named)
    for table in _LAST:
        _delete(client, table, HELD[table], named)


def _delete(client: Client, table: str, condition: str, named: Named) -> None:
    client.command(
        f"DELETE FROM {table} WHERE {condition}",  # noqa: S608 - our own text
        parameters=named.parameters(),
        settings={"lightweight_deletes_sync": 2},
    )


def _leave_funnels(client: Client, named: Named) -> None:
    client.command(
        _FUNNEL,
        parameters={"names": list(named.names), "site": named.site},
        settings={"mutations_sync": 2},
    )
