"""Counts the funnel in ClickHouse, has it judged, exports it as metrics. Shell: decides nothing."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline import metrics
from pipeline.roles.watch.dropoff import (
    WINDOW,
    Judgement,
    Passage,
    judge,
    window_end,
)
from pipeline.settings import Settings
from schemas.journeys import load_models

_log = logging.getLogger(__name__)

_DAY_MS = 24 * 60 * 60 * 1000

# `age` counts back from the newest millisecond of the window, so it begins anew every day.
_PASSAGES = """
WITH {end_ms:Int64} - 1 - toUnixTimestamp64Milli(started_at) AS age,
     intDiv(age, {day_ms:Int64}) AS days_ago
SELECT
    site,
    pair.1 AS from_step,
    pair.2 AS to_step,
    countIf(days_ago = 0) AS entries,
    countIf(days_ago = 0 AND has(steps, pair.2)) AS conversions,
    countIf(days_ago > 0) AS usual_entries,
    countIf(days_ago > 0 AND has(steps, pair.2)) AS usual_conversions
FROM sessions FINAL
ARRAY JOIN arrayZip({from_steps:Array(String)}, {to_steps:Array(String)}) AS pair
WHERE started_at < fromUnixTimestamp64Milli({end_ms:Int64})
  AND started_at >= fromUnixTimestamp64Milli({end_ms:Int64} - {day_ms:Int64} * ({days:Int64} + 1))
  AND age % {day_ms:Int64} < {window_ms:Int64}
  AND has(steps, pair.1)
  AND NOT is_bot
GROUP BY site, from_step, to_step
"""


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def watch(
    client: Client, settings: Settings, clock: Callable[[], datetime] = _utc_now
) -> None:
    """Judge every `watch_interval`, for ever; while ClickHouse is away, count that and go on.

    Raises:
        BadModel: `journey_models`, of which the first one's funnel is watched, cannot be used.
    """
    pairs = list(pairwise(load_models(settings.journey_models)[0].funnel))
    metrics.serve(settings.metrics_host, settings.watch_metrics_port, metrics.WATCH)
    metrics.WATCH_LAST_SUCCESS.set(clock().timestamp())
    while True:
        await look(client, settings, pairs, clock())
        await asyncio.sleep(settings.watch_interval.total_seconds())


async def look(
    client: Client, settings: Settings, pairs: Sequence[tuple[str, str]], now: datetime
) -> None:
    """Judge once, as of `now`, and export the result; a failure is counted, not raised."""
    try:
        passages = await asyncio.to_thread(count, client, pairs, now, settings.watch_days)
    except (ClickHouseError, OSError) as error:
        metrics.WATCH_FAILURES.inc()
        _log.warning("drop-off not judged, ClickHouse did not answer: %s", error)
        return
    for passage in passages:
        export(passage, judge(passage, settings.watch_minimum))
    metrics.WATCH_LAST_SUCCESS.set(now.timestamp())


def count(
    client: Client, pairs: Sequence[tuple[str, str]], now: datetime, days: int
) -> list[Passage]:
    """Count the sessions of the window, and of the same hour on each of the `days` before.

    Raises:
        ClickHouseError: the statement failed, or nobody answered.
    """
    result = client.query(
        _PASSAGES,
        parameters={
            "end_ms": int(window_end(now).timestamp() * 1000),
            "window_ms": int(WINDOW.total_seconds() * 1000),
            "day_ms": _DAY_MS,
            "days": days,
            "from_steps": [from_step for from_step, _ in pairs],
            "to_steps": [to_step for _, to_step in pairs],
        },
    )
    return [Passage(**row) for row in result.named_results()]


def export(passage: Passage, judgement: Judgement) -> None:
    """Set the gauges of this site and pair of steps."""
    labels = (passage.site, passage.from_step, passage.to_step)
    metrics.WATCH_ENTRIES.labels(*labels).set(judgement.entries)
    metrics.WATCH_CONVERSION.labels(*labels).set(judgement.conversion)
    metrics.WATCH_EXPECTED_CONVERSION.labels(*labels).set(judgement.expected)
    metrics.WATCH_DROP.labels(*labels).set(judgement.drop)
