"""How far consumer groups are behind. Shell: asks Kafka, which knows best."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from pipeline.settings import Settings

Positions = dict[TopicPartition, int]


async def ends(settings: Settings, topics: Iterable[str]) -> Positions:
    """Give the end of every partition of `topics`; KafkaError if no broker answers."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await consumer.start()
    try:
        places = [
            TopicPartition(topic, partition)
            for topic in topics
            for partition in range(settings.kafka_partitions)
        ]
        positions: Positions = await consumer.end_offsets(places)
    finally:
        await consumer.stop()
    return positions


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
