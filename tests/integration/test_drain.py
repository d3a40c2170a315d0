"""`touchstream drain` as processes, on a real Kafka."""

import asyncio
import json
from collections import defaultdict
from contextlib import AbstractAsyncContextManager

from aiokafka import AIOKafkaConsumer

from pipeline.kafka.producer import KafkaProducer
from pipeline.kafka.records import Record, partition_for
from pipeline.kafka.topics import create_topics
from pipeline.settings import Settings
from schemas.codec import encode
from schemas.topics import OVERFLOW, RAW
from tests.support.kafka import KafkaCluster
from tests.support.roles import running

SITES = [f"shop-{number}" for number in range(8)]
EACH = 150
RATE = 100
"""A second and partition: all of them take some seconds."""


def drain(kafka: KafkaCluster) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    servers = kafka.bootstrap_servers
    return running(
        "drain",
        Settings(kafka_bootstrap_servers=servers, drain_rate=RATE, drain_metrics_port=0),
    )


async def fill(settings: Settings) -> set[str]:
    """Write touchpoints of all sites into the lane; give their ids."""
    producer = KafkaProducer(settings)
    await producer.start([OVERFLOW.name])
    batches: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for site in SITES:
        place = OVERFLOW.name, partition_for(site.encode(), settings.kafka_partitions)
        for number in range(EACH):
            said = {"site": site, "touchpoint_id": f"{site}-{number}", "anonymous_id": f"a{number}"}
            batches[place].append(Record(site.encode(), encode(said), 1_767_225_600_000))
    await producer.send_all(batches)
    await producer.stop()
    return {f"{site}-{number}" for site in SITES for number in range(EACH)}


async def test_what_a_killed_worker_leaves_another_one_brings_back(kafka_jars: None) -> None:
    async with KafkaCluster() as kafka:
        settings = Settings(kafka_bootstrap_servers=kafka.bootstrap_servers)
        await create_topics(settings)
        wanted = await fill(settings)
        consumer = AIOKafkaConsumer(
            RAW.name, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        back: set[str] = set()

        async def until(count: int) -> None:
            async with asyncio.timeout(60):
                while len(back) < count:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        back.update(json.loads(record.value)["touchpoint_id"] for record in records)

        async with drain(kafka) as killed:
            await until(len(wanted) // 10)
            killed.kill()
            await killed.wait()
        assert len(back) < len(wanted)
        async with drain(kafka) as stopped:
            await until(len(wanted))
            stopped.terminate()
            assert 0 == await asyncio.wait_for(stopped.wait(), 10)
        await consumer.stop()
        assert wanted == back
