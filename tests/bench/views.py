"""How long the views take, all sites and all time, over a million touchpoints.

python -m tests.bench.views [TOUCHPOINTS]

A hundred thousand visitors a month, ten touchpoints in two sessions each; a third of the visitors
are linked in pairs.
"""

import asyncio
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from clickhouse_connect.driver.client import Client

from pipeline.operations.verify import SESSIONISE
from tests.support.database import HALF_AN_HOUR
from tests.support.engine import EngineServer
from tests.support.stories import library

_VIEWS = (
    *("inventory", "weak_points", "breaches", "channel_changes", "channel_paths"),
    *("kpis", "touchpoint_kpis", "journey_map"),
)

_TOUCHPOINTS = """
INSERT INTO touchpoints (touchpoint_id, site, type, name, channel, visitor_id, occurred_at, path,
    order_id, revenue, currency, properties, kafka_offset)
WITH
    intDiv(number, 10) AS visitor,
    1 + least(number % 10, cityHash64(visitor) % 10) AS step,
    ['Page Viewed', 'Page Viewed', 'Product List Viewed', 'Product Viewed', 'Product Viewed',
        'Product Added', 'Cart Viewed', 'Checkout Started', 'Order Completed', 'Survey Answered'
    ][step] AS does
SELECT toString(number), 'shop', if(step < 3, 'page', 'track'), does,
    multiIf(step < 3, 'website', step < 10, 'shop', 'survey'), concat('v', toString(visitor)),
    toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + cityHash64(visitor, 7) % 2592000
        + number % 10 * 40 + if(number % 10 < 5, 0, 7200),
    concat('/p/', toString(cityHash64(number) % 500)),
    if(step = 9, toString(number), ''), if(step = 9, 50, 0), if(step = 9, 'EUR', ''),
    concat(
        '{"survey": "nps", "score": ', toString(cityHash64(number) % 11),
        ', "traits": {"segment": "s', toString(cityHash64(visitor) % 5), '"}}'
    ),
    number
FROM numbers(@)"""

_SESSIONS = f"""
INSERT INTO sessions (session_id, site, visitor_id, person_id, started_at, ended_at, touchpoints,
    channel, steps)
SELECT first_touchpoint_id, site, visitor_id, visitor_id, started_at, ended_at, touchpoints, 'shop',
    ['Product Added']
FROM ({SESSIONISE})"""  # noqa: S608 - our own text

_OTHERS = (
    """
    INSERT INTO transitions (transition_id, site, model, person_id, visitor_id, cycle, to_phase,
        kind, at, channel)
    SELECT touchpoint_id, site, 'lifecycle', visitor_id, visitor_id, 1,
        multiIf(name = 'Page Viewed', 'awareness', name = 'Product Viewed', 'consideration',
            'purchase'),
        'forward', occurred_at, channel
    FROM touchpoints FINAL
    WHERE name IN ('Page Viewed', 'Product Viewed', 'Product Added')
    ORDER BY occurred_at
    LIMIT 1 BY visitor_id, name""",
    """
    INSERT INTO abandonments (abandonment_id, site, model, kind, person_id, visitor_id, step,
        opened_at, last_touchpoint_at, last_touchpoint_id, last_path, abandoned_at)
    SELECT touchpoint_id, site, 'lifecycle', 'cart', visitor_id, visitor_id, name, occurred_at,
        occurred_at, touchpoint_id, path, occurred_at + 1800
    FROM touchpoints FINAL
    WHERE name = 'Product Added'
    LIMIT 1 BY visitor_id""",
    """
    INSERT INTO identities (site, visitor_id, person_id)
    SELECT site, visitor_id, concat('p', toString(intDiv(cityHash64(visitor_id), 3) % 15000))
    FROM sessions
    WHERE cityHash64(visitor_id) % 3 = 0
    LIMIT 1 BY visitor_id""",
)


def fill(client: Client, touchpoints: int) -> None:
    """Write so many touchpoints, and the facts that a tracker would find in them."""
    client.command(_TOUCHPOINTS.replace("@", str(touchpoints)))
    client.command(_SESSIONS, parameters={"gap": HALF_AN_HOUR // timedelta(milliseconds=1)})
    for statement in _OTHERS:
        client.command(statement)


def seconds(client: Client, view: str) -> float:
    """Read all rows and columns of a view; give how long that took."""
    began = perf_counter()
    client.command(f"SELECT count() FROM (SELECT * FROM {view}) WHERE NOT ignore(*)")  # noqa: S608
    return perf_counter() - began


async def _main(touchpoints: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with EngineServer(Path(folder) / "data") as engine:
            with library(engine) as client:
                fill(client, touchpoints)
                for view in _VIEWS:
                    print(f"{view:16} {seconds(client, view):6.1f} s", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000))
