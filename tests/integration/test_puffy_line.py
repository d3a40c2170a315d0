"""The main job on real input: nine days of a shop through Kafka, tracker, sink and ClickHouse."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from clickhouse_connect.driver.client import Client

from pipeline.operations.verify import differences
from pipeline.reports.overview.answer import read_report
from pipeline.reports.span import Span
from schemas.journeys import load_model
from tests.support.engine import EngineServer
from tests.support.kafka import KafkaCluster
from tests.support.line import Line, running_line
from tests.support.puffy import MAPPINGS, assert_puffy, puffy_files
from tests.support.puffy_people import people_of

TABLES = (
    *("touchpoints", "sessions", "transitions", "abandonments", "identities", "links"),
    "dead_letters",
)


@pytest_asyncio.fixture(loop_scope="session")
async def bootstrap_servers(kafka_jars: None) -> AsyncIterator[str]:
    puffy_files()
    async with KafkaCluster() as cluster:
        yield cluster.bootstrap_servers


def _mapping(folder: Path) -> Path:
    """Give the mapping without user agents: the answers count bots too."""
    file = folder / "puffy.toml"
    told = (MAPPINGS / "puffy.toml").read_text().splitlines()
    file.write_text("\n".join(line for line in told if not line.startswith("user_agent")))
    return file


async def _import(line: Line) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.cli", "import", *map(str, puffy_files())),
        *("--mapping", str(_mapping(line.folder)), "--site", "puffy"),
        env=line.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


def _hold_to_the_answers(client: Client, line: Line) -> None:
    assert_puffy(read_report(client, Span(site="puffy"), models=[load_model("lifecycle")]))
    assert differences(client, gap=line.settings.session_gap) == []
    assert _people(client) == people_of(puffy_files())


def _people(client: Client) -> set[frozenset[str]]:
    """The visitors of every person, as ClickHouse says."""
    return {frozenset(row[0]) for row in client.query("SELECT visitors FROM people").result_rows}


def _everything(client: Client) -> list[bytes]:
    return [
        client.raw_query(f"SELECT * FROM {table} FINAL ORDER BY ALL", fmt="TSV")  # noqa: S608
        for table in TABLES
    ]


async def test_the_import_gives_every_answer_and_a_second_one_changes_nothing(
    bootstrap_servers: str, engine: EngineServer, tmp_path: Path
) -> None:
    async with running_line(bootstrap_servers, engine, tmp_path, "puffy_twice") as (line, client):
        await line.start("track")
        await line.start("sink")
        await _import(line)
        await line.settle()
        _hold_to_the_answers(client, line)
        assert await line.differences(client) == []
        once = _everything(client)
        await _import(line)
        await line.settle()
        assert _everything(client) == once


async def test_killing_tracker_and_sink_in_mid_import_changes_no_answer(
    bootstrap_servers: str, engine: EngineServer, tmp_path: Path
) -> None:
    async with running_line(bootstrap_servers, engine, tmp_path, "puffy_killed") as (line, client):
        await _import(line)
        for role in ("track", "sink"):
            await line.start(role)
        while not client.command("SELECT count() FROM touchpoints"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        for role in ("track", "sink"):
            await line.kill(role)
        assert 0 < int(str(client.command("SELECT count() FROM touchpoints"))) < 31_731
        for role in ("track", "sink"):
            await line.start(role)
        await line.settle()
        _hold_to_the_answers(client, line)
        assert await line.differences(client) == []
