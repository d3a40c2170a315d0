"""What a rebuild reads from ClickHouse and deletes there. Shell around a given client."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from pipeline.operations.rebuild.told import COLUMNS

MOST_NAMES = 100_000
"""Beyond this many names it is cheaper to rebuild everybody."""

_LARGEST_SLICE = 200_000
_OURS = "site = {site:String}"
_CHOSEN = "SELECT name FROM rebuild_names WHERE site = {site:String} AND rebuild = {rebuild:Int64}"
_NAMED = f"{_OURS} AND visitor_id IN ({_CHOSEN})"
_SEEN = """
INSERT INTO rebuild_names
SELECT DISTINCT site, {rebuild:Int64}, visitor_id FROM touchpoints
WHERE site = {site:String} AND (CONDITION)
"""
# Everybody who is one person with them, as known now.
_TOGETHER = f"""
INSERT INTO rebuild_names
SELECT DISTINCT site, {{rebuild:Int64}}, visitor_id FROM identities FINAL
WHERE site = {{site:String}} AND person_id IN (
    SELECT person_id FROM identities FINAL WHERE {_NAMED})
"""  # noqa: S608 - our own text

_TIME_OF = {
    "sessions": "started_at",
    "transitions": "at",
    "abandonments": "opened_at",
    "identities": "",
    "links": "",
}
"""The tables of facts, and the column with their time."""

_SETS = ("segment_states", "inventory_states", "funnel_hours", "visitor_days", "order_touchpoints")
"""What is made of the touchpoints while they are inserted: sets, which forget nothing themselves.
Each has a view of its own, whose query fills it again."""


class Scope(NamedTuple):
    """Whom a rebuild covers; without `names` everybody. `rebuild` is when it began, in ms."""

    site: str
    rebuild: int
    names: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        """Give the parameters of the statements."""
        return {"site": self.site, "rebuild": self.rebuild}

    @property
    def condition(self) -> str:
        """Give the condition that rows of these people meet."""
        return _NAMED if self.names else _OURS


def choose(
    client: Client, site: str, rebuild: int, condition: str, also: Sequence[str] = ()
) -> Scope | None:
    """Choose everybody with a touchpoint that meets `condition`, and those called `also`.

    None if that is nobody; if there are too many, it is everybody.
    """
    scope = Scope(site, rebuild)
    client.command(_SEEN.replace("CONDITION", condition), parameters=scope.parameters)
    if also:
        client.insert("rebuild_names", [(site, rebuild, name) for name in also])
    client.command(_TOGETHER, parameters=scope.parameters)
    rows = client.query(_CHOSEN, parameters=scope.parameters).result_rows
    names = tuple(sorted({str(name) for (name,) in rows}))
    if not names:
        return None
    return scope if len(names) > MOST_NAMES else scope._replace(names=names)


class Slice(NamedTuple):
    """A time range, and the number of touchpoints in it."""

    start: datetime
    end: datetime
    touchpoints: int


def slices(client: Client, scope: Scope) -> list[Slice]:
    """Split the time with touchpoints to replay, so that no piece is large."""
    days = _slices(client, scope, "toStartOfDay(occurred_at)", timedelta(days=1))
    if all(day.touchpoints <= _LARGEST_SLICE for day in days):
        return days
    return _slices(client, scope, "toStartOfHour(occurred_at)", timedelta(hours=1))


def _slices(client: Client, scope: Scope, beginning: str, length: timedelta) -> list[Slice]:
    sql = (
        f"SELECT toDateTime({beginning}, 'UTC') AS start, uniqExact(visitor_id, touchpoint_id) "  # noqa: S608
        f"FROM touchpoints WHERE {scope.condition} GROUP BY start ORDER BY start"
    )
    rows = client.query(sql, parameters=scope.parameters).result_rows
    return [Slice(start, start + length, int(count)) for start, count in rows]


def rows_in(client: Client, scope: Scope, piece: Slice) -> Iterator[list[dict[str, Any]]]:
    """Give the touchpoints in a time range, in order, in portions."""
    condition = "occurred_at >= {start:DateTime('UTC')} AND occurred_at < {end:DateTime('UTC')}"
    parameters = {"start": piece.start, "end": piece.end}
    return _rows(client, scope, condition, parameters)


def rows_between(
    client: Client, scope: Scope, starts: Sequence[int], ends: Sequence[int]
) -> Iterator[list[dict[str, Any]]]:
    """Give the touchpoints between two offsets of each partition."""
    condition = (
        "kafka_offset >= {starts:Array(UInt64)}[kafka_partition + 1] "
        "AND kafka_offset < {ends:Array(UInt64)}[kafka_partition + 1]"
    )
    parameters = {"starts": list(starts), "ends": list(ends)}
    return _rows(client, scope, condition, parameters)


def _rows(
    client: Client, scope: Scope, condition: str, parameters: dict[str, Any]
) -> Iterator[list[dict[str, Any]]]:
    sql = (
        f"SELECT {', '.join(COLUMNS)}, kafka_offset FROM touchpoints FINAL "  # noqa: S608
        f"WHERE {scope.condition} AND {condition} "
        "ORDER BY occurred_at, kafka_partition, kafka_offset"
    )
    written = {"date_time_output_format": "iso", "output_format_json_quote_64bit_integers": 0}
    stream = client.raw_stream(
        sql, parameters=scope.parameters | parameters, fmt="JSONEachRow", settings=written
    )
    with stream as pieces:
        yield from _decoded(pieces)


def _decoded(pieces: Iterable[bytes]) -> Iterator[list[dict[str, Any]]]:
    read, left = msgspec.json.Decoder(dict[str, Any]).decode, b""
    for piece in pieces:
        *lines, left = (left + piece).split(b"\n")
        yield [read(line) for line in lines]
    if left:
        yield [read(left)]


GONE = (
    "(visitor_id, touchpoint_id) IN (SELECT visitor_id, touchpoint_id FROM rebuild_gone "
    "WHERE site = {site:String} AND rebuild = {rebuild:Int64})"
)
"""The condition of the touchpoints that `note_gone` has named."""


def note_gone(client: Client, site: str, rebuild: int, gone: Iterable[tuple[str, str]]) -> None:
    """Note the touchpoints, each a visitor and an id, that must no longer be in the table."""
    client.insert("rebuild_gone", [(site, rebuild, *one) for one in gone])


def remove(client: Client, scope: Scope, condition: str) -> None:
    """Delete the touchpoints that meet `condition`."""
    _delete(client, "touchpoints", f"{_OURS} AND ({condition})", scope.parameters)


def delete_void(
    client: Client, scope: Scope, before: Sequence[int], since: datetime
) -> dict[str, int]:
    """Delete the facts of these people from before the rebuild; give the number by table.

    Facts that are still true were written again. `before` is an offset in each partition; facts
    older than `since` stay, because their touchpoints are no longer kept.
    """
    parameters = scope.parameters | {"before": list(before), "since": since}
    gone = {}
    for table, time in _TIME_OF.items():
        is_old = "version < {before:Array(UInt64)}[kafka_partition + 1]"
        is_told = f"{time} >= {{since:DateTime('UTC')}}" if time else "1"
        condition = f"{scope.condition} AND {is_old} AND {is_told}"
        sql = f"SELECT count() FROM {table} FINAL WHERE {condition}"  # noqa: S608
        [(gone[table],)] = client.query(sql, parameters=parameters).result_rows
        _delete(client, table, condition, parameters)
    return gone


def fill_sets(client: Client, site: str) -> None:
    """Recompute the sets that are derived from a site's touchpoints: from the last copy of each.

    A touchpoint that was late and is so no more stands in the table twice for a while.
    """
    for table in _SETS:
        view = table.removesuffix("_states") + "_mv"
        [(query,)] = client.query(
            "SELECT as_select FROM system.tables "
            "WHERE database = currentDatabase() AND name = {view:String}",
            parameters={"view": view},
        ).result_rows
        _delete(client, table, _OURS, {"site": site})
        client.command(
            f"INSERT INTO {table} SELECT * FROM ({query}) WHERE {_OURS} "  # noqa: S608
            "SETTINGS max_partitions_per_insert_block = 0, final = 1",
            parameters={"site": site},
        )


def _delete(client: Client, table: str, condition: str, parameters: dict[str, Any]) -> None:
    client.command(
        f"DELETE FROM {table} WHERE {condition}",  # noqa: S608
        parameters=parameters,
        settings={"lightweight_deletes_sync": 2},
    )
