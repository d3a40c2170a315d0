"""Unmodified clients against the collector, on ways that fail: what was sent is what arrived.

    python -m tests.clients.run [--only TEXT,TEXT] [--faults none,lost] [--write] [--wire FOLDER]

Each client sends some events through a proxy of its own while something goes wrong for ten seconds.
What it has sent is counted in its requests, by the names of the events, without any code of the
collector; what arrived, in Kafka.
"""

import argparse
import asyncio
import json
import os
import re
import ssl
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web
from playwright.async_api import Browser, BrowserContext, async_playwright

from pipeline.kafka.topics import create_topics
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from schemas.topics import DEAD_LETTERS, RAW
from tests.clients.clients import Client, clients, official_name
from tests.clients.install import bundle, certificate, command, is_possible, npm_folder
from tests.clients.page import write_page
from tests.clients.proxy import Fault, Proxy, proxy
from tests.support.browser import launched
from tests.support.collector import CollectorProcess, collector
from tests.support.ports import free_ports
from tests.support.topics import read

_PATIENCE_SECONDS, _QUIET_SECONDS = 60, 15
_AT_ONCE = 14
_NOTE = "Größe ✓"


class Pace(NamedTuple):
    """How many events are sent, how fast, and for how many seconds something goes wrong."""

    events: int = 30
    every_ms: int = 500
    before: float = 3
    lasts: float = 10

    @property
    def seconds(self) -> float:
        """How long a client sends."""
        return self.events * self.every_ms / 1000


LONG = Pace()
FAULTS = {
    "none": "nothing",
    "unavailable": "503 for ten seconds",
    "refused": "connections refused for ten seconds",
    "lost": "answers lost for ten seconds",
    "closed": "page closed in the middle, and opened again",
    "offline": "offline for ten seconds, and back",
}
OF_BROWSERS = frozenset({"closed", "offline"})
IN_TURN = "in turn"
"""All that can go wrong while a page is open, one after the other: the short form."""
_TURNS: tuple[Fault, ...] = ("unavailable", "refused", "lost")


@dataclass
class Run:
    """A client on a way that fails, and what came of it."""

    client: Client
    fault: str
    key: str
    sent: int = LONG.events
    seen: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    arrived: set[str] = field(default_factory=set)
    doubled: int = 0
    wrongs: list[str] = field(default_factory=list)
    refused: int = 0
    problem: str = ""
    wire: list[str] = field(default_factory=list)

    @property
    def site(self) -> str:
        """The site that its key stands for."""
        return f"run-{self.key}"

    @property
    def wrong(self) -> int:
        """How much is wrong of what arrived."""
        return len(self.wrongs)

    @property
    def is_whole(self) -> bool:
        """Whether all that reached the collector arrived, once and right."""
        return self.arrived == self.passed and not (self.doubled or self.wrong or self.refused)


def hold(run: Run, rows: Iterable[Mapping[str, Any]], letters: Iterable[Any]) -> None:
    """Hold what arrived against what was sent."""
    ids: dict[str, set[str]] = defaultdict(set)
    times: dict[int, datetime] = {}
    visitors: set[str] = set()
    for row in rows:
        name = row["name"].replace("_", " ")
        if not name.startswith("Event "):
            continue
        number = int(name.split()[1])
        ids[name].add(row["touchpoint_id"])
        at = datetime.fromisoformat(row["occurred_at"])
        times[number] = max(at, times.get(number, at))
        visitors.add(row["anonymous_id"] or f"user:{row['user_id']}")
        told = set(values_in(row["properties"]))
        if _NOTE not in told or told.isdisjoint({number, str(number), f"{number}.0"}):
            run.wrongs.append(f"{name} without its properties")
    run.arrived = set(ids)
    run.doubled = sum(len(each) - 1 for each in ids.values())
    run.wrongs += [f"another visitor, {each}" for each in sorted(visitors)[1:]]
    if run.client.is_timed:
        ordered = [(number, times[number]) for number in sorted(times)]
        run.wrongs += [f"{a} before {b}" for a, b in pairwise(ordered) if a[1] > b[1]]
    run.refused = len(list(letters))


