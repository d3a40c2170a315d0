"""The embedded ClickHouse as the product runs it: a process of its own, behind HTTP.

python -m tests.support.engine FOLDER PORT
"""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

import aiohttp

from pipeline.local.embedded.clickhouse import serve
from tests.support.ports import free_ports

_START_SECONDS = 30
_STOP_SECONDS = 15


class EngineServer:
    """An engine on the data in `folder`, reached at `host`:`port` or `url`."""

    def __init__(self, folder: Path) -> None:
        self.host = "127.0.0.1"
        self.port = free_ports(1)[0]
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/"

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    async def start(self) -> None:
        """Start it; return when it answers; RuntimeError with its last words if it does not."""
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder.with_suffix(".log")
        with log.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-W", "error", "-m", __name__, self._folder, str(self.port)),
                cwd=Path(__file__).parents[2],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        async with asyncio.timeout(_START_SECONDS):
            while not await self._answers():
                if self._process.returncode is not None:
                    raise RuntimeError(log.read_text()[-2000:])
                await asyncio.sleep(0.05)

    async def stop(self) -> int:
        """Ask it to end, as the product is asked; give its exit code."""
        assert self._process
        if self._process.returncode is None:
            self._process.terminate()
        try:
            return await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            await self.kill()
            raise

    async def kill(self) -> None:
        """SIGKILL."""
        assert self._process
        self._process.kill()
        await self._process.wait()

    def signal(self, what: signal.Signals) -> None:
        """Send a signal: SIGSTOP leaves connections open and silent."""
        assert self._process
        self._process.send_signal(what)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def _answers(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(self.url + "ping") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False


async def _main(folder: str, port: str) -> None:
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with suppress(asyncio.CancelledError):
        await serve(Path(folder), "127.0.0.1", int(port))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
