"""How long tables keep their rows. Shell: works on a given ClickHouse client.

ClickHouse drops expired rows when it merges parts: within some hours, not to the minute.
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
"""The tables whose rows have a time, and the column of that time."""

_ENGINES = """
SELECT name, engine_full
FROM system.tables
WHERE database = currentDatabase() AND has({names:Array(String)}, name)
ORDER BY name
"""
_TTL = re.compile(r" TTL (.+?)(?= SETTINGS |$)")


def apply_retention(client: Client, retention: Mapping[str, timedelta]) -> list[str]:
    """Set how long each table of `TIME_OF` keeps its rows; without an entry, it keeps them forever.

    A table that already does so is not altered, because that would rewrite its parts. Returns the
    altered tables.
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
    # As ClickHouse itself writes it, so that a comparison works.
    return f"toDateTime({TIME_OF[table]}) + toIntervalSecond({kept // timedelta(seconds=1)})"
