"""The faults, by name. Each is done to a line under load, and mended."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import Random

from aiokafka.admin import NewPartitions
from aiokafka.admin.records_to_delete import RecordsToDelete

from pipeline.kafka import clients
from pipeline.kafka.lag import ends
from pipeline.operations.rewind import rewind
from schemas.topics import RAW, STATE
from tests.faults.stage import Stage

Fault = Callable[[Stage, float], Awaitable[None]]
"""Does something for about so many seconds."""

_EX_SOFTWARE = 70
_SESSION_SECONDS = 12
"""Longer than a member of a group may be silent."""
_JUNK = (b"", b"not json", b'{"touchpoint_id": 7}', b'{"tick": "never"}', b"\xff\xfe", b"[1, 2]")


def _killed(*roles: str) -> Fault:
    async def fault(stage: Stage, seconds: float) -> None:
        for _ in range(3):
            await asyncio.sleep(seconds / 3)
            await stage.again(*roles)

    return fault


async def _asked_to_end(stage: Stage, seconds: float) -> None:
    for role in ("collect", "track", "sink"):
        await asyncio.sleep(seconds / 3)
        await stage.line.terminate(role)
        await stage.line.start(role)


def _held(role: str) -> Fault:
    """It sleeps until its group has given its partitions to another, and wakes up as a zombie."""

    async def fault(stage: Stage, seconds: float) -> None:
        await stage.until_alive()  # before it has joined its group, it has nothing to lose
        await stage.line.start(role, "second")
        await asyncio.sleep(seconds / 2)
        with stage.line.held(role):
            await asyncio.sleep(_SESSION_SECONDS)
        if role == "track":  # it notices, and ends
            assert await stage.line.ended(role) == _EX_SOFTWARE
        await asyncio.sleep(seconds / 2)

    return fault


async def _rebalances(stage: Stage, seconds: float) -> None:
    for number in range(4):
        await stage.line.start("track", f"more-{number}")
        await asyncio.sleep(seconds / 4)
        await stage.line.terminate(f"more-{number}")


async def _broker_killed(stage: Stage, seconds: float) -> None:
    await asyncio.sleep(seconds / 3)
    await stage.cluster.kill(1)
    await asyncio.sleep(seconds / 3)
    await stage.cluster.restart(1)


async def _broker_silent(stage: Stage, seconds: float) -> None:
    await asyncio.sleep(seconds / 3)
    stage.cluster.pause(1)
    await asyncio.sleep(seconds / 3)
    stage.cluster.resume(1)


async def _rolling_restart(stage: Stage, seconds: float) -> None:
    for node in (1, 2, 3):
        await stage.cluster.kill(node)
        await asyncio.sleep(seconds / 3)
        await stage.cluster.restart(node)


async def _engine_away(stage: Stage, seconds: float) -> None:
    await asyncio.sleep(seconds / 3)
    await stage.engine.stop()
    await asyncio.sleep(seconds)
    await stage.engine.start()


async def _engine_killed(stage: Stage, seconds: float) -> None:
    for _ in range(3):
        await asyncio.sleep(seconds / 3)
        await stage.engine.kill()
        await stage.engine.start()


async def _engine_silent(stage: Stage, seconds: float) -> None:
    await asyncio.sleep(seconds / 3)
    stage.engine.signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    stage.engine.signal(signal.SIGCONT)


async def _poison(stage: Stage, seconds: float) -> None:
    """Somebody writes junk into the log itself, one record in a hundred."""
    random = Random(stage.sender.seed)  # noqa: S311 - not for secrets
    for _ in range(10):
        await stage.line.send([_junk(random, stage) for _ in range(10)])
        await asyncio.sleep(seconds / 10)


async def _nothing_but_poison(stage: Stage, seconds: float) -> None:
    """The tracker ends instead of diverting it all; then it is told to."""
    random = Random(stage.sender.seed)  # noqa: S311 - not for secrets
    await asyncio.sleep(seconds / 2)
    await stage.line.send([_junk(random, stage) for _ in range(20_000)])
    assert await stage.line.ended("track") != 0
    limits = ("TOUCHSTREAM_DEAD_LETTERS_RUN", "TOUCHSTREAM_DEAD_LETTERS_SHARE")
    stage.line.environment |= dict.fromkeys(limits, "0")
    await stage.line.start("track")


async def _partitions_added(stage: Stage, seconds: float) -> None:
    """Somebody gives a live topic more partitions, and every role is started again."""
    settings = stage.line.settings
    await asyncio.sleep(seconds / 2)
    async with clients.admin(settings) as admin:
        more = NewPartitions(settings.kafka_partitions + 3)
        await admin.create_partitions({settings.topic(RAW.name): more})
    await asyncio.sleep(seconds / 2)
    await stage.again("collect", "track")


def _memory_cut(share: float, said: str) -> Fault:
    """A share of the changelog is deleted; the tracker refuses it until it is made anew."""

    async def fault(stage: Stage, seconds: float) -> None:
        line = stage.line
        await stage.until_alive()
        await asyncio.sleep(seconds / 2)
        await line.kill("track")
        found = await ends(line.settings, [STATE.name])
        places = {each: RecordsToDelete(int(end * share)) for each, end in found.items()}
        async with clients.admin(line.settings) as admin:
            await admin.delete_records(places)
        await line.start("track")
        assert await line.ended("track") == _EX_SOFTWARE
        assert said in line.log("track")
        await rewind(line.settings, RAW.name, None)
        await line.start("track")

    return fault


async def _clocks_wrong(stage: Stage, seconds: float) -> None:
    """Devices are a day behind and a day ahead, and one believes that it is the year 2100."""
    now = datetime.now(UTC)
    clocks = (now - timedelta(days=1), now + timedelta(days=1), now.replace(year=2100, day=1))
    for number in range(30):
        await stage.sender.send_at(f"clock-{number}", clocks[number % len(clocks)])
        await asyncio.sleep(seconds / 30)


async def _upgraded(stage: Stage, seconds: float) -> None:
    """Every role is replaced, one process at a time, as docs/operations.md says."""
    for role in ("sink", "track", "collect"):
        await asyncio.sleep(seconds / 3)
        if role == "collect":  # it has the port
            await stage.line.terminate(role)
            await stage.line.start(role)
        else:
            await stage.line.start(role, f"new-{role}")
            await stage.line.terminate(role)


def _junk(random: Random, stage: Stage) -> tuple[bytes | None, int, bytes, int]:
    partition = random.randrange(stage.line.settings.kafka_partitions)
    return b"shop:junk", partition, random.choice(_JUNK), 0


ONE_NODE: dict[str, Fault] = {
    "all killed": _killed("collect", "track", "sink"),
    "collector killed": _killed("collect"),
    "tracker killed": _killed("track"),
    "sink killed": _killed("sink"),
    "asked to end": _asked_to_end,
    "tracker a zombie": _held("track"),
    "sink a zombie": _held("sink"),
    "workers come and go": _rebalances,
    "broker killed": _broker_killed,
    "broker silent": _broker_silent,
    "ClickHouse away": _engine_away,
    "ClickHouse killed": _engine_killed,
    "ClickHouse silent": _engine_silent,
    "poison": _poison,
    "nothing but poison": _nothing_but_poison,
    "memory cut at its front": _memory_cut(0.5, "the oldest part of the tracker's memory is gone"),
    "memory deleted": _memory_cut(1, "memory of it is gone"),
    "partitions added": _partitions_added,
    "clocks wrong": _clocks_wrong,
    "rolling upgrade": _upgraded,
}
THREE_NODES: dict[str, Fault] = {
    "leader lost": _broker_killed,
    "rolling restart": _rolling_restart,
}
