"""Delete the rows of erased people from ClickHouse. Shell around a given client.

The deletes are lightweight: rows are hidden immediately for every reader and leave the disk when
their parts merge, without rewriting other people's rows.
"""

from collections.abc import Mapping

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from pipeline.kafka.records import partition_for
from pipeline.personal.erasures import Erased
from pipeline.personal.find import HELD, Named
from schemas.errors import Unusable
from schemas.topics import record_key

_OURS = "(site, visitor_id) IN {names:Array(Tuple(String, String))}"
_NAMED = "(site, name) IN {names:Array(Tuple(String, String))}"

_FINAL = "{final:Array(Int64)}[kafka_partition + 1]"
_FIRST = "{first:Array(Int64)}[kafka_partition + 1]"
_BY_HOME = (
    "version < if((visitor_id, kafka_partition) IN {homes:Array(Tuple(String, UInt32))}, "
    f"{_FINAL}, {_FIRST})"
)
# A partition without bounds has a zero: nothing in it is older.
_OLDER = {
    "touchpoints": f"kafka_offset < {_FINAL}",
    "sessions": f"version < {_FINAL}",
    "links": f"version < {_FINAL}",
    "identities": f"version < {_FIRST}",
    "transitions": _BY_HOME,
    "abandonments": _BY_HOME,
    "dead_letters": "toUnixTimestamp64Milli(at) < {at:Int64}",
}
"""Which rows of erased names are void, as `pipeline.personal.erasures` says."""

_LEFT = f"SELECT DISTINCT visitor_id FROM touchpoints WHERE {_OURS}"  # noqa: S608 - our own text

# In place and in one statement, so that rows the materialized view adds meanwhile are not lost.
_FUNNEL = """
ALTER TABLE funnel_hours UPDATE visitors = arrayReduce('groupUniqArrayState', arrayFilter(
    visitor -> NOT has(arrayMap(name -> cityHash64(name), {gone:Array(String)}), visitor),
    finalizeAggregation(visitors)))
WHERE site = {site:String} AND hasAny(
    finalizeAggregation(visitors), arrayMap(name -> cityHash64(name), {gone:Array(String)}))
"""

_NOT_ALLOWED = {497, 164}
"""ClickHouse's codes: access denied, read only."""

Parameters = dict[str, object]


class EraseRefused(Unusable):
    """ClickHouse does not let this user delete; the text says what to do."""


def erase_rows(client: Client, erased: Erased, partitions: int) -> None:
    """Delete all rows that `erased` makes void; return when nobody sees them.

    It can be repeated, and what a person did after coming back stays.

    Raises:
        EraseRefused: the user may not delete.
    """
    try:
        _erase(client, erased, partitions)
    except DatabaseError as error:
        if error.code in _NOT_ALLOWED:
            raise EraseRefused(
                "the ClickHouse user may not delete: set TOUCHSTREAM_CLICKHOUSE_USER to the one "
                "that runs `touchstream migrate`, then run `touchstream erase --again`"
            ) from error
        raise


def _erase(client: Client, erased: Erased, partitions: int) -> None:
    named = Named(erased.site, erased.names)
    parameters: Parameters = {**named.parameters(), **_bounds(erased, partitions)}
    for table, held in HELD.items():
        _delete(client, table, f"({held}) AND {_OLDER[table]}", parameters)
    back = {str(visitor) for (visitor,) in client.query(_LEFT, parameters=parameters).result_rows}
    gone = [name for name in erased.names if name not in back]
    for table in ("segment_states", "visitor_days", "order_touchpoints", "bot_sessions"):
        _delete(client, table, _OURS, {"names": [(erased.site, name) for name in gone]})
    _delete(client, "rebuild_names", _NAMED, named.parameters())
    client.command(
        _FUNNEL,
        parameters={"gone": gone, "site": erased.site},
        settings={"mutations_sync": 2},
    )


def _bounds(erased: Erased, partitions: int) -> Parameters:
    bounds = [erased.bounds.get(number) for number in range(partitions)]
    return {
        "first": [each.first if each else 0 for each in bounds],
        "final": [each.final if each else 0 for each in bounds],
        "homes": [
            (name, partition_for(record_key(erased.site, name), partitions))
            for name in erased.names
        ],
        "at": erased.at,
    }


def _delete(client: Client, table: str, condition: str, parameters: Mapping[str, object]) -> None:
    client.command(
        f"DELETE FROM {table} WHERE {condition}",  # noqa: S608 - our own text
        parameters=dict(parameters),
        settings={"lightweight_deletes_sync": 2},
    )
