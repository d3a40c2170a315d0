"""`touchstream oracle` and `verify`: they say what they compared, and fail on nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner, Result
from clickhouse_connect.driver.client import Client

from pipeline.cli import main
from pipeline.kafka.topics import create_topics
from pipeline.local.embedded.broker import EmbeddedBroker
from pipeline.operations.oracle import expected_tables
from pipeline.settings import Settings
from pipeline.tracker.rules import rules_of
from schemas.topics import RAW
from tests.support.database import insert_json, migrated_database
from tests.support.engine import EngineServer
from tests.support.journeys import HOUR, NOON
from tests.support.ports import free_ports
from tests.support.tracker import Log, tick, touchpoint

KEY = b"shop:ada"
STORY = (
    touchpoint("a", NOON, name="Product Added", properties={"product_id": "p", "price": 9}),
    touchpoint("b", NOON + 1, name="Cart Viewed"),
    tick(NOON + HOUR),
)


@pytest.fixture
def client(engine: EngineServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with migrated_database(engine) as client:
        monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_URL", f"http://{engine.host}:{engine.port}")
        monkeypatch.setenv("TOUCHSTREAM_CLICKHOUSE_DATABASE", str(client.database))
        yield client


@pytest_asyncio.fixture
async def servers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Give the address of an empty broker that has the topics, of one partition each."""
    async with EmbeddedBroker(free_ports(1)[0]) as broker:
        monkeypatch.setenv("TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS", broker.bootstrap_servers)
        monkeypatch.setenv("TOUCHSTREAM_KAFKA_PARTITIONS", "1")
        await create_topics(Settings())
        yield broker.bootstrap_servers


async def tell(servers: str) -> None:
    """Write the story into the log."""
    async with AIOKafkaProducer(bootstrap_servers=servers, acks="all") as producer:
        for value in STORY:
            await producer.send_and_wait(RAW.name, value, KEY)


def fill(client: Client) -> None:
    """Fill the tables with what the story makes of them."""
    log = Log()
    for value in STORY:
        log.add(value, NOON, KEY)
    for table, rows in expected_tables([log.records], rules_of(Settings())).items():
        insert_json(client, table, (msgspec.json.encode(row) for row in rows.values()))


async def told(*command: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, command)


async def test_the_oracle_names_its_log_and_what_it_expects(servers: str, client: Client) -> None:
    await tell(servers)
    fill(client)
    result = await told("oracle")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "0 differences")
    assert f"Log: touchpoints.raw at {servers}, 3 records, up to [3]" in result.output
    assert "touchpoints: 2 rows expected" in result.output
    assert "abandonments: 1 rows expected" in result.output


async def test_the_oracle_finds_a_row_that_stands_there_twice(servers: str, client: Client) -> None:
    """Under another sorting key, where ClickHouse keeps both."""
    await tell(servers)
    fill(client)
    client.command(
        "INSERT INTO abandonments SELECT * REPLACE ('browse' AS kind) FROM abandonments FINAL"
    )
    assert client.query("SELECT count() FROM abandonments FINAL").result_rows == [(2,)]
    result = await told("oracle")
    assert result.exit_code == 1
    assert "rows" in result.output
    assert "0 differences" not in result.output


async def test_an_empty_log_proves_nothing(servers: str, client: Client) -> None:
    """Even where the tables are empty, too, and nothing differs."""
    result = await told("oracle")
    assert result.exit_code == 1
    assert f"touchpoints.raw at {servers}, 0 records" in result.output
    assert "the log is empty; there is nothing to compare the tables with" in result.output
    assert "0 differences" not in result.output


async def test_tables_without_their_log_are_no_proof_either(servers: str, client: Client) -> None:
    fill(client)
    assert (await told("oracle")).exit_code == 1


async def test_verify_says_what_it_has_compared(engine: EngineServer, client: Client) -> None:
    fill(client)
    result = await told("verify")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "0 sessions that differ")
    where = f"http://{engine.host}:{engine.port}"
    assert f"Compared with 2 touchpoints of all sites at {where}" in result.output


@pytest.mark.usefixtures("client")
async def test_verify_of_nothing_fails() -> None:
    result = await told("verify")
    assert result.exit_code == 1
    assert "there are no touchpoints to compare with" in result.output
    assert "0 sessions that differ" not in result.output


async def test_verify_of_a_site_without_touchpoints_fails_beside_another_one(
    client: Client,
) -> None:
    fill(client)
    result = await told("verify", "--site", "shpo")
    assert result.exit_code != 0
    assert "0 sessions that differ" not in result.output


async def test_verify_finds_a_session_that_stands_there_twice(client: Client) -> None:
    fill(client)
    client.command(
        "INSERT INTO sessions SELECT * REPLACE ('another' AS session_id) FROM sessions FINAL"
    )
    result = await told("verify")
    assert (result.exit_code, result.output.splitlines()[-1]) == (1, "1 sessions that differ")
