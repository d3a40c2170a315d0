"""How much of its disk a broker has left: asked of Apache Kafka, and of one that does not tell."""

import shutil
import tempfile

import pytest

from pipeline.kafka.disks import free_disk
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.settings import Settings
from tests.support.kafka import KafkaCluster
from tests.support.ports import free_ports


async def test_kafka_tells_of_each_broker_what_the_file_system_says(kafka: KafkaCluster) -> None:
    total, _, free = shutil.disk_usage(tempfile.gettempdir())
    told = await free_disk(Settings(kafka_bootstrap_servers=kafka.bootstrap_servers))
    assert told == {1: pytest.approx(free / total, abs=0.05)}


async def test_of_a_broker_that_does_not_tell_nothing_is_known() -> None:
    [port] = free_ports(1)
    async with EmbeddedBroker(port):
        assert await free_disk(Settings(kafka_bootstrap_servers=f"127.0.0.1:{port}")) == {}
