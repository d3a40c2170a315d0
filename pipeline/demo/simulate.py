"""Sends generated journeys through a collector, as any sender does. Shell.

What people do is decided in `pipeline.demo.simulation`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from time import monotonic
from typing import NamedTuple

import aiohttp
import msgspec
from rich.progress import Progress

from pipeline.demo.simulation.calls import endless_journeys, journeys
from pipeline.demo.simulation.faults import broken
from pipeline.demo.simulation.shopper import Call
from schemas.errors import TouchstreamError

_BATCH = 100
_PATIENCE_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 5.0
_MAY_PASS = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}
_TIMEOUT = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)


class SimulationFailed(TouchstreamError):
    """The collector does not accept the journeys; the text gives its reason."""


@dataclass(frozen=True)
class SimulationSummary:
    """What was sent and accepted."""

    people: int
    touchpoints: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.touchpoints:,} touchpoints of {self.people:,} people in {self.seconds:.1f} s"


async def simulate(
    url: str,
    write_key: str,
    *,
    people: int,
    seed: int,
    hours: float,
    follow_rate: float | None,
    progress: Progress,
    breaks: str | None = None,
    browser: str = "",
) -> SimulationSummary:
    """Send what `people` did in the last `hours` to the collector at `url`.

    With `follow_rate` it continues in real time with about that many touchpoints a second, until it
    is cancelled. `breaks` (see `faults.BREAKS`) names what is broken from now on, for people who
    use `browser`.

    Raises:
        SimulationFailed: the collector refuses a call, or does not answer for half a minute.
    """
    now, began = datetime.now(UTC), monotonic()
    window = (seed, people, now - timedelta(hours=hours), now)
    calls = endless_journeys(*window, follow_rate) if follow_rate else journeys(*window)
    calls = broken(calls, breaks, now, browser) if breaks else calls
    task = progress.add_task("Touchpoints", total=None)
    touchpoints = 0
    headers = {
        "Authorization": aiohttp.encode_basic_auth(write_key),
        "Content-Type": "application/json",
    }
    async with aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as session:
        sender = _Sender(session, url)
        async for batch in _when_due(calls):
            await sender.send(batch)
            touchpoints += len(batch)
            progress.advance(task, len(batch))
    progress.update(task, total=touchpoints)
    return SimulationSummary(people, touchpoints, monotonic() - began)


async def _when_due(calls: Iterator[Call]) -> AsyncIterator[list[Call]]:
    """Yield past calls at once, in batches, and each future call when it is due."""
    batch: list[Call] = []
    for call in calls:
        ahead = (call["timestamp"] - datetime.now(UTC)).total_seconds()
        if batch and (ahead > 0 or len(batch) == _BATCH):
            yield batch
            batch = []
        if ahead > 0:
            await asyncio.sleep(ahead)
        batch.append(call)
    if batch:
        yield batch


class _Answer(NamedTuple):
    status: int
    text: str
    is_complete: bool = False
    retry_after: float = 0.0


class _Sender:
    """Sends batches one after the other, so that the calls of a person stay in order."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = f"{url.rstrip('/')}/v1/batch"

    async def send(self, batch: list[Call]) -> None:
        """Return when the collector has accepted all of `batch`, else raise SimulationFailed."""
        body = msgspec.json.encode({"batch": batch, "sentAt": datetime.now(UTC)})
        pause, deadline = 0.2, monotonic() + _PATIENCE_SECONDS
        while True:
            answer = await self._post(body)
            if answer.is_complete:
                return
            if answer.status not in _MAY_PASS or monotonic() > deadline:
                raise SimulationFailed(f"{self._url}: {answer.text}")
            await asyncio.sleep(max(pause, answer.retry_after))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _post(self, body: bytes) -> _Answer:
        try:
            async with self._session.post(self._url, data=body) as response:
                text = await response.text()
                is_complete = response.status == HTTPStatus.OK and '"refused"' not in text
                retry_after = float(response.headers.get("Retry-After", 0))
                return _Answer(response.status, text, is_complete, retry_after)
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            text = f"no collector answers ({error}); start it: touchstream up"
            return _Answer(HTTPStatus.SERVICE_UNAVAILABLE, text)
