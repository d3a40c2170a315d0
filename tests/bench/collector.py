"""How much one collector process takes, against two handlers of the same server, in one run.

`empty` answers at once and does not even read what was sent. `floor` reads it and answers when the
next batch would be acknowledged: no handler whose 2xx means that Kafka has it can be faster.

    python -m tests.bench.collector [--seconds 5]

256 connections of wrk (32 for batches) and an Apache Kafka, all on this machine. Requests a second
mean something only if it is idle otherwise; the processor time per request is less disturbed by
others, so both are printed.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]  # it does not say so
from granian.server.embed import Server
from rich.console import Console
from rich.table import Table

from pipeline.kafka.topics import create_topics
from pipeline.settings import Settings
from tests.support.collector import WRITE_KEY, collector, until_status
from tests.support.kafka import KafkaCluster
from tests.support.ports import free_ports

_CONNECTIONS = 256
_BATCH = 100


@dataclass(frozen=True)
class Result:
    """What a server came to."""

    name: str
    per_second: float
    cpu_us: float
    touchpoints: int = 1

    @property
    def per_cpu_second(self) -> float:
        """Say how many touchpoints a second of processor time is enough for."""
        return 1e6 / self.cpu_us * self.touchpoints


def call(visitor: int) -> dict[str, object]:
    """Give a track call as a browser's SDK sends it."""
    return {
        "type": "track",
        "event": "Product Added",
        "messageId": f"ajs-next-{visitor:024d}",
        "anonymousId": f"7f3cf1bd-9d45-4e4a-a1f1-{visitor:012d}",
        "properties": {"product_id": "chair", "price": 119.9, "quantity": 2, "currency": "EUR"},
        "context": {
            "page": {"url": "https://shop.example/products/chair", "title": "Chair"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0",
            "locale": "de-DE",
            "library": {"name": "analytics.js", "version": "next-1.84.3"},
        },
    }


async def run(seconds: int) -> dict[str, Result]:
    """Measure the empty handler, single calls and batches, one after the other."""
    calls = [call(visitor) for visitor in range(_BATCH)]
    singles, batches = [json.dumps(each) for each in calls], [json.dumps({"batch": calls})]
    async with (
        KafkaCluster() as cluster,
        _handler("empty") as (empty_url, empty_pid),
        _handler("floor") as (floor_url, floor_pid),
    ):
        await create_topics(Settings(kafka_bootstrap_servers=cluster.bootstrap_servers))
        async with collector(
            cluster.bootstrap_servers, collector_max_pending="1000000000"
        ) as running:
            await running.until_ready()
            pid, url = running.process.pid, running.url
            return {
                "empty": await _loaded("empty", empty_url, empty_pid, singles, seconds),
                "floor": await _loaded("floor", floor_url, floor_pid, singles, seconds),
                "single": await _loaded("single", f"{url}/v1/track", pid, singles, seconds),
                "batch": await _loaded("batch", f"{url}/v1/batch", pid, batches, seconds, _BATCH),
            }


async def _loaded(
    name: str, url: str, pid: int, contents: list[str], seconds: int, touchpoints: int = 1
) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text(
            f"wrk.method = 'POST'\nlocal bodies = {{{','.join(map(json.dumps, contents))}}}\n"
            f"wrk.headers['Authorization'] = '{aiohttp.encode_basic_auth(WRITE_KEY, '')}'\n"
            "local n = 0\nfunction request()\n  n = n + 1\n"
            "  return wrk.format(nil, nil, nil, bodies[n % #bodies + 1])\nend\n"
        )
        connections = _CONNECTIONS if touchpoints == 1 else _CONNECTIONS // 8
        wrk = ("wrk", "-t1", f"-c{connections}", "-s", str(script))
        await _output(*wrk, "-d1s", url)
        before = _cpu(pid)
        said = await _output(*wrk, f"-d{seconds}s", url)
    if "Non-2xx" in said:
        raise RuntimeError(said)
    requests = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
    return Result(name, rate, (_cpu(pid) - before) / requests * 1e6, touchpoints)


async def _output(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return said.decode()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def _handler(name: str) -> AsyncIterator[tuple[str, int]]:
    [port] = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.collector", "--serve", name, "--port", str(port))
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        await until_status(url, 200)
        yield url, process.pid
    finally:
        process.kill()
        await process.wait()


async def _empty(_scope: Scope, protocol: HTTPProtocol) -> None:
    protocol.response_bytes(200, [("content-type", "application/json")], b'{"success":true}')


class _Floor:
    """Waits as long as the collector's batches do, together with everybody else."""

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    async def __call__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        await protocol()
        loop = asyncio.get_running_loop()
        if not self._waiters:
            loop.call_later(Settings().collector_batch_wait.total_seconds(), self._settle)
        waiter = loop.create_future()
        self._waiters.append(waiter)
        await waiter
        await _empty(scope, protocol)

    def _settle(self) -> None:
        for waiter in self._waiters:
            waiter.set_result(None)
        self._waiters.clear()


async def serve(name: str, port: int) -> None:
    """Answer every request as the collector answers a good one, and do nothing else."""
    server = Server(
        {"empty": _empty, "floor": _Floor().__call__}[name],
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
    )
    await server.serve()


def _share(one: Result, other: Result) -> str:
    """Say what part of another server's requests this one comes to."""
    by_cpu = other.cpu_us / one.cpu_us
    return f"{one.per_second / other.per_second:.2f} ({by_cpu:.2f} by cpu)"


def _print(results: dict[str, Result]) -> None:
    table = Table(title=f"{_CONNECTIONS} connections")
    for column in ("", "requests/s", "of empty", "processor µs/request", "touchpoints/s"):
        table.add_column(column, justify="right")
    for each in results.values():
        table.add_row(
            each.name,
            f"{each.per_second:,.0f}",
            _share(each, results["empty"]),
            f"{each.cpu_us:.0f}",
            f"{each.per_second * each.touchpoints:,.0f} ({each.per_cpu_second:,.0f} by cpu)",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--serve", choices=["empty", "floor"], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.serve:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(told.serve, told.port))
    else:
        _print(asyncio.run(run(told.seconds)))
