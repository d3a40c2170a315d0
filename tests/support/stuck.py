"""A role that lives, holds its connections, and does not move: a process of its own.

    python -m tests.support.stuck track deadlocked

`deadlocked` waits for what never comes, `blocked` holds its event loop, `expelled` has left its
group and does not join it again.
"""

import asyncio
import sys
import time
from typing import Any

from pipeline.cli import main
from pipeline.roles.drain import Drain
from pipeline.roles.webhook.deliveries import Deliveries
from pipeline.tracker.app import Tracker
from sinks.writer import Writer


async def deadlocked(*_: Any) -> None:
    """Wait for ever."""
    await asyncio.Event().wait()


async def blocked(*_: Any) -> None:
    """Let nobody else in the process go on, but threads."""
    while True:
        time.sleep(1)  # noqa: ASYNC251 - that is what it is for


async def expelled(tracker: Tracker, *_: Any) -> None:
    """Be told that all partitions have gone, and get none again."""
    await tracker.give_up()
    await asyncio.Event().wait()


PLACES: dict[str, tuple[Any, str]] = {
    "track": (Tracker, "handle"),
    "sink": (Writer, "_flush"),
    "drain": (Drain, "_send"),
    "webhook": (Deliveries, "_commit"),
}
WAYS = {"deadlocked": deadlocked, "blocked": blocked, "expelled": expelled}

if __name__ == "__main__":
    role, way = sys.argv[1:]
    setattr(*PLACES[role], WAYS[way])
    main([role], prog_name="touchstream")
