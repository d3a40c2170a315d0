"""What every test with a broker does: make a topic, write to it, read it to its end."""

import uuid
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

Records = Mapping[bytes, bytes]


async def new_topic(bootstrap_servers: str, partitions: int = 4, copies: int = 1) -> str:
    """Make a topic with a name that nobody else has."""
    name = f"test-{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, copies)])
    finally:
        await admin.close()
    return name


async def write(bootstrap_servers: str, topic: str, records: Records, *, idempotent: bool) -> None:
    """Return when every record is acknowledged."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=idempotent
    )
    try:
        await producer.start()
        sent = [await producer.send(topic, value, key) for key, value in records.items()]
        for acknowledgement in sent:
            await acknowledgement
    finally:
        await producer.stop()


async def read(bootstrap_servers: str, topic: str) -> list[tuple[bytes, bytes]]:
    """Read all that a new topic has received, sorted by key and value."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    records = []
    try:
        while not await _read_to_the_end(consumer):
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                records += [(record.key, record.value) for record in batch]
    finally:
        await consumer.stop()
    return sorted(records)


async def _read_to_the_end(consumer: AIOKafkaConsumer) -> bool:
    # Not `end_offsets`: the embedded broker gives a wrong one.
    return all(
        [
            await consumer.position(partition) == consumer.highwater(partition)
            for partition in consumer.assignment()
        ]
    )
