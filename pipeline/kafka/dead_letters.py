"""Dead letters into Kafka. Shell."""

import asyncio
import logging

from aiokafka.errors import KafkaError

from pipeline.kafka.producer import KafkaProducer, NotAcknowledged
from pipeline.kafka.records import partition_for
from schemas.codec import encode_fact
from schemas.dead_letter import DeadLetter
from schemas.times import milliseconds
from schemas.topics import DEAD_LETTERS

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0


class DeadLetters:
    """Writes dead letters, and retries for ever."""

    def __init__(self, producer: KafkaProducer) -> None:
        self._producer = producer

    async def put(self, letter: DeadLetter) -> None:
        """Append `letter`; return when it is acknowledged."""
        key = letter.site.encode()
        partition = partition_for(key, self._producer.partitions(DEAD_LETTERS.name))
        row = (key, encode_fact(letter), milliseconds(letter.at))
        while True:
            try:
                return await self._producer.send(DEAD_LETTERS.name, partition, [row])
            except (NotAcknowledged, KafkaError) as error:
                log.warning(
                    "a dead letter waits for Kafka: %s", error, extra={"event": "dead_letter_waits"}
                )
                await asyncio.sleep(_PAUSE_SECONDS)
