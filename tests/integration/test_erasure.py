"""Erased, and erased for good: from tables, memory, and the next reading of the log."""

import asyncio
import sys
import time
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from schemas.topics import record_key
from tests.support.engine import EngineServer
from tests.support.journeys import SITE
from tests.support.kafka import KafkaCluster
from tests.support.line import Line, running_line
from tests.support.tracker import touchpoint

TABLES = ("touchpoints", "sessions", "transitions", "identities", "links")


async def say(line: Line, *ids: str) -> None:
    """Have Ada, on two devices, and Bob do something now, each with the ids given."""
    now = int(time.time() * 1000)
    records = []
    for id_ in ids:
        for visitor in ("phone", "laptop", "bob"):
            key = record_key(SITE, visitor)
            user = {"user_id": "8" if visitor == "bob" else "7"}
            value = touchpoint(f"{id_}-{visitor}", now, anonymous_id=visitor, **user)
            records.append((key, line.home(key), value, now))
    await line.send(records)


async def touchstream(line: Line, *arguments: str) -> str:
    """Run a command and give what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.cli", *arguments),
        env=line.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 100)
    assert process.returncode == 0, output.decode()
    return output.decode()


def seen(client: Client, table: str) -> set[str]:
    """Name the visitors with rows in a table, also in rows that are marked as deleted."""
    rows = client.query(f"SELECT DISTINCT visitor_id FROM {table}").result_rows  # noqa: S608
    return {str(visitor) for (visitor,) in rows}


def of_bob(client: Client) -> list[object]:
    asked = "SELECT * FROM {} FINAL WHERE visitor_id = 'bob' ORDER BY ALL"
    return [client.query(asked.format(table)).result_rows for table in TABLES]


ADA = {"phone", "laptop", "user:7"}


@pytest.mark.fault
async def test_neither_memory_nor_a_replay_brings_an_erased_person_back(
    kafka_jars: None, engine: EngineServer, tmp_path: Path
) -> None:
    async with (
        KafkaCluster() as cluster,
        running_line(cluster.bootstrap_servers, engine, tmp_path, "erasure") as (line, client),
    ):
        await line.start("track")
        await line.start("sink")
        await say(line, "a", "b")
        await line.settle()
        assert ADA <= seen(client, "identities")
        bobs = of_bob(client)
        said = await touchstream(line, "erase", "--person", "7", "--yes")
        assert said.endswith("erased; Kafka's log still holds it (docs/privacy.md)\n")
        assert [seen(client, table) & ADA for table in TABLES] == [set()] * len(TABLES)
        assert of_bob(client) == bobs
        await line.terminate("track")
        said = await touchstream(line, "replay", "topic", "touchpoints.raw")
        assert "will be read again" in said
        await line.start("track")
        await line.settle()
        assert [seen(client, table) & ADA for table in TABLES] == [set()] * len(TABLES)
        await say(line, "c")
        await line.settle()
        assert ADA <= seen(client, "identities")
        found = client.query("SELECT touchpoint_id FROM touchpoints WHERE visitor_id != 'bob'")
        assert {str(id_) for (id_,) in found.result_rows} == {"c-phone", "c-laptop"}
        assert await line.differences(client) == []
        # A topic of rows, read again by the sink, does bring them back, until this:
        await line.terminate("sink")
        await touchstream(line, "replay", "topic", "touchpoints")
        await line.start("sink")
        await line.settle()
        await touchstream(line, "erase", "--again")
        found = client.query("SELECT touchpoint_id FROM touchpoints WHERE visitor_id != 'bob'")
        assert {str(id_) for (id_,) in found.result_rows} == {"c-phone", "c-laptop"}
