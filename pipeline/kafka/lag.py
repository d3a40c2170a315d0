"""How far consumer groups are behind. Shell: asks Kafka, which knows best."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from pipeline.settings import Settings

Positions = dict[TopicPartition, int]


async def ends(settings: Settings, topics: Iterable[str]) -> Positions:
    """Give the end of every partition of `topics`; KafkaError if no broker answers.

    The ends are what a fetch tells: asked for them, the embedded broker names some too low.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await consumer.start()
    try:
        places = [
            TopicPartition(topic, partition)
            for topic in topics
            for partition in range(settings.kafka_partitions)
        ]
        consumer.assign(places)
        for place, offset in (await consumer.end_offsets(places)).items():
            consumer.seek(place, offset)
        while any(consumer.highwater(place) is None for place in places):
            await consumer.getmany(*places, timeout_ms=100)
        return {place: consumer.highwater(place) for place in places}
    finally:
        await consumer.stop()


async def until_committed(settings: Settings, group: str, positions: Positions) -> None:
    """Wait until `group` has committed `positions`; KafkaError if no broker answers."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        while True:
            committed = await admin.list_consumer_group_offsets(group, partitions=list(positions))
            if all(committed[place].offset >= end for place, end in positions.items() if end):
                return
            await asyncio.sleep(0.1)
    finally:
        await admin.close()
