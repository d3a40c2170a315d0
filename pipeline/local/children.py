"""Child processes that are kept alive and do not outlive their parent. Shell.

On Linux the kernel kills them when their parent is gone, even after kill -9. On other systems they
then run until somebody ends them. A parent that can still act stops them on every system.
"""

import asyncio
import ctypes
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic

from schemas.errors import Unavailable

Tell = Callable[[str], None]
"""Shows a sentence to the user."""

Probe = Callable[[], Awaitable[bool]]
"""Checks whether a process is ready, or alive."""

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

_STARTING_SECONDS = 60.0
_HEALTHY_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 30.0
_PROBES = 6
LARGEST_LOG = 10_000_000
"""A log larger than this (bytes) is set aside at the next start; one old log is kept."""
_ALARMING = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|^Error:")


class StackFailed(Unavailable):
    """A local process did not start, or it ended; the text says why, or what to do."""


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent is gone; for `preexec_fn`."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A command as a process; its output goes to `log`, its warnings also to `tell`."""

    probe_seconds = 10.0

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        tell: Tell,
    ) -> None:
        self.name = name
        self._command = command
        self._environment = dict(os.environ) | dict(environment)
        self._log = log
        self._log_from = 0
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, is_ready: Probe, is_alive: Probe | None = None) -> None:
        """Start it and return when it `is_ready`; from then on it is restarted if it ends.

        It is killed, and so restarted, if `is_alive` says no for a minute.

        Raises:
            StackFailed: it ended, or was not ready within a minute.
        """
        self._begin_log()
        process = await self._spawn()
        self._tasks = [asyncio.create_task(self._listen())]
        deadline = monotonic() + _STARTING_SECONDS
        while not await is_ready():
            if process.returncode is not None or monotonic() > deadline:
                raise StackFailed(f"{self.name} did not start: {self._last_words()}")
            await asyncio.sleep(0.05)
        self._tasks.append(asyncio.create_task(self._keep_alive(process)))
        if is_alive:
            self._tasks.append(asyncio.create_task(self._probe(is_alive)))

    async def run_once(self) -> int:
        """Run it to its end; give its exit code."""
        self._begin_log()
        return await (await self._spawn()).wait()

    async def stop(self, patience: float) -> None:
        """Ask it to end; kill it if it still runs after `patience` seconds."""
        self._cancel()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), patience)
        except TimeoutError:
            self._tell(f"{self.name} did not end within {patience:g} s and was killed")
            await self.kill()

    async def kill(self) -> None:
        """End it at once."""
        self._cancel()
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _begin_log(self) -> None:
        """Append to the log of the previous start; set a log aside that is too long."""
        self._log.touch()
        if self._log.stat().st_size > LARGEST_LOG:
            self._log.replace(self._log.with_name(f"{self._log.name}.1"))
            self._log.touch()
        self._log_from = self._log.stat().st_size

    async def _spawn(self) -> asyncio.subprocess.Process:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the parent, which knows the order
                preexec_fn=die_with_parent,
            )
        return self._process

    async def _keep_alive(self, process: asyncio.subprocess.Process) -> None:
        pause = 1.0
        while True:
            began = monotonic()
            code = await process.wait()
            if monotonic() - began > _HEALTHY_SECONDS:
                pause = 1.0
            self._tell(f"{self.name} ended with code {code}, starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            process = await self._spawn()

    async def _probe(self, is_alive: Probe) -> None:
        failed_since = None
        while True:
            await asyncio.sleep(self.probe_seconds)
            if await is_alive():
                failed_since = None
                continue
            failed_since = failed_since or monotonic()
            process = self._process
            is_dead = monotonic() - failed_since > _PROBES * self.probe_seconds
            if is_dead and process and process.returncode is None:
                self._tell(f"{self.name} does not answer any more and is killed")
                process.kill()
                failed_since = None

    async def _listen(self) -> None:
        with self._log.open(errors="replace") as log:
            log.seek(self._log_from)
            while True:
                for line in log:
                    if _ALARMING.search(line):
                        self._tell(f"{self.name}: {line.strip()}")
                await asyncio.sleep(0.5)

    def _last_words(self) -> str:
        said = self._log.read_bytes()[self._log_from :].decode(errors="replace")
        lines = said.strip().splitlines()
        return lines[-1].strip().removeprefix("Error: ") if lines else "no answer"
