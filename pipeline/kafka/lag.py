"""How far consumer groups are behind. Shell: asks Kafka."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupLoadInProgressError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from pipeline.kafka import clients
from pipeline.kafka.topics import partitions_of
from pipeline.settings import Settings
from schemas.errors import Unavailable
from schemas.times import instant
from schemas.topics import RAW, TABLES

Positions = dict[TopicPartition, int]

_PATIENCE_SECONDS = 30.0
_READS = 5


async def ends(settings: Settings, topics: Iterable[str]) -> Positions:
    """Give the end of every partition of `topics`; KafkaError if no broker answers.

    The ends come from a fetch: asked directly, the embedded broker reports some too low.
    """
    return await ends_of(settings, partitions_of(settings, *topics))


async def ends_of(settings: Settings, places: Sequence[TopicPartition]) -> Positions:
    """Give the ends of these partitions, as `ends` does."""
    async with clients.consumer(settings) as consumer:
        consumer.assign(places)
        for place, offset in (await consumer.end_offsets(places)).items():
            consumer.seek(place, offset)
        while any(consumer.highwater(place) is None for place in places):
            await consumer.getmany(*places, timeout_ms=100)
        return {place: consumer.highwater(place) for place in places}


async def committed(settings: Settings, group: str, places: Iterable[TopicPartition]) -> Positions:
    """Give how far `group` has committed, 0 where it has not; KafkaError if no broker answers.

    It names the partitions: asked for all of them, the embedded broker does not answer.
    """
    async with clients.admin(settings) as admin:
        return await _committed(admin, group, places)


async def _committed(
    admin: AIOKafkaAdminClient, group: str, places: Iterable[TopicPartition]
) -> Positions:
    found = await held(admin, group, [*places])
    return {place: max(0, one.offset) for place, one in found.items()}


async def held(
    admin: AIOKafkaAdminClient, group: str, places: list[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    """Give what `group` has committed, with -1 where it has not; KafkaError if nobody answers."""
    found = await admin.list_consumer_group_offsets(group, partitions=places)
    if len(found) < len(places):  # aiokafka's admin client says nothing of the error
        raise GroupLoadInProgressError(f"the coordinator of {group} does not answer yet")
    return dict(found)


async def until_committed(settings: Settings, group: str, positions: Positions) -> None:
    """Wait until `group` has committed `positions`; KafkaError if no broker answers."""
    async for left in left_to_commit(settings, group, positions):
        if not left:
            return
        await asyncio.sleep(0.1)


async def is_all_read(settings: Settings, patience_seconds: float) -> bool:
    """Wait until tracker and sink have read the log up to now; False if they do not in time.

    KafkaError if no broker answers.
    """
    try:
        async with asyncio.timeout(patience_seconds):
            of_log = await ends(settings, [RAW.name])
            await until_committed(settings, settings.tracker_group, of_log)
            await until_committed(settings, settings.sink_group, await ends(settings, TABLES))
    except TimeoutError:
        return False
    return True


async def still_waiting(settings: Settings, patience_seconds: float) -> tuple[int, int] | None:
    """Count the records that the tracker, and then the sink, still have to read.

    None if Kafka does not say so in time, or not to this login.
    """
    try:
        async with asyncio.timeout(patience_seconds):
            return (
                await _left(settings, settings.tracker_group, [RAW.name]),
                await _left(settings, settings.sink_group, TABLES),
            )
    except (KafkaError, TimeoutError, Unavailable):
        return None


async def _left(settings: Settings, group: str, topics: Iterable[str]) -> int:
    positions = await ends(settings, topics)
    return _behind(await committed(settings, group, positions), positions)


def _behind(read_to: Positions, positions: Positions) -> int:
    return sum(max(0, end - read_to[place]) for place, end in positions.items())


async def left_to_commit(
    settings: Settings, group: str, positions: Positions
) -> AsyncIterator[int]:
    """Give, at each call, how many records before `positions` `group` still has to read."""
    async with clients.admin(settings) as admin:
        while True:
            yield _behind(await _committed(admin, group, positions), positions)


async def committed_until(
    settings: Settings, group: str, topics: Iterable[str], now: datetime
) -> datetime:
    """Give the time before which `group` has committed all of `topics`: `now` if nothing waits.

    It is the timestamp of the oldest waiting record. KafkaError if no broker answers.
    """
    positions = await ends(settings, topics)
    read_to = await committed(settings, group, positions)
    waiting = {place: offset for place, offset in read_to.items() if offset < positions[place]}
    return min([now, *await _times_of(settings, waiting)])


async def newest(settings: Settings, topics: Iterable[str]) -> datetime | None:
    """Give the latest time among the last records of the partitions of `topics`.

    None if there are none, or none that is read within some seconds. KafkaError if no broker
    answers.
    """
    last = {place: end - 1 for place, end in (await ends(settings, topics)).items() if end}
    if not last:
        return None
    found: dict[TopicPartition, datetime] = {}
    async with clients.consumer(settings, auto_offset_reset="latest") as consumer:
        consumer.assign(list(last))
        for place, offset in last.items():
            consumer.seek(place, offset)
        for _ in range(_READS):
            missing = [place for place in last if place not in found]
            for place, records in (await consumer.getmany(*missing, timeout_ms=200)).items():
                found[place] = instant(records[-1].timestamp)
            if len(found) == len(last):
                break
    return max(found.values(), default=None)


async def _times_of(settings: Settings, positions: Positions) -> list[datetime]:
    """Give the timestamps of the first records at, or after, these positions."""
    if not positions:
        return []
    async with clients.consumer(settings, auto_offset_reset="earliest") as consumer:
        consumer.assign(list(positions))
        for place, offset in positions.items():
            consumer.seek(place, offset)
        found: dict[TopicPartition, datetime] = {}
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(found) < len(positions):
                missing = [place for place in positions if place not in found]
                for place, records in (await consumer.getmany(*missing, timeout_ms=200)).items():
                    found[place] = instant(records[0].timestamp)
        return list(found.values())


async def partition_states(settings: Settings, topics: Iterable[str]) -> dict[str, int]:
    """Count the partitions of `topics` by state: well, under_replicated, without_leader."""
    async with clients.admin(settings) as admin:
        described = await admin.describe_topics([*map(settings.topic, topics)])
    states = {"well": 0, "under_replicated": 0, "without_leader": 0}
    for topic in described:
        for partition in topic["partitions"]:
            states[_state_of(partition)] += 1
    return states


def _state_of(partition: dict[str, Any]) -> str:
    if partition["leader"] < 0:
        return "without_leader"
    return "well" if len(partition["isr"]) >= len(partition["replicas"]) else "under_replicated"
