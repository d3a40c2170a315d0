"""Producers, consumers and admin clients, opened and closed. Shell.

The client is closed however the work inside ends, even if the start fails.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from pipeline.kafka.access import access
from pipeline.kafka.producer import KafkaProducer
from pipeline.kafka.unreachable import allowed, unheard
from pipeline.settings import Settings


@asynccontextmanager
async def producer(settings: Settings, *topics: str) -> AsyncIterator[KafkaProducer]:
    """Give a producer for `topics`; NotAcknowledged if no broker answers, or one is missing."""
    client = KafkaProducer(settings)
    try:
        await client.start(topics)
        yield client
    finally:
        await client.stop()


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Give an admin client; KafkaError if no broker answers, Forbidden if it lacks a right."""
    client = AIOKafkaAdminClient(**access(settings))
    try:
        with allowed(settings):
            with unheard():
                await client.start()
            yield client
    finally:
        await client.close()


@asynccontextmanager
async def consumer(
    settings: Settings, *topics: str, fetch_max_wait_ms: int = 0, **options: Any
) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a consumer of our `topics` that commits only explicitly, with options of aiokafka.

    Its records and partitions have the names that the topics have at this Kafka.
    KafkaError if no broker answers, Forbidden if the login may not read.
    """
    client = AIOKafkaConsumer(
        *map(settings.topic, topics),
        **access(settings),
        client_rack=settings.kafka_rack or None,
        enable_auto_commit=False,
        fetch_max_wait_ms=fetch_max_wait_ms or settings.kafka_fetch_wait_ms,
        **options,
    )
    try:
        with allowed(settings):
            with unheard():
                await client.start()
            yield client
    finally:
        await client.stop()
