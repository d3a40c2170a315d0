"""Events without an id and a time over real connections: what is sent again counts once."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from pipeline.kafka.topics import create_topics
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from schemas.topics import RAW
from tests.support.collector import collector
from tests.support.ports import free_ports
from tests.support.topics import read

BROWSER = {
    "user-agent": "Mozilla/5.0 (X11) Chrome/156",
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "cors",
}
EVENT = {"n": "Woo Add to Cart", "u": "https://shop.example/chair", "d": "shop.example"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running() -> AsyncIterator[tuple[str, str]]:
    """The addresses of a collector and of its Kafka."""
    async with EmbeddedBroker(free_ports(1)[0]) as broker:
        servers = broker.bootstrap_servers
        await create_topics(Settings(kafka_bootstrap_servers=servers, kafka_idempotence=False))
        keys = json.dumps({"shop.example": "shop"})
        trusted = json.dumps(["127.0.0.2/32"])
        async with collector(
            servers,
            write_keys=keys,
            kafka_idempotence="false",
            collector_cookieless="true",
            collector_trusted_proxies=trusted,
        ) as process:
            await process.until_ready()
            yield process.url, servers


async def told(running: tuple[str, str], goal: str) -> int:
    """Count the touchpoints of an event, by id."""
    rows = [json.loads(value) for _, value in await read(running[1], RAW.name)]
    return len({row["touchpoint_id"] for row in rows if row["name"] == goal})


async def post(
    url: str, goal: str, times: int, session: aiohttp.ClientSession, **more: str
) -> None:
    for _ in range(times):
        headers = BROWSER | {name.replace("_", "-"): value for name, value in more.items()}
        async with session.post(
            f"{url}/api/event", json=EVENT | {"n": goal}, headers=headers
        ) as it:
            assert it.status == 202, await it.text()


async def test_two_clicks_over_one_connection_are_two(running: tuple[str, str]) -> None:
    async with aiohttp.ClientSession() as session:
        await post(running[0], "clicked twice", 2, session)
    assert 2 == await told(running, "clicked twice")


async def test_a_click_that_a_browser_sends_again_over_a_new_connection_is_one(
    running: tuple[str, str],
) -> None:
    for _ in range(3):
        async with aiohttp.ClientSession() as session:
            await post(running[0], "sent again", 1, session)
        await asyncio.sleep(0.5)
    assert 1 == await told(running, "sent again")


@pytest.mark.skipif(not hasattr(socket, "AF_NETLINK"), reason="only Linux tells what has ended")
@pytest.mark.parametrize(("breaks", "expected"), [(True, 1), (False, 2)])
async def test_a_click_that_a_browser_repeats_at_once_because_the_connection_broke_is_one(
    running: tuple[str, str], *, breaks: bool, expected: int
) -> None:
    goal = f"repeated at once, {expected}"
    async with aiohttp.ClientSession() as first, aiohttp.ClientSession() as second:
        await post(running[0], "before", 1, first)
        await post(running[0], goal, 1, first)
        if breaks:
            await first.close()
        await post(running[0], goal, 1, second)
    assert expected == await told(running, goal)


async def test_a_program_that_connects_anew_each_time_is_counted_each_time(
    running: tuple[str, str],
) -> None:
    for _ in range(3):
        async with aiohttp.ClientSession(headers={"user-agent": "python"}) as session:
            body = EVENT | {"n": "by a program"}
            headers = {"user-agent": "Mozilla/5.0 (of a visitor)"}
            await session.post(f"{running[0]}/api/event", json=body, headers=headers)
    assert 3 == await told(running, "by a program")


@pytest.mark.parametrize(
    ("hop", "expected"),
    [(["198.51.100.7:4001", "198.51.100.7:4002"], 1), (["198.51.100.7", "198.51.100.7"], 2)],
)
async def test_behind_a_proxy_the_port_that_it_names_tells(
    running: tuple[str, str], hop: list[str], expected: int
) -> None:
    goal = f"behind a proxy, {expected}"
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        for each in hop:
            await post(running[0], goal, 1, session, x_forwarded_for=each)
            await asyncio.sleep(0.5)
    assert expected == await told(running, goal)
