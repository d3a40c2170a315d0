"""What all commands have in common at a terminal: what is shown, and the end by Ctrl-C. Shell."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.table import Table

_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
_BIDIRECTIONAL = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_WIDTH_OF_A_PIPE = 100_000
_SHOWN = dict.fromkeys([*_CONTROLS, *_BIDIRECTIONAL], "\ufffd") | {0x0A: "\n", 0x09: "\t"}


def without_controls(text: str) -> str:
    """Give a text that does nothing to a terminal: U+FFFD for what would; lines and tabs stay."""
    return text if text.isascii() and text.isprintable() else text.translate(_SHOWN)


class Harmless:
    """Lays out `content`, whose texts may come from anybody, without control characters."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Clean each piece of text; colours are added after it."""
        for part in console.render(self._content, options):
            yield part if part.control else Segment(without_controls(part.text), part.style)


def print_whole(content: RenderableType, file: TextIO | None = None) -> None:
    """Print `content` without control characters, and no figure of it cut or broken.

    Tables are as wide as a terminal, or as their figures need. In a pipe everything is whole.
    """
    console = _plain(file)
    width = _WIDTH_OF_A_PIPE
    if console.is_terminal:
        _keep_figures(content)
        boundless = console.options.update(max_width=_WIDTH_OF_A_PIPE)
        width = max(console.width, Measurement.get(console, boundless, content).minimum)
    _plain(file, width).print(Harmless(content))


def _plain(file: TextIO | None, width: int | None = None) -> Console:
    """Make a console to which brackets and colons in names are neither colours nor pictures."""
    return Console(file=file, width=width, markup=False, emoji=False, highlight=False)


def _keep_figures(content: RenderableType) -> None:
    """Have the columns of figures, which stand at the right, as wide as what is in them."""
    if isinstance(content, Group):
        for part in content.renderables:
            _keep_figures(part)
    if isinstance(content, Table):
        for column in content.columns:
            if column.justify == "right":
                column.no_wrap = True
                texts = [column.header, *column.cells]
                column.min_width = max(map(_longest_line, texts), default=0)


def _longest_line(content: RenderableType) -> int:
    return max(map(cell_len, str(content).split("\n")))


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
