"""What is written comes onto open pages at once; what nobody looks at is not asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from clickhouse_connect.driver.client import Client

from pipeline.live.address import Address
from pipeline.live.hub import PULSE_SECONDS, Asker, Hub, Watcher
from pipeline.live.panels import Panel
from pipeline.reports.live.pulse import read_written
from tests.support.database import insert_json, migrated_database, track_fully
from tests.support.engine import EngineServer
from tests.support.live import SITE, Serving, events, once, serving, simulated, token_for
from tests.support.stories import library, write

STARTED = datetime.now(UTC)
ADDRESS = Address(site=SITE, model="lifecycle")
PAST = Address(
    site=SITE, model="lifecycle", start=STARTED - timedelta(days=2), end=STARTED - timedelta(days=1)
)


def tables(client: Client) -> list[str]:
    """Name the tables that rows are written into."""
    found = client.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase()"
        " AND engine LIKE '%MergeTree' AND name != 'migrations'"
    )
    return [name for (name,) in found.result_rows]


def test_a_row_in_any_table_is_noted_whatever_version_and_time_it_has(
    engine: EngineServer,
) -> None:
    with migrated_database(engine) as client:
        before = read_written(client)
        for table in tables(client):
            structure = client.query(f"DESCRIBE TABLE {table}").result_rows
            column = next(name for name, kind, *_ in structure if "String" in kind)
            insert_json(client, table, [json.dumps({column: "x"}).encode()])
            after = read_written(client)
            assert before != after, table
            before = after


def test_while_nothing_is_written_nothing_is_noted(engine: EngineServer) -> None:
    with library(engine) as client:
        assert len({read_written(client) for _ in range(5)}) == 1


# --- through the whole server ---------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(engine: EngineServer) -> AsyncIterator[tuple[Serving, Client]]:
    with library(engine) as client:
        past = datetime.now(UTC) - timedelta(minutes=5)
        track_fully(client, simulated(60, past - timedelta(hours=2), past))
        async with serving(client, journey_models=["lifecycle"]) as live:
            yield live, client


def session(at: datetime) -> dict[str, Any]:
    """Give the visit of the touchpoint; like the others, from a partition with low offsets."""
    about = {"session_id": "s", "visitor_id": "v", "person_id": "v"}
    return about | {"started_at": at, "ended_at": at, "touchpoints": 1, "first_touchpoint_id": "t"}


def transition(at: datetime) -> dict[str, Any]:
    about = {"transition_id": "x", "model": "lifecycle", "visitor_id": "v", "person_id": "v"}
    moved = {"to_phase": "loyalty", "kind": "enter", "touchpoint_id": "t", "session_id": "s"}
    return about | moved | {"at": at}


def abandonment(at: datetime) -> dict[str, Any]:
    about = {"abandonment_id": "a", "model": "lifecycle", "kind": "search", "person_id": "v"}
    return about | {"visitor_id": "v", "opened_at": at, "abandoned_at": at}


def in_a_visit(rows: list[dict[str, Any]]) -> bool:
    return any(row["touchpoint_id"] == "t" and row["session_id"] for row in rows)


def is_loyal(rows: list[dict[str, Any]]) -> bool:
    return any(row["phase"] == "loyalty" and row["came"] for row in rows)


def has_left(rows: list[dict[str, Any]]) -> bool:
    return any(row["kind"] == "search" and row["people"] for row in rows)


WRITTEN = [
    ("sessions", session, "1h", "arrived", in_a_visit),
    ("transitions", transition, "3h", "phases", is_loyal),
    ("abandonments", abandonment, "24h", "abandoned", has_left),
]


@pytest.mark.parametrize(("table", "row", "span", "panel", "is_told"), WRITTEN)
async def test_what_the_tracker_finds_later_is_told_as_soon_as_it_is_written(
    table: str,
    row: Callable[[datetime], dict[str, Any]],
    span: str,
    panel: str,
    is_told: Callable[[list[dict[str, Any]]], bool],
    shop: tuple[Serving, Client],
) -> None:
    """Within two seconds and two rounds of questions; it was ten seconds, at a low version."""
    live, client = shop
    at = datetime.now(UTC) - timedelta(minutes=5)
    seen = {"touchpoint_id": "t", "visitor_id": "v", "name": "Page Viewed", "properties": "{}"}
    write(client, "touchpoints", seen | {"occurred_at": at, "received_at": at})
    view = f"{live.url}/api/stream?span={span}"  # of which nobody keeps older answers
    async with asyncio.timeout(60), live.session.get(view) as stream:
        told = events(stream)
        while (await anext(told))[0] != panel:
            pass
        began = datetime.now(UTC)
        write(client, table, row(at))
        async for name, said in told:
            if name == panel and is_told(said["rows"]):
                break
        took = datetime.now(UTC) - began
    assert took < timedelta(seconds=2 + 2 * await once(live)), took


# --- what is asked --------------------------------------------------------------------------------


class Asked:
    """A panel that counts how often it is asked."""

    def __init__(self, name: str) -> None:
        self.times = 0
        self.panel = Panel(name, "", object, self.read, PULSE_SECONDS / 5)

    def read(self, *_: Any) -> list[int]:
        self.times += 1
        return [self.times]


async def until(watcher: Watcher, panel: str) -> None:
    while f"event: {panel}\n".encode() not in await watcher.news(1):
        pass


async def test_only_the_panels_that_somebody_shows_are_asked(engine: EngineServer) -> None:
    funnel, kpis = Asked("funnel"), Asked("kpis")
    with library(engine) as client:
        hub = Hub(Asker(client, lambda: datetime.now(UTC)), [funnel.panel, kpis.panel])
        async with hub.watching(ADDRESS, ["funnel"], ()) as first, asyncio.timeout(30):
            await until(first, "funnel")
            assert kpis.times == 0
            async with hub.watching(ADDRESS, ["kpis"], ()) as second:
                await until(second, "kpis")
            asked = kpis.times
            write(client, "alerts", {"alert_id": "a"})
            await until(first, "funnel")
            assert (kpis.times, b"kpis" in await first.news(0)) == (asked, False)
        await hub.close()


async def test_an_unknown_panel_is_refused_with_those_there_are(
    shop: tuple[Serving, Client],
) -> None:
    live, _ = shop
    status, said = await live.get("/api/stream", only="pulse,funnels")
    assert (status, said["error"]) == (404, "not_found")
    assert "funnel," in said["detail"]


async def test_a_past_span_is_asked_again_only_when_something_was_written(
    engine: EngineServer,
) -> None:
    funnel = Asked("funnel")
    with library(engine) as client:
        hub = Hub(Asker(client, lambda: datetime.now(UTC)), [funnel.panel])
        async with hub.watching(PAST, ["funnel"], ()) as watcher, asyncio.timeout(30):
            await until(watcher, "funnel")
            write(client, "alerts", {"alert_id": "a"})
            await until(watcher, "funnel")
            asked = funnel.times
            await asyncio.sleep(3 * PULSE_SECONDS)
            assert funnel.times == asked
        await hub.close()


async def test_a_page_that_takes_nothing_gives_its_place_to_others(
    shop: tuple[Serving, Client],
) -> None:
    _, client = shop
    async with serving(client, live_streams=1, journey_models=["lifecycle"]) as live:
        live.live.patience = 0.5
        path = "/api/stream?only=arrived"
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port, limit=1024)
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token_for()}\r\n\r\n"
        writer.write(head.encode())
        assert b"200" in await reader.readline()
        [(poller, _)] = live.live.hub.pollers.values()
        poller.say("arrived", {"rows": ["x" * 30_000_000]})
        async with asyncio.timeout(20):
            while (await status_of(live, path)) == 503:  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.2)
        writer.close()


async def status_of(live: Serving, path: str) -> int:
    async with live.session.get(live.url + path) as answer:
        return answer.status
