"""Debian's Prometheus and Alertmanager with the shipped files, on free ports.

The times of the rules can be divided, so that a test need not wait for hours (`shortened`).
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.support.ports import free_ports
from tests.support.shortened import shortened

FILES = Path(__file__).parents[2] / "deploy/prometheus"
_START_SECONDS = 30


@dataclass(frozen=True)
class Monitoring:
    """Where both answer."""

    prometheus: str
    alertmanager: str

    async def get(self, url: str) -> Any:
        """GET some JSON."""
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def alerts(self) -> list[dict[str, Any]]:
        """Give what Alertmanager has, held back or not."""
        found: list[dict[str, Any]] = await self.get(f"{self.alertmanager}/api/v2/alerts")
        return found

    async def pending(self) -> list[dict[str, Any]]:
        """Give what Prometheus sees pending or firing."""
        answer = await self.get(f"{self.prometheus}/api/v1/alerts")
        found: list[dict[str, Any]] = answer["data"]["alerts"]
        return found

    async def targets(self) -> dict[str, str]:
        """Give the health of each job."""
        answer = await self.get(f"{self.prometheus}/api/v1/targets")
        return {t["labels"]["job"]: t["health"] for t in answer["data"]["activeTargets"]}


@asynccontextmanager
async def monitoring(
    folder: Path, jobs: Mapping[str, int], alertmanager_port: int, factor: int = 1
) -> AsyncIterator[Monitoring]:
    """Run both; `jobs` are the ports of the roles here, `factor` divides the times of the rules."""
    programs = {name: shutil.which(name) for name in ("prometheus", "prometheus-alertmanager")}
    if not all(programs.values()):
        pytest.skip("Debian's packages prometheus and prometheus-alertmanager are not installed")
    [port] = free_ports(1)
    _configure(folder, jobs, alertmanager_port, factor)
    commands = {
        "prometheus": [
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/prometheus",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--web.console.templates={FILES}/consoles",
        ],
        "prometheus-alertmanager": [
            f"--config.file={FILES}/alertmanager.yml",
            f"--storage.path={folder}/alertmanager",
            f"--web.listen-address=127.0.0.1:{alertmanager_port}",
            "--cluster.listen-address=",
        ],
    }
    running = [await _started(folder, name, options) for name, options in commands.items()]
    both = Monitoring(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{alertmanager_port}")
    try:
        for url in (both.prometheus, both.alertmanager):
            await _until_ready(url)
        yield both
    finally:
        for process in running:
            process.kill()
            await process.wait()


def _configure(folder: Path, jobs: Mapping[str, int], alertmanager_port: int, factor: int) -> None:
    rules = yaml.safe_load((FILES / "touchstream.rules.yml").read_text())
    (folder / "rules.yml").write_text(yaml.safe_dump(shortened(rules, factor)))
    config = yaml.safe_load((FILES / "prometheus.yml").read_text())
    interval = "1s" if factor > 1 else "2s"
    config["global"] = {"scrape_interval": interval, "evaluation_interval": interval}
    config["rule_files"] = [str(folder / "rules.yml")]
    config["alerting"]["alertmanagers"] = [
        {"static_configs": [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]}
    ]
    config["scrape_configs"] = [
        {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{at}"]}]}
        for name, at in jobs.items()
    ]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))


async def _started(folder: Path, name: str, options: list[str]) -> asyncio.subprocess.Process:
    with (folder / f"{name}.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(name, *options, stdout=log, stderr=log)


async def _until_ready(url: str) -> None:
    async with asyncio.timeout(_START_SECONDS), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{url}/-/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.2)
