"""A restored database, and a log that is replaced: nothing is lost, and nobody is torn."""

import asyncio
import os
import shutil
import time
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.kafka import clients
from pipeline.kafka.topics import create_topics
from pipeline.operations.verify import differences
from schemas.topics import RAW, TABLES
from tests.integration.test_rebuild import bootstrap_servers, bring, days, held, run
from tests.support.engine import EngineServer
from tests.support.line import Line, running_line
from tests.support.tracker import touchpoint

__all__ = ["bootstrap_servers"]

_EX_SOFTWARE = 70
_LOOK_SECONDS = 12
"""The watchdog has looked at the end of the log at least once."""

pytestmark = pytest.mark.skipif(
    os.environ.get("LONG") != "1", reason="LONG=1, or `make faults`: takes a minute or two"
)


async def is_right(line: Line, client: Client) -> bool:
    await line.settle()
    assert await line.differences(client) == []
    return differences(client, gap=line.settings.session_gap) == []


async def test_a_restored_database_catches_up_and_moves_to_a_log_with_more_partitions(
    bootstrap_servers: str, tmp_path: Path
) -> None:
    files, data = days(tmp_path, 5), tmp_path / "clickhouse"
    async with (
        EngineServer(data) as engine,
        running_line(bootstrap_servers, engine, tmp_path, "moved_from") as (old, client),
    ):
        await old.start("track")
        await old.start("sink")
        await bring(old, files[:3], "shop", tmp_path)
        await old.settle()
        await backed_up(engine, data)
        await bring(old, files[3:4], "shop", tmp_path)
        await old.settle()
        before = held(client, "shop")
        await restored(old, engine, data)
        assert await is_right(old, client)
        assert held(client, "shop") == before
        await old.stop()
        await moved(bootstrap_servers, engine, tmp_path, files)


async def backed_up(engine: EngineServer, data: Path) -> None:
    """Copy the database's files while it is stopped; tracker and sink go on."""
    await engine.stop()
    shutil.copytree(data, data.with_name("backup"), symlinks=True)
    await engine.start()


async def restored(line: Line, engine: EngineServer, data: Path) -> None:
    """Put the copy into the place of what was lost, and read again what came since."""
    await line.terminate("sink")
    await engine.stop()
    shutil.rmtree(data)
    shutil.copytree(data.with_name("backup"), data, symlinks=True)
    await engine.start()
    await run(line, "replay", "topic", *TABLES)
    await line.start("sink")


async def moved(
    bootstrap_servers: str, engine: EngineServer, folder: Path, files: list[Path]
) -> None:
    """Go on with seven partitions in place of four, and a database of their own."""
    async with running_line(
        bootstrap_servers, engine, folder, "moved_to", prefix="v2.", partitions=7
    ) as (new, client):
        await new.start("track")
        await new.start("sink")
        await bring(new, files[4:], "shop", folder)  # before its past is there
        said = await run(new, "rebuild", "--site", "shop", "--from-database", "moved_from")
        assert "200 touchpoints of everybody told again" in said
        assert await is_right(new, client)


async def test_a_lost_log_is_noticed_and_everything_is_computed_anew(
    bootstrap_servers: str, engine: EngineServer, tmp_path: Path
) -> None:
    files = days(tmp_path, 3)
    async with running_line(bootstrap_servers, engine, tmp_path, "survives") as (old, client):
        await old.start("track")
        await old.start("sink")
        await bring(old, files[:2], "shop", tmp_path)
        await old.settle()
        before = held(client, "shop")
        await old.stop()
        async with running_line(bootstrap_servers, engine, tmp_path, "survives", prefix="v2.") as (
            new,
            _,
        ):
            await new.start("sink")
            assert await new.ended("sink") == 1
            assert "`touchstream rebuild --lost-log`" in new.log("sink")
            await new.start("track")
            computing = asyncio.create_task(run(new, "rebuild", "--lost-log"))
            async with asyncio.timeout(60):
                there = True
                while there:
                    await asyncio.sleep(0.2)
                    there = bool(held(client, "shop")["sessions"])
            await new.start("sink")
            assert "shop: 80 touchpoints of everybody told again" in await computing
            assert held(client, "shop") == before
            await bring(new, files[2:], "shop", tmp_path)
            assert await is_right(new, client)


async def test_a_topic_that_is_created_again_under_a_running_tracker_is_noticed(
    bootstrap_servers: str, engine: EngineServer, tmp_path: Path
) -> None:
    async with running_line(bootstrap_servers, engine, tmp_path, "again", prefix="again.") as (
        line,
        _,
    ):
        raw = line.settings.topic(RAW.name)
        await line.start("track")
        await line.start("sink")
        await line.send([seen(f"t{number}") for number in range(100)])
        await line.settle()
        await asyncio.sleep(_LOOK_SECONDS)
        async with clients.admin(line.settings) as admin:
            await admin.delete_topics([raw])
            await asyncio.sleep(1)
        await create_topics(line.settings)
        await line.send([seen("new")])
        for times in (1, 2):  # it says so while it runs, and when it is started again
            assert await line.ended("track") == _EX_SOFTWARE
            assert line.log("track").count("ends before where it was read to") == times
            await line.start("track")
        await line.terminate("track")


def seen(name: str) -> tuple[bytes, int, bytes, int]:
    now = int(time.time() * 1000)
    return b"shop:ada", 0, touchpoint(name, now), now
