"""Apache Kafka as the tests run it: it keeps what it acknowledged, through kills and pauses."""

import asyncio

import pytest

from tests.support.kafka import KafkaCluster
from tests.support.topics import new_topic, read, write

BEFORE = {b"%d" % n: b"before" for n in range(1_000)}
DURING = {b"%d" % n: b"during" for n in range(1_000)}


async def test_an_idempotent_producer_writes_once(kafka: KafkaCluster) -> None:
    topic = await new_topic(kafka.bootstrap_servers)
    await write(kafka.bootstrap_servers, topic, BEFORE, idempotent=True)
    assert await read(kafka.bootstrap_servers, topic) == sorted(BEFORE.items())


@pytest.mark.fault
async def test_a_killed_node_comes_back_with_all_it_acknowledged(kafka_jars: None) -> None:
    async with KafkaCluster(nodes=1) as cluster:
        topic = await new_topic(cluster.bootstrap_servers)
        await write(cluster.bootstrap_servers, topic, BEFORE, idempotent=True)
        await cluster.kill(1)
        await cluster.restart(1)
        assert await read(cluster.bootstrap_servers, topic) == sorted(BEFORE.items())


@pytest.mark.fault
async def test_three_nodes_go_on_without_one_of_them(kafka_jars: None) -> None:
    async with KafkaCluster(nodes=3) as cluster:
        servers = cluster.bootstrap_servers
        topic = await new_topic(servers, copies=3)
        await write(servers, topic, BEFORE, idempotent=True)
        await cluster.kill(1)
        await write(servers, topic, DURING, idempotent=True)
        await cluster.restart(1)
        await cluster.kill(2)
        assert await read(servers, topic) == sorted([*BEFORE.items(), *DURING.items()])


@pytest.mark.fault
async def test_a_paused_node_answers_only_after_it_is_resumed(kafka_jars: None) -> None:
    async with KafkaCluster(nodes=1) as cluster:
        servers = cluster.bootstrap_servers
        topic = await new_topic(servers)
        cluster.pause(1)
        writing = asyncio.create_task(write(servers, topic, BEFORE, idempotent=True))
        _, waiting = await asyncio.wait([writing], timeout=1)
        cluster.resume(1)
        await writing
        assert waiting == {writing}
        assert await read(servers, topic) == sorted(BEFORE.items())