def values_in(value: Any) -> Iterable[Any]:
    """Give every scalar of a JSON value."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from values_in(part)
    else:
        yield value


class Stage:
    """A collector, the page that browsers open, and where the clients are installed."""

    def __init__(
        self, process: CollectorProcess, browser: Browser, pages: str, npm: Path, broker: str
    ) -> None:
        self.collector, self.browser, self.pages, self.npm = process, browser, pages, npm
        self.broker, self.pace = broker, LONG

    async def play(self, run: Run) -> None:
        """Run a client to its end."""
        tls = await _tls() if run.client.is_secure else None
        async with proxy(self.collector.url, tls) as way:
            in_browser = run.client.where == "browser"
            playing = self._browse(run, way) if in_browser else self._script(run, way)
            try:
                async with asyncio.timeout(180):
                    await playing
                    await _until_quiet(way, run)
            except (Exception, TimeoutError) as error:  # noqa: BLE001 - the table says it
                run.problem = repr(error)[:200]
            run.seen, run.passed, run.wire = way.seen, way.passed, way.wire
            run.sent = max(run.sent, len(way.seen))  # a page may send once more while it is closed

    async def install(self, chosen: Iterable[Client]) -> None:
        """Install all before any runs: what is built takes time from what runs."""
        for client in chosen:
            await (bundle if client.where == "browser" else command)(client, self.npm)

    async def _script(self, run: Run, way: Proxy) -> None:
        start, environment = await command(run.client, self.npm)  # it is installed already
        process = await asyncio.create_subprocess_exec(
            *start,
            *(way.url, run.key, str(self.pace.events), str(self.pace.every_ms)),
            cwd=self.npm,
            env=os.environ | environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            failing = asyncio.create_task(_fail(way, run.fault, self.pace))
            _, said = await process.communicate()
            await failing
        finally:
            with suppress(ProcessLookupError):
                process.kill()
        if process.returncode:
            run.problem = said.decode()[-200:]

    async def _browse(self, run: Run, way: Proxy) -> None:
        context = await self.browser.new_context(locale="de-DE")
        try:
            await self._open(context, run, way, self.pace.events)
            await asyncio.gather(
                _fail(way, run.fault, self.pace), self._disturb(context, run, way), self._end(run)
            )
            await _until_quiet(way, run)
        finally:
            for tab in context.pages:
                await tab.close()
            await asyncio.sleep(1)
            await context.close()

    async def _end(self, run: Run) -> None:
        """Wait until a page has sent all that it sends."""
        if run.fault != "closed":
            await asyncio.sleep(self.pace.seconds)

    async def _open(self, context: BrowserContext, run: Run, way: Proxy, events: int) -> None:
        told = {"url": way.url, "key": run.key, "events": events, "every": self.pace.every_ms}
        page = await context.new_page()
        await page.add_init_script(f"window.TOLD = {json.dumps(told)}")
        await page.goto(f"{self.pages}/{run.client.package}")

    async def _disturb(self, context: BrowserContext, run: Run, way: Proxy) -> None:
        if run.fault not in (*OF_BROWSERS, IN_TURN):
            return
        after = len(_TURNS) if run.fault == IN_TURN else 0
        await asyncio.sleep(self.pace.before + after * self.pace.lasts)
        if run.fault != "closed":
            await context.set_offline(True)
            await asyncio.sleep(self.pace.lasts)
            await context.set_offline(False)
            return
        [page] = context.pages
        run.sent = await page.evaluate("window.SENT ?? 0")
        await page.close()
        await asyncio.sleep(2)
        await self._open(context, run, way, 0)

    async def judge(self, runs: list[Run]) -> None:
        rows, letters = await self._by_site(RAW.name), await self._by_site(DEAD_LETTERS.name)
        for run in runs:
            hold(run, rows[run.site], letters[run.site])

    async def _by_site(self, topic: str) -> Mapping[str, list[Any]]:
        found: dict[str, list[Any]] = defaultdict(list)
        for _, value in await read(self.broker, topic):
            row = json.loads(value)
            found[row["site"]].append(row)
        return found


async def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*await certificate())
    return context


async def _fail(way: Proxy, fault: str, pace: Pace) -> None:
    turns = [each for each in _TURNS if fault in (each, IN_TURN)]
    await asyncio.sleep(pace.before if turns else 0)
    for turn in turns:
        await way.turn(turn)
        await asyncio.sleep(pace.lasts)
        await way.turn("")


async def _until_quiet(way: Proxy, run: Run) -> None:
    """Wait until all has passed, or nothing has for a while."""
    left = _PATIENCE_SECONDS
    before, quiet = len(way.passed), 0
    while len(way.passed) < run.sent and left and quiet < _QUIET_SECONDS:
        await asyncio.sleep(1)
        left -= 1
        quiet = 0 if len(way.passed) > before else quiet + 1
        before = len(way.passed)
    await asyncio.sleep(2)  # what is sent again may come twice


@asynccontextmanager
async def staged(keys: Mapping[str, str], npm: Path) -> AsyncIterator[Stage]:
    """Start everything; `npm` is where the clients are installed."""
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker(free_ports(1)[0]))
        servers = broker.bootstrap_servers
        await create_topics(Settings(kafka_bootstrap_servers=servers, kafka_idempotence=False))
        told = {"kafka_idempotence": "false", "collector_cookieless": "true"}
        process = await stack.enter_async_context(
            collector(servers, write_keys=json.dumps(keys), **told)
        )
        await process.until_ready()
        playwright = await stack.enter_async_context(async_playwright())
        browser = await launched(playwright)
        stack.push_async_callback(browser.close)
        pages = await stack.enter_async_context(_served(npm))
        yield Stage(process, browser, pages, npm, servers)


@asynccontextmanager
async def _served(npm: Path) -> AsyncIterator[str]:
    """Serve a page for each client, on another origin than the collector's."""

    async def page(request: web.Request) -> web.Response:
        script = f"<script src='/bundles/{request.match_info['client']}.js'></script>"
        html = f"<!doctype html><meta charset=utf-8><title>Chair</title>{script}"
        return web.Response(text=html, content_type="text/html")

    (npm / "bundles").mkdir(exist_ok=True)
    app = web.Application()
    app.router.add_static("/bundles", npm / "bundles")
    app.router.add_get("/{client:.+}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    [port] = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def play(chosen: list[Client], faults: list[str]) -> list[Run]:
    """Run `chosen` clients with each of `faults`, some of them at the same time."""
    pairs = [
        (client, fault)
        for fault in faults
        for client in chosen
        if fault not in OF_BROWSERS or client.where == "browser"
    ]
    runs = [Run(client, fault, str(1000 + n)) for n, (client, fault) in enumerate(pairs)]
    turns = asyncio.Semaphore(_AT_ONCE)
    async with staged({run.key: run.site for run in runs}, await npm_folder()) as stage:
        await stage.install(chosen)

        async def one(run: Run) -> None:
            async with turns:
                await stage.play(run)
            print(f"{run.client.title:40} {run.fault:12} {len(run.passed):3} passed {run.problem}")

        await asyncio.gather(*map(one, runs))
        await stage.judge(runs)
    return runs


def told(runs: list[Run]) -> str:
    """Write the table: one line for each client."""
    by_client: dict[Client, list[Run]] = defaultdict(list)
    for run in runs:
        by_client[run.client].append(run)
    lines = [
        "| family | client | sent | given up by it | reached us | arrived | doubled | wrong |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for client, its in by_client.items():
        sent = sum(run.sent for run in its)
        reached = sum(len(run.passed) for run in its)
        arrived = sum(len(run.arrived) for run in its)
        numbers = (sent, sent - reached, reached, arrived, sum(run.doubled for run in its))
        wrong = sum(run.wrong + run.refused for run in its)
        name = f"{official_name(client)} {client.version}, {client.where}"
        lines.append(f"| {client.family} | {name} | {' | '.join(map(str, numbers))} | {wrong} |")
    return "\n".join(lines)


def write_wire(folder: Path, run: Run) -> None:
    """Write the requests of a run into a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "-", f"{run.client.title}-{run.client.where}-{run.fault}")
    (folder / f"{name}.txt").write_text("\n".join(run.wire), encoding="utf-8")


def main() -> int:
    """Run the clients and print the table; 1 if one of them is not whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only",
        default="",
        help="clients with one of these texts, joined by commas, in family, name or place",
    )
    parser.add_argument("--faults", default=",".join(FAULTS))
    parser.add_argument("--write", action="store_true", help="write the table into docs/sdks.md")
    parser.add_argument("--wire", type=Path, help="a folder for every request that was sent")
    asked = parser.parse_args()
    named = [each for each in clients() if any(map(each.is_called, asked.only.split(",")))]
    chosen = [each for each in named if is_possible(each)]
    for each in named:
        if each not in chosen:
            print(f"{each.title:40} not run: {each.where} is missing or does not start here")
    runs = asyncio.run(play(chosen, asked.faults.split(",")))
    for run in runs if asked.wire else ():
        write_wire(asked.wire, run)
    for run in runs:
        if not run.is_whole or run.problem:
            gone, more = sorted(run.passed - run.arrived), sorted(run.arrived - run.passed)
            print("NOT WHOLE", run.client.title, run.fault, gone[:5], more[:5], end=" ")
            print(
                f"doubled {run.doubled} wrong {run.wrongs[:3]} refused {run.refused} {run.problem}"
            )
    print(table := told(runs))
    if asked.write:
        write_page(table, is_whole=not asked.only)
    return any(not run.is_whole for run in runs)


if __name__ == "__main__":
    sys.exit(main())
