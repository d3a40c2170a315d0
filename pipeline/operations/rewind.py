"""Reads a topic again from an earlier offset. Shell: moves group offsets, decides nothing.

`touchpoints.raw` is read again by the tracker, from its beginning and with empty memory: the rows
it writes are the same, with the same ids, and what it wrote and is not true is taken back. The
other topics are read again by the sink. Neither changes a value in ClickHouse that was right; both
restore what is missing there.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import KafkaConnectionError, KafkaError

from pipeline.kafka import clients
from pipeline.kafka.lag import ends_of
from pipeline.kafka.producer import NotAcknowledged
from pipeline.kafka.records import Record
from pipeline.kafka.topics import partitions_of, read_topic
from pipeline.kafka.unreachable import why_not
from pipeline.operations.outdated import TakenBack, take_back
from pipeline.settings import Settings
from pipeline.tracker.changelog import fresh_meta
from pipeline.tracker.partition import ERASED, META_KEY
from schemas.errors import TouchstreamError, Unusable
from schemas.times import milliseconds
from schemas.topics import RAW, STATE, TABLES

_LEAVING_SECONDS = 15
"""Longer than a group waits for a member that says nothing."""

Memory = dict[int, dict[bytes, bytes | None]]
"""Entries of the changelog, by partition and key; None deletes an entry."""


class NobodyReads(Unusable):
    """No role reads this topic; the text names those that are read."""


class ReplayFailed(TouchstreamError):
    """The topic cannot be read again now; the text says what to do."""


class Rewound(NamedTuple):
    """How many records will be read again, and what of the tracker's facts was taken back."""

    records: int
    taken_back: TakenBack


async def rewind(settings: Settings, topic: str, since: datetime | None) -> Rewound:
    """Make `topic` be read again, from `since` or from its beginning.

    Raises:
        NobodyReads: no role reads this topic.
        ReplayFailed: its reader is running, or Kafka refuses.
    """
    taken_back = TakenBack(0)
    if topic == RAW.name and since is not None:
        raise ReplayFailed(
            f"{topic} can only be read again from its beginning, because sessions need all "
            "their touchpoints"
        )
    if topic != RAW.name and topic not in TABLES:
        raise NobodyReads(f"nobody reads {topic}: choose one of {RAW.name}, {', '.join(TABLES)}")
    group = settings.tracker_group if topic == RAW.name else settings.sink_group
    try:
        await _refuse_running(settings, group)
        if topic == RAW.name:
            begins, taken_back = await _forget(settings), await take_back(settings)
        records, ends = await _move(settings, group, topic, since)
        if topic == RAW.name:
            await _begin_anew(settings, ends, begins)
    except KafkaConnectionError as error:
        raise NotAcknowledged(why_not(settings, error)) from error
    except KafkaError as error:
        raise ReplayFailed(why_not(settings, error)) from error
    return Rewound(records, taken_back)


async def _refuse_running(settings: Settings, group: str) -> None:
    """Wait until nobody reads; whoever was killed counts as a reader for some seconds."""
    async with clients.admin(settings) as admin:
        for _ in range(_LEAVING_SECONDS):
            [answer] = await admin.describe_consumer_groups([group])
            [(_code, _group, state, *_rest)] = answer.groups
            if state in ("Empty", "Dead"):
                return
            await asyncio.sleep(1)
    raise ReplayFailed(f"the group {group} is running ({state}): stop its processes first")


async def _move(
    settings: Settings, group: str, topic: str, since: datetime | None
) -> tuple[int, list[int]]:
    async with clients.consumer(settings, group_id=group) as consumer:
        partitions = partitions_of(settings, topic)
        consumer.assign(partitions)
        ends = await ends_of(settings, partitions)
        starts = dict(await consumer.beginning_offsets(partitions))
        if since is not None:
            at = milliseconds(since)
            found = await consumer.offsets_for_times(dict.fromkeys(partitions, at))
            starts = {tp: place.offset if place else ends[tp] for tp, place in found.items()}
        await consumer.commit(starts)
    return sum(ends[tp] - starts[tp] for tp in partitions), [ends[tp] for tp in partitions]


async def _forget(settings: Settings) -> list[int]:
    """Empty the tracker's memory but for the erased names, so that nothing is written about them;
    give where each partition of it begins from now on.

    It comes first: a tracker that finds the log read and no memory of it refuses to go on, so who
    is interrupted here runs it again. Every entry is overwritten, because the embedded broker
    cannot delete; what was there before is deleted where that is possible, because another version
    may have written it.
    """
    ends = await ends_of(settings, partitions_of(settings, STATE.name))
    async with clients.producer(settings, STATE.name) as producer:
        for number, entries in (await _remainder(settings)).items():
            await producer.send(STATE.name, number, _rows(entries))
    async with clients.admin(settings) as admin:
        with suppress(KafkaConnectionError):  # the embedded broker hangs up
            await admin.delete_records(
                {place: RecordsToDelete(before_offset=end) for place, end in ends.items()}
            )
    return list(ends.values())


async def _remainder(settings: Settings) -> Memory:
    """Give what is to be left of each entry: the newest of an erased name, nothing of others."""
    found: Memory = {}
    async for record in read_topic(settings, STATE.name):
        is_kept = record.key.startswith(ERASED)
        found.setdefault(record.partition, {})[record.key] = record.value if is_kept else None
    return found


async def _begin_anew(settings: Settings, ends: list[int], begins: list[int]) -> None:
    """Void the messages between partitions: reading the log again, they send them again."""
    async with clients.producer(settings, STATE.name) as producer:
        for number, (end, first) in enumerate(zip(ends, begins, strict=True)):
            await producer.send(STATE.name, number, _rows({META_KEY: fresh_meta(end, first)}))


def _rows(entries: dict[bytes, bytes | None]) -> list[Record]:
    now = milliseconds(datetime.now(UTC))
    return [Record(key, value, now) for key, value in entries.items()]
