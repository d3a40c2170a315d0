"""Each operations alert on the whole line: its cause begins, it fires; the cause ends, it is over.

With Debian's Prometheus and Alertmanager, the roles as processes, and the shipped rules, all times
of which are divided by thirty. Short here; the long form (LONG=1, `make watch-stack`) has them all.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import pytest_asyncio

from tests.support import causes
from tests.support.causes import CAUSES, Cause, World
from tests.support.engine import EngineServer
from tests.support.line import Line
from tests.support.receiver import receiver
from tests.support.watched import ALERTS, running_stack, until

LONG = os.environ.get("LONG") == "1"
FACTOR = 30 if LONG else 60
PATIENCE = 150
SHORT = (
    causes.a_role_is_gone,
    causes.a_sender_without_names,
    causes.clickhouse_has_no_room_and_too_many_parts,
)
_ROLES = ("collect", "track", "drain", "sink", "watch", "webhook")
_SECRET = "0123456789abcdef0123456789abcdef"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("operations")
    async with (
        receiver() as others,
        EngineServer(folder / "engine") as engine,
        running_stack(engine, folder, more=["webhook"], factor=FACTOR) as stack,
    ):
        endpoints = {"crm": {"url": others.url("/crm"), "secret": _SECRET, "sites": ["crm"]}}
        stack.line.environment |= {
            "TOUCHSTREAM_STALL_AFTER": "PT15S",
            "TOUCHSTREAM_DRAIN_RATE": "5",
            "TOUCHSTREAM_WEBHOOK_ENDPOINTS": json.dumps(endpoints),
            "TOUCHSTREAM_WEBHOOK_ATTEMPTS": "3",
            "TOUCHSTREAM_WATCH_WEBHOOK_URL": others.url("/oncall"),
            "TOUCHSTREAM_WATCH_WEBHOOK_SECRET": _SECRET,
        }
        for role in _ROLES:
            await stack.line.start(role)
        await until(stack.is_up, PATIENCE)
        async with supervised(stack.line):
            yield World(stack, others)


@asynccontextmanager
async def supervised(line: Line) -> AsyncIterator[None]:
    """Start again who has ended by itself."""
    task = asyncio.create_task(line.supervise())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_every_alert_has_a_cause() -> None:
    assert set().union(*(cause.raises for cause in CAUSES)) == ALERTS


def test_only_what_cannot_be_made_here_is_stood_in_for() -> None:
    told = set().union(*(cause.raises for cause in CAUSES if cause.stands_in))
    assert told == {"ClickHouseDiskFull", "ClickHouseTooManyParts", "KafkaDiskFull"}


class Watch:
    """What Alertmanager has had since a moment."""

    def __init__(self, world: World) -> None:
        self._stack = world.stack
        self.raised: set[str] = set()

    async def until_quiet(self) -> None:
        """Wait until nothing fires and nothing is about to."""

        async def is_quiet() -> bool:
            now = await self._stack.firing()
            self.raised |= now
            return not now and not await self._stack.pending() & ALERTS

        await self._until(is_quiet, "not over")

    async def until_raised(self, alerts: frozenset[str]) -> None:
        """Wait until each of them has fired."""

        async def are_raised() -> bool:
            self.raised |= await self._stack.firing()
            return alerts <= self.raised

        await self._until(are_raised, f"not all of {sorted(alerts)}")

    async def _until(self, is_so: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            await until(is_so, PATIENCE)
        except TimeoutError:
            pending = await self._stack.pending()
            pytest.fail(f"{what}: fired {sorted(self.raised)}, pending {sorted(pending)}")


@pytest.mark.timeout(600)
@pytest.mark.skipif(not LONG, reason="minutes of real time: make watch-stack")
@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
async def test_it_raises_its_alerts_and_they_are_over_when_it_is(
    cause: Cause, world: World, kafka_jars: None
) -> None:
    await Watch(world).until_quiet()
    watch = Watch(world)
    async with cause.begin(world):
        await watch.until_raised(cause.raises)
    await watch.until_quiet()
    assert watch.raised <= cause.raises | cause.besides


@pytest.mark.skipif(LONG, reason="the long form has each of them alone")
async def test_some_causes_at_once_raise_their_alerts_and_are_over(world: World) -> None:
    some = [cause for cause in CAUSES if cause.begin in SHORT]
    await Watch(world).until_quiet()
    watch = Watch(world)
    async with AsyncExitStack() as begun:
        for cause in some:
            await begun.enter_async_context(cause.begin(world))
        await watch.until_raised(frozenset().union(*(cause.raises for cause in some)))
    await watch.until_quiet()
