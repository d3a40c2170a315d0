"""Facts from Kafka to one endpoint: deliver, then commit. Shell: order and offsets.

A round takes the records that have arrived and keeps the newest version of each fact. It delivers
the messages of one person one after the other, and those of different people in parallel. It
commits the offsets only when every message of the round is delivered, or stored as a dead letter:
after a crash some messages are delivered twice, and none is lost.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from pipeline.metrics import WEBHOOK_BURIED, WEBHOOK_DELIVERED
from pipeline.roles.webhook.courier import Courier, Undeliverable
from pipeline.roles.webhook.message import (
    Message,
    Wishes,
    message_of,
    newest,
)
from schemas.codec import Refused
from schemas.dead_letter import DeadLetter, Reason, dead_letter
from schemas.refusals import site_in
from schemas.times import instant

_log = logging.getLogger(__name__)

_MOST_RECORDS = 500
_SIDE_BY_SIDE = 16

Bury = Callable[[DeadLetter], Awaitable[None]]


class _Origin(NamedTuple):
    source: str
    offset: int
    value: bytes
    at: datetime


class Deliveries:
    """Moves facts from `consumer` to the endpoint of `courier` until it is cancelled.

    At this Kafka, the names of its topics begin with `prefix`.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        courier: Courier,
        bury: Bury,
        wishes: Wishes,
        prefix: str = "",
    ) -> None:
        self._prefix = prefix
        self._consumer = consumer
        self._wishes = wishes
        self._courier = courier
        self._bury = bury
        self._hands = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def run(self) -> None:
        """Run until cancelled; messages on their way at that point will be delivered again."""
        while True:
            await self.round(timeout_ms=500)

    async def round(self, timeout_ms: int = 0) -> None:
        """Deliver the records that have arrived, and commit them."""
        fetched = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=_MOST_RECORDS)
        origins: dict[Message, _Origin] = {}
        for tp, records in fetched.items():
            for record in records:
                await self._read(tp, record, origins)
        lanes: dict[str, list[Message]] = defaultdict(list)
        for message in newest(list(origins)):
            lanes[message.person].append(message)
        async with asyncio.TaskGroup() as group:
            for lane in lanes.values():
                group.create_task(self._walk(lane, origins))
        await self._commit({tp: records[-1].offset + 1 for tp, records in fetched.items()})

    async def _read(self, tp: TopicPartition, record: Any, origins: dict[Message, _Origin]) -> None:
        at, topic = instant(record.timestamp), tp.topic.removeprefix(self._prefix)
        for line in (record.value or b"").splitlines():
            origin = _Origin(f"{topic}-{tp.partition}", record.offset, line, at)
            try:
                message = message_of(topic, line, self._wishes)
            except Refused as why:
                await self._give_up(origin, why.reason, why.detail)
            else:
                if message is not None:
                    origins[message] = origin

    async def _walk(self, lane: list[Message], origins: dict[Message, _Origin]) -> None:
        for message in lane:
            async with self._hands:
                try:
                    await self._courier.deliver(message)
                    WEBHOOK_DELIVERED.labels(self._courier.name).inc()
                except Undeliverable as why:
                    await self._give_up(origins[message], Reason.NOT_DELIVERED, str(why))

    async def _give_up(self, origin: _Origin, reason: Reason, why: str) -> None:
        name = self._courier.name
        WEBHOOK_BURIED.labels(name).inc()
        _log.warning(
            "%s: the fact at %s:%d: %s",
            name,
            origin.source,
            origin.offset,
            why,
            extra={"event": "fact_given_up"},
        )
        await self._bury(
            dead_letter(
                origin.value,
                site=site_in(origin.value),
                stage="webhook",
                reason=reason,
                detail=f"{name}: {why}",
                source=origin.source,
                position=origin.offset,
                at=origin.at,
            )
        )

    async def _commit(self, offsets: dict[TopicPartition, int]) -> None:
        mine = {tp: at for tp, at in offsets.items() if tp in self._consumer.assignment()}
        try:
            if mine:
                await self._consumer.commit(mine)
        except (CommitFailedError, IllegalStateError):
            _log.info(
                "partitions moved before the commit; their facts will be delivered again",
                extra={"event": "partitions_moved"},
            )
        except KafkaError as error:
            _log.warning(
                "the commit was not taken, the next one will do: %s",
                error,
                extra={"event": "commit_refused"},
            )
