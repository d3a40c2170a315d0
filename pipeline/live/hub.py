"""One poller for each set of filters, however many pages watch it. Shell.

A poller asks the question of every panel that some page shows, in turn. Each panel has its own
pace, and is asked only when something was written, which is noticed once for all pollers, or when
time has moved its span. Changes go to all watchers. A slow watcher gets the newest state of each
panel and misses those in between: nothing queues up.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.live.address import Address
from pipeline.live.panels import Lane, Panel, Steps
from pipeline.reports.live.pulse import Pulse, read_pulse, read_written
from pipeline.reports.span import as_json
from schemas.errors import TouchstreamError

_log = logging.getLogger(__name__)

_EXPECTED = (ClickHouseError, TouchstreamError, OSError)
"""Whatever else breaks a panel is a fault of ours, and is logged with its place."""

PULSE = "pulse"
PULSE_SECONDS = 0.2
_ROUND_SECONDS = 0.05
_BUSY_SECONDS, _QUIET_SECONDS = 1.0, 3.0
_STILL_SECONDS = 10.0
_RETRY_SECONDS = 8.0
_LINGER_SECONDS = 10.0
REST: dict[Lane, int] = {"newest": 2, "fast": 4, "slow": 9}
"""After a question that took a second, the seconds from its beginning until it is asked again."""

MOST_VIEWS = 100
"""How many sets of filters can be watched at the same time."""


class TooManyViews(Exception):
    """Too many different sets of filters are watched already."""


class Watcher:
    """The news of `panels` that one page has not received yet: only the newest of each."""

    def __init__(self, panels: Collection[str]) -> None:
        self.panels = frozenset(panels) | {PULSE}
        self._untold: dict[str, bytes] = {}
        self._changed = asyncio.Event()
        self.is_over = False

    def tell(self, panel: str, event: bytes) -> None:
        """Queue an event, if the page shows its panel; it replaces an older one of that."""
        if panel not in self.panels:
            return
        self._untold[panel] = event
        self._changed.set()

    def end(self) -> None:
        """Signal to the page that nothing more comes."""
        self.is_over = True
        self._changed.set()

    async def news(self, patience: float) -> bytes:
        """Wait for changes, at most `patience` seconds; return them, or nothing."""
        try:
            await asyncio.wait_for(self._changed.wait(), patience)
        except TimeoutError:
            return b""
        self._changed.clear()
        told, self._untold = b"".join(self._untold.values()), {}
        return told


class Asker:
    """Asks ClickHouse in threads; the number of simultaneous statements is limited."""

    def __init__(self, client: Client, clock: Callable[[], datetime], threads: int = 4) -> None:
        self._client = client
        self.clock = clock
        self._threads = ThreadPoolExecutor(threads, "live")
        self.asked = 0

    async def ask(self, question: Callable[..., Any], *arguments: Any) -> Any:
        """Return the answer of a function that takes the client first."""
        self.asked += 1
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, question, self._client, *arguments)

    def close(self) -> None:
        """Release the threads without waiting for what still runs."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Written:
    """Notices that something was written: `mark` is how often that was so."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._known: int | None = None
        self.mark = 0

    async def look(self) -> None:
        """Ask once; wait, so that the next time is due."""
        try:
            known = await self._asker.ask(read_written)
        except Exception as error:  # noqa: BLE001 - the pulse fails too, and tells the pages
            _warn("what was written", error)
            await asyncio.sleep(_RETRY_SECONDS)
            return
        if known != self._known:
            self._known, self.mark = known, self.mark + 1
        await asyncio.sleep(PULSE_SECONDS)


class Poller:
    """Keeps one set of filters up to date."""

    def __init__(
        self,
        address: Address,
        panels: Iterable[Panel],
        steps: Steps,
        asker: Asker,
        written: Written,
    ) -> None:
        self._address = address
        self._panels = tuple(panels)
        self._steps = steps
        self._asker = asker
        self._written = written
        self._pulse: Pulse | None = None
        self._felt = -1
        self._felt_at = 0.0
        self._asked: dict[str, tuple[int, float]] = {}
        self._said: dict[str, bytes] = {}
        self._rows: dict[str, Any] = {}
        self._shown: Counter[str] = Counter()
        self.watchers: set[Watcher] = set()
        self.lonely_since = monotonic()

    async def run(self) -> None:
        """Run until cancelled."""
        lanes = ([p for p in self._panels if p.lane == lane] for lane in REST)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feel())
            for lane in lanes:
                group.create_task(self._go_round(lane))

    def greet(self, watcher: Watcher) -> None:
        """Add a watcher; it first gets what is known of its panels."""
        self.watchers.add(watcher)
        self._shown.update(watcher.panels)
        for panel, event in self._said.items():
            watcher.tell(panel, event)

    def leave(self, watcher: Watcher) -> None:
        """Remove a watcher."""
        self.watchers.discard(watcher)
        self._shown.subtract(watcher.panels)
        if not self.watchers:
            self.lonely_since = monotonic()

    def let_go(self) -> None:
        """End the streams of all watchers."""
        for watcher in self.watchers:
            watcher.end()

    async def _feel(self) -> None:
        while True:
            try:
                await self._feel_once()
            except Exception as error:  # noqa: BLE001 - as in `_refresh`
                self._fail(PULSE, error)
                await asyncio.sleep(_RETRY_SECONDS)
            await asyncio.sleep(PULSE_SECONDS)

    async def _feel_once(self) -> None:
        """Take the pulse if anything was written since the last one, or if that is an old one."""
        mark = self._written.mark
        pause = _QUIET_SECONDS if mark == self._felt else _BUSY_SECONDS
        if monotonic() - self._felt_at < pause:
            return
        self._felt = mark
        now = self._asker.clock()
        self._note(await self._asker.ask(read_pulse, self._address.at(now)), now)

    def _note(self, pulse: Pulse, now: datetime) -> None:
        before, self._pulse = self._pulse, pulse
        self._felt_at = monotonic()
        is_new = before is not None and before.newest != pulse.newest and pulse.newest is not None
        behind = (now - pulse.newest).total_seconds() if is_new and pulse.newest else None
        self.say(PULSE, {"now": now, "behind": behind, "rows": pulse})

    async def _go_round(self, panels: list[Panel]) -> None:
        due = {panel.name: 0.0 for panel in panels}
        while True:
            for panel in panels:
                is_due = self._shown[panel.name] > 0 and monotonic() >= due[panel.name]
                if self._written.mark and is_due and not self._is_still(panel):
                    due[panel.name] = monotonic() + await self._refresh(panel)
            await asyncio.sleep(_ROUND_SECONDS)

    def _is_still(self, panel: Panel) -> bool:
        """Whether the answer must be that of before: nothing was written, nor has time moved on."""
        mark, at = self._asked.get(panel.name, (0, 0.0))
        is_past = not self._address.is_live
        return mark == self._written.mark and (is_past or monotonic() - at < _STILL_SECONDS)

    async def _refresh(self, panel: Panel) -> float:
        """Ask a panel's question; return the seconds to wait before the next time."""
        now, began = self._asker.clock(), monotonic()
        self._asked[panel.name] = self._written.mark, began
        try:
            rows = await self._asker.ask(panel.read, self._address.at(now), self._steps)
        except Exception as error:  # noqa: BLE001 - a panel that breaks must not end the others
            self._fail(panel.name, error)
            return _RETRY_SECONDS
        if rows != self._rows.get(panel.name):
            self._rows[panel.name] = rows
            self.say(panel.name, {"now": now, "rows": rows})
        took = monotonic() - began
        return max(panel.pace, REST[panel.lane] * took) - took

    def _fail(self, panel: str, error: Exception) -> None:
        _warn(f"{panel} of {self._address.site}", error)
        self._asked.pop(panel, None)
        self._rows.pop(panel, None)
        reason = "slow" if "TIMEOUT_EXCEEDED" in str(error) else "unavailable"
        self.say(panel, {"now": self._asker.clock(), "error": reason, "retry": _RETRY_SECONDS})

    def say(self, panel: str, said: dict[str, Any]) -> None:
        """Tell all watchers of a panel, and those to come."""
        event = b"event: %s\ndata: %s\n\n" % (panel.encode(), as_json(said))
        self._said[panel] = event
        for watcher in self.watchers:
            watcher.tell(panel, event)


