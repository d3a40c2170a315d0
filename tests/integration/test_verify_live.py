"""A running line compared with its log and put right, and its tables written again."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from clickhouse_connect.driver.client import Client

from pipeline.cli import main
from pipeline.operations.comparison import ID
from pipeline.operations.live_check import check, repair
from pipeline.operations.rewind import rewind
from pipeline.reports.span import Span
from schemas import topics
from schemas.times import milliseconds
from tests.support.engine import EngineServer
from tests.support.kafka import KafkaCluster
from tests.support.line import Line, running_line
from tests.support.tracker import key_of, tick, touchpoint

NOW = datetime.now(UTC).replace(microsecond=0)
TABLES = ("touchpoints", "sessions", "transitions", "identities")
WRONG = [
    "ALTER TABLE touchpoints UPDATE path = '/elsewhere' WHERE visitor_id = 'v8'",
    "ALTER TABLE sessions UPDATE touchpoints = 99 WHERE visitor_id = 'v9'",
    "INSERT INTO sessions SELECT * REPLACE ('old' AS session_id) FROM sessions LIMIT 1",
    "ALTER TABLE touchpoints DELETE WHERE visitor_id = 'v3' AND touchpoint_id LIKE '%7'",
    "ALTER TABLE sessions DELETE WHERE visitor_id IN ('v3', 'v4')",
    "ALTER TABLE transitions DELETE WHERE visitor_id = 'v5'",
    "ALTER TABLE identities DELETE WHERE visitor_id = 'v6'",
]


def story(line: Line) -> list[tuple[bytes | None, int, bytes, int]]:
    """Twelve visitors in a day, who look, some of whom sign in on two devices, and buy."""
    said: list[tuple[bytes | None, int, bytes, int]] = []
    for number in range(240):
        at = milliseconds(NOW - timedelta(hours=20) + timedelta(minutes=4 * number))
        what = ("Product Viewed", "Product Added", "Order Completed")[number % 3]
        who: dict[str, object] = {"anonymous_id": f"v{number % 12}"}
        if number % 24 < 8:
            who["user_id"] = f"u{number % 12 // 2}"
        value = touchpoint(f"t{number}", at, name=what, properties={"price": 3}, **who)
        key = key_of(value) or b""
        said.append((key, line.home(key), value, milliseconds(NOW)))
    return said


def held(client: Client) -> dict[str, object]:
    """Give every row of every table, and an answer of what views fill."""
    found: dict[str, object] = {
        table: client.query(f"SELECT * FROM {table} FINAL ORDER BY ALL").result_rows  # noqa: S608
        for table in ID
    }
    sql = "SELECT visitor_id, argMaxMerge(segment) FROM segment_states GROUP BY 1 ORDER BY 1"
    return found | {"sets": client.query(sql).result_rows}


@pytest.mark.skipif(os.environ.get("LONG") != "1", reason="takes a minute; part of `make faults`")
async def test_what_differs_is_found_and_put_right_and_what_is_lost_is_written_again(
    kafka: KafkaCluster, engine: EngineServer, tmp_path: Path
) -> None:
    async with running_line(kafka.bootstrap_servers, engine, tmp_path, "live", prefix="live.") as (
        line,
        client,
    ):
        line.environment["TOUCHSTREAM_WRITE_KEYS"] = '{"wk_test": "shop"}'
        await line.start("track")
        await line.start("sink")
        await line.send(story(line))
        numbers = range(line.settings.kafka_partitions)
        over = tick(milliseconds(NOW + timedelta(days=3)))
        await line.send([(None, number, over, milliseconds(NOW)) for number in numbers])
        await line.settle()
        await found_and_put_right(line, client)
        await written_again(line, client)


async def found_and_put_right(line: Line, client: Client) -> None:
    day = Span(site="shop", start=NOW - timedelta(days=1), end=NOW + timedelta(days=1))
    before = Span(start=NOW - timedelta(days=9), end=day.start)
    for wrong in WRONG:
        client.command(wrong, settings={"mutations_sync": 2})
    found = await check(line.settings, client, day)
    assert {each.table for each in found.differences} == set(TABLES)
    of_before = (await check(line.settings, client, before)).differences
    assert {each.table for each in of_before} == {"identities"}  # they have no time
    done = await repair(line.settings, found)
    assert done["shop"].names
    words = ("verify", "--site", "shop", "--from", f"{day.start:%Y-%m-%d}", "--fix")
    said = await asyncio.to_thread(CliRunner().invoke, main, words, env=line.environment)
    assert (said.exit_code, said.output.splitlines()[-1]) == (0, "0 differences"), said.output
    assert await line.differences(client) == []


async def written_again(line: Line, client: Client) -> None:
    """Into full tables nothing changes; into empty ones the same rows come back."""
    whole = held(client)
    for way in ("SELECT 1 FROM", "TRUNCATE TABLE", "DELETE FROM"):
        await line.terminate("sink")
        for table in ID:
            client.command(f"{way} {table} WHERE 1" if way == "DELETE FROM" else f"{way} {table}")
        for topic in topics.TABLES:
            await rewind(line.settings, topic, NOW - timedelta(days=1))
        await line.start("sink")
        await line.settle()
        assert held(client) == whole, way
