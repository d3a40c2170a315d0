"""How long tables keep their rows. Shell over a ClickHouse client that it is given.

ClickHouse drops rows past their time when it merges parts: within some hours, not to the minute.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from clickhouse_connect.driver.client import Client

TIME_OF = {
    "touchpoints": "occurred_at",
    "sessions": "started_at",
    "transitions": "at",
    "abandonments": "opened_at",
    "dead_letters": "at",
    "funnel_hours": "hour",
    "visitor_days": "day",
    "order_touchpoints": "occurred_at",
    "bot_sessions": "started_at",
}
"""The tables whose rows have a time, and its column."""

_ENGINES = """
SELECT name, engine_full
FROM system.tables
WHERE database = currentDatabase() AND has({names:Array(String)}, name)
ORDER BY name
"""
_TTL = re.compile(r" TTL (.+?)(?= SETTINGS |$)")


def apply_retention(client: Client, retention: Mapping[str, timedelta]) -> list[str]:
    """Have each table of `TIME_OF` keep its rows for so long, one without an entry for ever.

    A table that does so already is left alone: rewriting its parts is work. Gives the tables that
    were altered.
    """
    engines = client.query(_ENGINES, parameters={"names": list(TIME_OF)}).result_rows
    altered = []
    for name, engine in engines:
        wanted = _ttl(name, retention[name]) if name in retention else ""
        found = _TTL.search(engine)
        if wanted != (found[1] if found else ""):
            client.command(
                f"ALTER TABLE {name} {f'MODIFY TTL {wanted}' if wanted else 'REMOVE TTL'}"
            )
            altered.append(name)
    return altered


def _ttl(table: str, kept: timedelta) -> str:
    # As ClickHouse itself writes it, so that the two can be compared.
    return f"toDateTime({TIME_OF[table]}) + toIntervalSecond({kept // timedelta(seconds=1)})"
