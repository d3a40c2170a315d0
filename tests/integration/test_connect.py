"""Connecting to ClickHouse: settings in, a client or a sentence out."""

import pytest

from pipeline.clickhouse import ClickHouseUnavailable, connect
from pipeline.settings import Settings
from tests.support.engine import EngineServer
from tests.support.ports import free_ports


def test_the_client_is_in_the_database_of_the_settings(engine: EngineServer) -> None:
    with connect(Settings(clickhouse_url=engine.url, clickhouse_database="system")) as client:
        assert client.query("SELECT currentDatabase()").result_rows == [("system",)]


def test_a_server_that_does_not_answer_is_named_with_what_to_do() -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(ClickHouseUnavailable) as unavailable:
        connect(Settings(clickhouse_url=url))
    assert str(unavailable.value) == (
        f"no ClickHouse answers at {url}: start it, or set TOUCHSTREAM_CLICKHOUSE_URL to its "
        "address"
    )


def test_a_database_that_is_not_there_is_named_with_the_settings_to_check(
    engine: EngineServer,
) -> None:
    settings = Settings(clickhouse_url=engine.url, clickhouse_database="not_there")
    with pytest.raises(
        ClickHouseUnavailable, match=r"not_there.*Check TOUCHSTREAM_CLICKHOUSE_USER"
    ):
        connect(settings)
