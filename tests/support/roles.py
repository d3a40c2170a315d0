"""Roles of the product as processes of their own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipeline.settings import Settings, environment_of
from tests.support.docs import ROOT


@asynccontextmanager
async def running(
    role: str, settings: Settings, stderr: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `touchstream role`, killed at the end of the block if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.cli", role),
        cwd=ROOT,
        env=os.environ | environment_of(settings),
        stderr=stderr,
    )
    try:
        yield process
    finally:
        await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    """SIGKILL, unless it has ended."""
    if process.returncode is None:
        process.kill()
        await process.wait()
