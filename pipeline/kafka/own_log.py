"""Whether the tables were written from this log, or from one that is gone. Shell.

The first sink of a log makes up an id. It stands in ClickHouse, and in Kafka as the metadata of the
offsets that the sinks commit. A lost log, or another one, does not have it.
"""

import asyncio
from contextlib import suppress

from aiokafka import TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    IllegalGenerationError,
    NotCoordinatorForGroupError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata
from clickhouse_connect.driver.client import Client

from pipeline.kafka import clients
from pipeline.kafka.lag import held
from pipeline.kafka.topics import partitions_of
from pipeline.settings import Settings
from schemas.topics import TABLES
from sinks import another_log

_NOT_YET = (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)
"""What a Kafka answers that has just started."""
_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.5


async def is_of_another_log(settings: Settings, client: Client) -> bool:
    """Tell whether the tables hold facts that were written from another log.

    Offsets without an id are those of `touchstream replay`: whoever ran it knows that it is this
    log. KafkaError or TimeoutError if no broker answers.
    """
    if not await asyncio.to_thread(another_log.holds_facts, client):
        return False
    ids = {found.metadata for found in (await _offsets(settings)).values() if found.offset >= 0}
    return not ids or not ids <= {"", await asyncio.to_thread(another_log.log_of, client)}


async def claim(settings: Settings, client: Client) -> str:
    """Give the id of the log, which is to stand with each offset that is committed.

    While there are no facts it is put there at once: a sink that is killed between its first rows
    and its first commit knows its log again.
    """
    log_id = await asyncio.to_thread(another_log.noted_log, client)
    if await asyncio.to_thread(another_log.holds_facts, client):
        return log_id
    async with clients.consumer(settings, group_id=settings.sink_group) as consumer:
        offsets = await _offsets(settings)
        consumer.assign([*offsets])
        first = await consumer.beginning_offsets([*offsets])
        marked = {
            place: OffsetAndMetadata(max(found.offset, first[place]), log_id)
            for place, found in offsets.items()
        }
        # Where that is refused, another sink was quicker.
        with suppress(CommitFailedError, IllegalGenerationError, UnknownMemberIdError):
            await consumer.commit(marked)
    return log_id


async def _offsets(settings: Settings) -> dict[TopicPartition, OffsetAndMetadata]:
    places = partitions_of(settings, *TABLES)
    async with clients.admin(settings) as admin, asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            try:
                return await held(admin, settings.sink_group, places)
            except _NOT_YET:
                await asyncio.sleep(_PAUSE_SECONDS)
