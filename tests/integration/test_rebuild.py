"""A site computed anew from its touchpoints, through Kafka, tracker, sink and ClickHouse."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest_asyncio
from clickhouse_connect.driver.client import Client

from pipeline.operations.verify import differences
from tests.support.engine import EngineServer
from tests.support.kafka import KafkaCluster
from tests.support.line import Line, running_line

MAPPING = """
channel = "shop"
[columns]
occurred_at = "at"
anonymous_id = "who"
user_id = "user"
name = "what"
"""
START = datetime(2025, 3, 1, tzinfo=UTC)
COLUMNS = {
    "touchpoints": "visitor_id, occurred_at, name, is_late",
    "sessions": "visitor_id, started_at, ended_at, touchpoints, orders_told, steps, channel_group",
    "transitions": "visitor_id, model, from_phase, to_phase, kind, cycle, at, rule",
    "abandonments": "visitor_id, kind, opened_at, abandoned_at, recovered_at, cause",
    "links": "visitor_id, identifier",
    "identities": "visitor_id",
}
"""What does not depend on the name of the site."""


@pytest_asyncio.fixture(loop_scope="session")
async def bootstrap_servers(kafka_jars: None) -> AsyncIterator[str]:
    async with KafkaCluster() as cluster:
        yield cluster.bootstrap_servers


def days(folder: Path, count: int = 24) -> list[Path]:
    """A file of each day: 60 visitors, some of whom sign in on two devices, and some who buy."""
    files = []
    for day in range(count):
        path = folder / f"day{day:02}.csv"
        lines = ["at,who,user,what"]
        for visit in range(40):
            at = START + timedelta(days=day, minutes=30 * visit)
            who = (visit * 7 + day) % 60
            user = f"u{who // 2}" if visit % 4 == 0 and who < 30 else ""
            what = ("Product Viewed", "Product Added", "Order Completed")[(visit + day) % 3]
            lines.append(f"{at.isoformat()},v{who},{user},{what}")
        path.write_text("\n".join(lines) + "\n")
        files.append(path)
    return files


async def run(line: Line, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.cli", *words),
        env=line.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def bring(line: Line, files: Sequence[Path], site: str, folder: Path) -> str:
    mapping = folder / "m.toml"
    mapping.write_text(MAPPING)
    words = ["import", *map(str, files), "--mapping", str(mapping), "--site", site]
    return await run(line, *words)


def held(client: Client, site: str) -> dict[str, object]:
    found: dict[str, object] = {
        table: client.query(
            f"SELECT {columns} FROM {table} FINAL WHERE site = '{site}' ORDER BY ALL"  # noqa: S608
        ).result_rows
        for table, columns in COLUMNS.items()
    }
    found["live_funnel"] = client.query(
        "SELECT * FROM live_funnel(site = {site:String}, start = '2025-01-01 00:00:00', "
        "end = '2026-01-01 00:00:00', steps = ['Product Viewed', 'Order Completed'])",
        parameters={"site": site},
    ).result_rows
    return found


async def test_a_rebuild_repairs_what_an_import_newest_first_has_lost(
    bootstrap_servers: str, engine: EngineServer, tmp_path: Path
) -> None:
    async with running_line(bootstrap_servers, engine, tmp_path, "rebuilt") as (line, client):
        await line.start("track")
        await line.start("sink")
        files = days(tmp_path)
        await bring(line, files, "right", tmp_path)
        await bring(line, files[12:], "shop", tmp_path)
        said = await bring(
            line, files[:12], "shop", tmp_path
        )  # at once, while those are on the way
        assert "kept as late" in said
        await line.settle()
        assert held(client, "shop") != held(client, "right")
        said = await run(line, "rebuild", "--site", "shop")
        assert "960 touchpoints of everybody told again" in said
        assert held(client, "shop") == held(client, "right")
        assert await line.differences(client) == []
        assert differences(client, gap=line.settings.session_gap) == []
        again = await run(line, "rebuild", "--site", "shop")
        assert "nothing of before was wrong" in again
        assert held(client, "shop") == held(client, "right")


OF_MONEY = """
channel = "shop"
numbers = ["sum"]
[columns]
occurred_at = "at"
anonymous_id = "who"
user_id = "user"
name = "what"
[properties]
sum = "revenue"
[[events]]
from = "Bought"
name = "Order Completed"
"""
WRONG = OF_MONEY.replace('sum = "revenue"', 'sum = "income"').replace('user_id = "user"\n', "")
"""It names no user, and money by a name that nobody counts."""

MONEY = "order_id, name, revenue, user_id, occurred_at, visitor_id"


def orders(folder: Path) -> list[Path]:
    """A file of each of four days: people who buy, on a device and on that of their neighbour."""
    files = []
    for day in range(4):
        path = folder / f"orders{day}.csv"
        lines = ["at,who,user,what,sum"]
        for visit in range(20):
            at = START + timedelta(days=day, minutes=40 * visit)
            what = ("Product Viewed", "Product Added", "Bought")[visit % 3]
            money = f"{visit}.50" if what == "Bought" else ""
            lines.append(f"{at.isoformat()},d{visit % 7},u{visit % 5},{what},{money}")
        path.write_text("\n".join(lines) + "\n")
        files.append(path)
    return files


def sold(client: Client, site: str) -> object:
    sql = f"SELECT {MONEY} FROM touchpoints FINAL WHERE site = '{site}' ORDER BY ALL"  # noqa: S608
    return client.query(sql).result_rows


async def test_an_import_is_replaced_and_taken_back_also_after_a_kill(
    bootstrap_servers: str, engine: EngineServer, tmp_path: Path
) -> None:
    files = orders(tmp_path)
    wrong, right = tmp_path / "wrong.toml", tmp_path / "right.toml"
    wrong.write_text(WRONG)
    right.write_text(OF_MONEY)

    def words(*files: Path, site: str, by: Path = right) -> list[str]:
        return ["import", *map(str, files), "--mapping", str(by), "--site", site]

    async with running_line(bootstrap_servers, engine, tmp_path, "replaced") as (line, client):
        await line.start("track")
        await line.start("sink")
        await run(line, *words(*files, site="right"))
        await run(line, *words(*files, site="shop", by=wrong))
        await run(line, *words(*files[:2], site="half"))
        await line.settle()
        assert sold(client, "shop") != sold(client, "right")
        replacing = [*words(*files, site="shop"), "--replace", "--was", str(wrong)]
        await killed_after(line, 4, *replacing)
        await run(line, *replacing)
        await line.settle()
        assert sold(client, "shop") == sold(client, "right")
        assert held(client, "shop") == held(client, "right")
        assert await line.differences(client) == []
        taking_back = [*words(*files[2:], site="shop"), "--take-back"]
        await killed_after(line, 4, *taking_back)
        await run(line, *taking_back)
        await line.settle()
        assert sold(client, "shop") == sold(client, "half")
        assert held(client, "shop") == held(client, "half")
        assert await line.differences(client) == []


async def killed_after(line: Line, seconds: float, *words: str) -> None:
    """Have the command killed, however far it has come; it may have ended before."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.cli", *words),
        env=line.environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), seconds)
    if process.returncode is None:
        process.kill()
        await process.wait()
