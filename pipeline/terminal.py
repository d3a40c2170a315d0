"""What all commands have in common at a terminal: progress bars, and the end by Ctrl-C. Shell."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def progress_bar(console: Console) -> Progress:
    """Make the bar that long work moves; it shows on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    )


async def until_told(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, or until SIGINT or SIGTERM cancels it; each signal does so anew."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for wish in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(wish, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
