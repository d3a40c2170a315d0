"""SIGINT and SIGTERM as a cancellation. Shell."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


async def until_told(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, or until SIGINT or SIGTERM cancels it; each signal does so anew."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for wish in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(wish, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
