"""`touchstream demo`: the whole pipeline on free ports, with simulated shoppers. Shell.

It leaves nothing behind: no process, no file.
"""

import asyncio
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic

from clickhouse_connect.driver.client import Client
from pydantic import SecretStr
from rich.console import Console

from pipeline.clickhouse import connect
from pipeline.demo.simulate import simulate
from pipeline.live.link import link_to
from pipeline.local.ports import free_ports
from pipeline.local.stack import Stack
from pipeline.reports.overview.answer import read_report
from pipeline.reports.overview.text import render
from pipeline.reports.span import Span
from pipeline.settings import Settings
from pipeline.settings.ports import LISTENERS, listening_on, ports_from
from pipeline.terminal import progress_bar, until_told
from schemas.errors import TouchstreamError
from schemas.journeys import load_models
from schemas.write_key import WriteKey

_SITE = "demo"
_NEEDED_MB = 1_000
_HOURS = 12.0
"""The watch knows what is usual after eight: people of the last two may still go on."""
_LIVE_RATE, _BROKEN_RATE = 20.0, 80.0
_PATIENCE_SECONDS = 60.0
_SETTLED_SECONDS = 2.0

_ARRIVED = "SELECT (SELECT count() FROM touchpoints) + (SELECT count() FROM dead_letters)"
_FACTS = "SELECT sum(cityHash64(*)), count() FROM abandonments FINAL"

_AROUND = """\
Collector   {collector}
ClickHouse  {clickhouse}
Metrics     {metrics}

Send a touchpoint, find it again, see the report:

  curl -u {write_key}: -H 'Content-Type: application/json' {collector}/v1/track \\
    -d '{{"anonymousId": "me", "event": "Product Viewed"}}'
  export TOUCHSTREAM_CLICKHOUSE_URL={clickhouse}
  {touchstream} query "SELECT * FROM touchpoints WHERE visitor_id = 'me' FORMAT Vertical"
  {touchstream} report

More shoppers come, live, until you press Ctrl-C. See where they are, and where they are lost:

  {live}

Break the checkout for four in five of them; some minutes later an alert stands on that page:

  {touchstream} simulate --url {collector} --write-key {write_key} \\
    --people 1 --follow {rate:.0f} --break checkout
"""


class DemoFailed(TouchstreamError):
    """The demo cannot run here; the text says what to do."""


async def run(*, once: bool, people: int, console: Console, port_base: int = 0) -> None:
    """Start everything, simulate `people`, print the report; then keep going unless `once`.

    It listens on the ports from `port_base` on; 0: on any that are free.

    Raises:
        DemoFailed, StackFailed, EmbeddedError, SimulationFailed: the text says what to do.
    """
    _refuse_full_disk(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix="touchstream-demo-") as folder:
        demo = _Demo(_settings(Path(folder), port_base), console)
        try:
            await until_told(demo.run(people, once=once))
        finally:
            await demo.stack.kill()  # nothing in it is needed now


class _Demo:
    """The demo, one method per step; each step is timed."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.stack = Stack(settings, self._warn)
        self._settings = settings
        self._console = console
        self._began = monotonic()
        [self._write_key] = settings.write_keys
        self._collector = f"http://{settings.collector_host}:{settings.collector_port}"

    async def run(self, people: int, *, once: bool) -> None:
        """Do all of it."""
        with self._step("Start broker, engine, collector, tracker, sink and watch"):
            await self.stack.start()
        sent = await self._simulate(people, seed=1, hours=_HOURS)
        with closing(connect(self._settings)) as client:
            with self._step(f"Wait until all {sent:,} touchpoints are in ClickHouse"):
                await _until(lambda: _number(client, _ARRIVED) >= sent)
            with self._step("Let time pass: carts and checkouts are left behind"):
                await _until(_unchanged(client))
            self._report(client)
        if not once:
            self._show_around()
            await self._simulate(0, seed=2, hours=0, follow_rate=_LIVE_RATE)

    async def _simulate(
        self, people: int, *, seed: int, hours: float, follow_rate: float | None = None
    ) -> int:
        with progress_bar(self._console) as progress:
            summary = await simulate(
                self._collector,
                self._write_key,
                people=people,
                seed=seed,
                hours=hours,
                follow_rate=follow_rate,
                progress=progress,
            )
        self._say(f"Sent {summary}")
        return summary.touchpoints

    def _report(self, client: Client) -> None:
        models = load_models(self._settings.journey_models)
        report = read_report(client, Span(site=_SITE), steps=models[0].funnel, models=models)
        self._console.print()
        self._console.print(render(report))
        self._console.print()

    def _show_around(self) -> None:
        ports = (
            self._settings.tracker_metrics_port,
            self._settings.sink_metrics_port,
            self._settings.watch_metrics_port,
        )
        text = _AROUND.format(
            collector=self._collector,
            clickhouse=self._settings.clickhouse_url,
            metrics="  ".join(f"http://127.0.0.1:{port}/metrics" for port in ports),
            write_key=self._write_key,
            touchstream=_command(),
            rate=_BROKEN_RATE,
            live=link_to(self._settings),
        )
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        with self._console.status(what):
            yield
        self._say(what)

    def _say(self, sentence: str) -> None:
        seconds = monotonic() - self._began
        self._console.print(f"{seconds:5.1f} s  {sentence}", markup=False, highlight=False)

    def _warn(self, sentence: str) -> None:
        self._console.print(sentence, style="yellow", markup=False, highlight=False)


def _settings(folder: Path, port_base: int) -> Settings:
    """Return settings that ignore the environment and all files."""
    ports = ports_from(port_base) if port_base else free_ports(len(LISTENERS))
    listening = listening_on(ports)
    return Settings.model_construct(
        write_keys={f"wk_demo_{secrets.token_hex(8)}": WriteKey(site=_SITE)},
        kafka_idempotence=False,
        tracker_tick=timedelta(seconds=0.5),
        sink_batch_wait=timedelta(seconds=0.2),
        embedded_path=folder,
        live_keys=[SecretStr(secrets.token_hex(32))],
        public_url=f"http://127.0.0.1:{listening['collector_port']}",
        **listening,
    )


def _command() -> str:
    """Return the command that the user would type to run us again."""
    started = sys.argv[0]
    return f"{sys.executable} -m pipeline.cli" if started.endswith(".py") else started


def _refuse_full_disk(folder: Path) -> None:
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    if free_mb < _NEEDED_MB:
        raise DemoFailed(
            f"{folder} has {free_mb:,} MB left and the demo needs {_NEEDED_MB:,}: free some "
            "space, or set TMPDIR to a folder on another disk"
        )


async def _until(is_done: Callable[[], bool]) -> None:
    deadline = monotonic() + _PATIENCE_SECONDS
    while not await asyncio.to_thread(is_done):
        if monotonic() > deadline:
            raise DemoFailed(
                "the pipeline makes no progress; its warnings are above. On a busy machine, "
                "try: touchstream demo --people 200"
            )
        await asyncio.sleep(0.2)


def _unchanged(client: Client) -> Callable[[], bool]:
    """Return a check that no abandonment was added for a while, measured by the tracker's pace."""
    known: object = None
    since = monotonic()

    def is_unchanged() -> bool:
        nonlocal known, since
        found = client.query(_FACTS).result_rows
        if found != known:
            known, since = found, monotonic()
        return monotonic() - since > _SETTLED_SECONDS

    return is_unchanged


def _number(client: Client, statement: str) -> int:
    return int(client.query(statement).result_rows[0][0])
