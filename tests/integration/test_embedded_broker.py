"""The embedded broker: what it does, what it says when it cannot, and the limits we rely on."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from pipeline.kafka import clients
from pipeline.local.embedded import EmbeddedError
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from tests.support.ports import free_ports
from tests.support.topics import new_topic, read, write

RECORDS = {b"%d" % n: b'{"n": %d}' % n for n in range(1_000)}


async def test_what_is_written_is_read(embedded_broker: EmbeddedBroker) -> None:
    servers = embedded_broker.bootstrap_servers
    topic = await new_topic(servers)
    await write(servers, topic, RECORDS, idempotent=False)
    assert await read(servers, topic) == sorted(RECORDS.items())


async def test_a_group_goes_on_where_it_committed(embedded_broker: EmbeddedBroker) -> None:
    servers = embedded_broker.bootstrap_servers
    topic = await new_topic(servers, partitions=1)
    await write(servers, topic, {b"a": b"1", b"b": b"2"}, idempotent=False)
    assert [await next_of_group(servers, topic), await next_of_group(servers, topic)] == [
        b"1",
        b"2",
    ]


async def test_partitions_that_were_added_to_a_topic_are_not_used(
    embedded_broker: EmbeddedBroker,
) -> None:
    servers = embedded_broker.bootstrap_servers
    topic = await new_topic(servers, partitions=6)
    known = Settings(kafka_bootstrap_servers=servers, kafka_idempotence=False, kafka_partitions=4)
    async with clients.producer(known, topic) as producer:
        assert producer.partitions(topic) == 4


async def next_of_group(servers: str, topic: str) -> bytes:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        group_id=topic,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        value: bytes = (await consumer.getone()).value
        await consumer.commit()
    finally:
        await consumer.stop()
    return value


async def test_an_idempotent_producer_cannot_start(embedded_broker: EmbeddedBroker) -> None:
    servers = embedded_broker.bootstrap_servers
    with pytest.raises(KafkaError):
        await write(servers, await new_topic(servers), RECORDS, idempotent=True)


async def test_the_end_offset_is_short_of_the_last_batch_but_the_high_watermark_is_right(
    embedded_broker: EmbeddedBroker,
) -> None:
    servers = embedded_broker.bootstrap_servers
    topic = await new_topic(servers, partitions=1)
    await write(servers, topic, RECORDS, idempotent=False)
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=servers, auto_offset_reset="earliest"
    ) as consumer:
        await consumer.getone()
        (partition,) = consumer.assignment()
        assert consumer.highwater(partition) == len(RECORDS)
        assert 0 < (await consumer.end_offsets([partition]))[partition] < len(RECORDS)


async def test_a_stop_forgets_everything() -> None:
    broker = EmbeddedBroker(free_ports(1)[0])
    async with broker:
        await new_topic(broker.bootstrap_servers)
        assert len(await topics(broker)) == 1
    async with broker:
        assert await topics(broker) == []


async def topics(broker: EmbeddedBroker) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        names: list[str] = await admin.list_topics()
    finally:
        await admin.close()
    return names


async def test_a_second_stop_does_nothing() -> None:
    broker = EmbeddedBroker(free_ports(1)[0])
    await broker.start()
    await broker.stop()
    await broker.stop()
    host, port = broker.bootstrap_servers.split(":")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, int(port))


async def test_a_taken_port_is_said_to_be_taken(embedded_broker: EmbeddedBroker) -> None:
    port = int(embedded_broker.bootstrap_servers.partition(":")[2])
    with pytest.raises(EmbeddedError, match=f"cannot listen on 127.0.0.1:{port}"):
        await EmbeddedBroker(port).start()


async def test_a_platform_without_a_binary_is_sent_to_apache_kafka(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", str(tmp_path / "missing"))
    with pytest.raises(EmbeddedError, match=r"no binary for this platform.*use Apache Kafka"):
        await EmbeddedBroker(free_ports(1)[0]).start()


async def test_a_broker_that_ends_at_once_leaves_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dying = tmp_path / "dying"
    dying.write_text("#!/bin/sh\necho no room left\nexit 1\n")
    dying.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(dying))
    with pytest.raises(EmbeddedError, match=r"did not start .*: no room left"):
        await EmbeddedBroker(free_ports(1)[0]).start()