class Hub:
    """The pollers of everything that is watched; each knows all `panels`."""

    def __init__(self, asker: Asker, panels: Iterable[Panel]) -> None:
        self._asker = asker
        self._panels = tuple(panels)
        self._written = Written(asker)
        self._noticing: asyncio.Task[None] | None = None
        self.pollers: dict[Address, tuple[Poller, asyncio.Task[None]]] = {}

    @asynccontextmanager
    async def watching(
        self, address: Address, panels: Collection[str], steps: Steps
    ) -> AsyncIterator[Watcher]:
        """Watch the pulse and `panels` of an address; all who watch it share a poller.

        Raises:
            TooManyViews: one more would be too many.
        """
        poller, watcher = self._poller(address, steps), Watcher(panels)
        poller.greet(watcher)
        try:
            yield watcher
        finally:
            poller.leave(watcher)

    async def close(self) -> None:
        """End all pollers."""
        tasks = [task for _, task in self.pollers.values()]
        tasks += [self._noticing] if self._noticing else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _poller(self, address: Address, steps: Steps) -> Poller:
        self._forget_lonely()
        known = self.pollers.get(address)
        if known and not known[1].done():
            return known[0]
        if len(self.pollers) >= MOST_VIEWS:
            raise TooManyViews
        poller = Poller(address, self._panels, steps, self._asker, self._written)
        self.pollers[address] = (poller, asyncio.create_task(self._keep(address, poller)))
        if self._noticing is None or self._noticing.done():
            self._noticing = asyncio.create_task(self._notice())
        return poller

    async def _notice(self) -> None:
        while self.pollers:
            await self._written.look()

    async def _keep(self, address: Address, poller: Poller) -> None:
        """Run a poller until nobody has watched it for a while.

        If it breaks, the streams of its watchers end, and their pages connect again.
        """
        task = asyncio.create_task(poller.run())
        try:
            while not task.done() and not _is_lonely(poller):
                await asyncio.wait([task], timeout=1)
        finally:
            task.cancel()
            for error in await asyncio.gather(task, return_exceptions=True):
                if isinstance(error, Exception):
                    _log.error(
                        "nothing is told of %s any more",
                        address.site,
                        exc_info=error,
                        extra={"event": "page_abandoned"},
                    )
            poller.let_go()
            if address in self.pollers and self.pollers[address][0] is poller:
                del self.pollers[address]

    def _forget_lonely(self) -> None:
        if len(self.pollers) < MOST_VIEWS:
            return
        for address, (poller, task) in list(self.pollers.items()):
            if not poller.watchers:
                task.cancel()
                del self.pollers[address]


def _warn(what: str, error: Exception) -> None:
    ours = None if isinstance(error, _EXPECTED) else error
    said = str(error)[:300]
    _log.warning("%s: %s", what, said, exc_info=ours, extra={"event": "panel_failed"})


def _is_lonely(poller: Poller) -> bool:
    return not poller.watchers and monotonic() - poller.lonely_since > _LINGER_SECONDS
