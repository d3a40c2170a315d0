"""Under a flood of bad traffic good clients are answered as usual, and none of theirs is lost.

The short form looks whether they are answered at all in time; `make faults` holds their 99th
percentile against that of a quiet time, in turns, so that other work on the machine hits both.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from time import monotonic

import aiohttp
import pytest

from pipeline.kafka.topics import create_topics, read_topic
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from schemas.codec import decode_touchpoint
from schemas.topics import RAW
from tests.support import flood
from tests.support.collector import WRITE_KEY, CollectorProcess, collector

pytestmark = pytest.mark.fault

LONG = os.environ.get("LONG") == "1"
ROUNDS, SECONDS = (5, 20.0) if LONG else (1, 2.0)
MOST, MORE_SECONDS = (2.0, 0.0) if LONG else (5.0, 0.3)
"""What the 99th percentile may be under the flood: so many times the quiet one, and more."""

ROOT = Path(__file__).parents[2]

AT_ONCE = 2 * flood.ALL_CONNECTIONS
CLIENTS = 4
PAUSE_SECONDS = 0.02

HEADERS = [
    {"authorization": aiohttp.encode_basic_auth(WRITE_KEY, "")},
    {},  # as a page sends by sendBeacon, with the key in the body
]


class GoodClients:
    """Send one call after the other, note how long each took, and send again what was refused."""

    def __init__(self, process: CollectorProcess) -> None:
        self.process = process
        self.acknowledged: set[str] = set()
        self.again = 0

    async def send_for(self, seconds: float) -> list[float]:
        """Give the seconds of each call, with all its repetitions."""
        async with aiohttp.ClientSession() as session:
            sending = (self._client(session, each, seconds) for each in range(CLIENTS))
            return [took for each in await asyncio.gather(*sending) for took in each]

    async def _client(
        self, session: aiohttp.ClientSession, number: int, seconds: float
    ) -> list[float]:
        network = {"x-forwarded-for": f"8.8.{number}.1"}
        headers = HEADERS[number % len(HEADERS)] | network
        taken, end = [], monotonic() + seconds
        while (began := monotonic()) < end:
            name = f"{number}-{began}"
            call = {"event": "Product Viewed", "anonymousId": name, "messageId": name}
            while not await self._post(session, call | {"writeKey": WRITE_KEY}, headers):
                self.again += 1
            taken.append(monotonic() - began)
            self.acknowledged.add(name)
            await asyncio.sleep(PAUSE_SECONDS)
        return taken

    async def _post(
        self, session: aiohttp.ClientSession, call: dict[str, str], headers: dict[str, str]
    ) -> bool:
        url = f"{self.process.url}/v1/track"
        async with session.post(url, json=call, headers=headers) as answer:
            return answer.status == 200


def p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98]


@asynccontextmanager
async def flooding(process: CollectorProcess) -> AsyncIterator[None]:
    bad = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.flood", str(process.port), WRITE_KEY), cwd=ROOT
    )
    try:
        yield
        assert bad.returncode is None, "the flood has ended by itself"
    finally:
        bad.kill()
        await bad.wait()


async def until_held(process: CollectorProcess, clients: GoodClients) -> None:
    """Wait until the flood runs and has used up what it may at once.

    This second is not measured, but what is sent in it must not be lost either.
    """
    before = await refusals(process)
    while await refusals(process) < before + AT_ONCE:
        await clients.send_for(0.2)


async def refusals(process: CollectorProcess) -> float:
    async with aiohttp.ClientSession() as session, session.get(f"{process.url}/metrics") as said:
        lines = (await said.text()).splitlines()
    counted = [line for line in lines if line.startswith("touchstream_collector_refused_total")]
    return sum(float(line.split()[-1]) for line in counted)


async def test_good_clients_are_answered_as_usual_and_nothing_of_theirs_is_lost(
    embedded_broker: EmbeddedBroker,
) -> None:
    settings = Settings(kafka_bootstrap_servers=embedded_broker.bootstrap_servers)
    await create_topics(settings.model_copy(update={"kafka_idempotence": False}))
    more = {"kafka_idempotence": "false", "collector_trusted_proxies": '["127.0.0.1"]'}
    async with collector(embedded_broker.bootstrap_servers, **more) as process:
        await process.until_ready()
        clients = GoodClients(process)
        quiet: list[float] = []
        flooded: list[float] = []
        await clients.send_for(1)
        began = monotonic()
        for _ in range(ROUNDS):
            quiet += await clients.send_for(SECONDS)
            async with flooding(process):
                await until_held(process, clients)
                flooded += await clients.send_for(SECONDS)
        # Each connection waits a second for each, once it has used up what it may at once.
        most = ROUNDS * AT_ONCE + 1.5 * (monotonic() - began) * flood.ALL_CONNECTIONS
        print(f"p99 quiet {p99(quiet) * 1e3:.1f} ms, flooded {p99(flooded) * 1e3:.1f} ms,")
        print(f"{len(flooded)} good calls, {await refusals(process):.0f} refusals")
        assert await refusals(process) < most
        assert clients.again == 0
        assert p99(flooded) < MOST * p99(quiet) + MORE_SECONDS
    log = [decode_touchpoint(record.value) async for record in read_topic(settings, RAW.name)]
    there = {each.touchpoint_id for each in log if each.site == process.site}
    assert clients.acknowledged - there == set()
