"""Connecting to ClickHouse: settings in, a client or a sentence out."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr, ValidationError

from pipeline.clickhouse import ClickHouseUnavailable, connect
from pipeline.settings import Settings
from tests.support.engine import EngineServer
from tests.support.ports import free_ports
from tests.support.secured_kafka import Authority


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


@pytest_asyncio.fixture
async def over_tls(engine: EngineServer, tmp_path: Path) -> AsyncIterator[str]:
    """Give the https:// URL of the engine, behind a proxy that wants a client's certificate."""
    authority = Authority(tmp_path)
    authority.certificate("client")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tmp_path / "ca.pem")
    context.load_cert_chain(authority.certificate("server", "127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(engine.host, engine.port)
        await asyncio.gather(_pour(reader, forth), _pour(back, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_clickhouse_over_tls_with_an_authority_of_ones_own_and_a_certificate(
    over_tls: str, tmp_path: Path
) -> None:
    known = Settings(
        clickhouse_url=over_tls,
        clickhouse_ca_file=tmp_path / "ca.pem",
        clickhouse_certificate_file=tmp_path / "client.pem",
    )
    assert await asyncio.to_thread(_ask, known) == 1
    password = {"clickhouse_password": SecretStr("any")}
    assert await asyncio.to_thread(_ask, known.model_copy(update=password)) == 1
    with pytest.raises(ClickHouseUnavailable, match=r"CLICKHOUSE_CA_FILE.*verify failed"):
        await asyncio.to_thread(_ask, known.model_copy(update={"clickhouse_ca_file": None}))
    with pytest.raises(ClickHouseUnavailable, match="CERTIFICATE_FILE"):
        await asyncio.to_thread(
            _ask, known.model_copy(update={"clickhouse_certificate_file": None})
        )


def _ask(settings: Settings) -> int:
    with connect(settings) as client:
        return int(client.query("SELECT 1").result_rows[0][0])


def test_files_for_tls_without_tls_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="must be https://"):
        Settings(clickhouse_ca_file=tmp_path / "ca.pem")


def test_an_authority_that_is_not_there_is_named(tmp_path: Path) -> None:
    known = Settings(clickhouse_url="https://127.0.0.1:1", clickhouse_ca_file=tmp_path / "none.pem")
    with pytest.raises(ClickHouseUnavailable, match="CLICKHOUSE_CA_FILE"):
        connect(known)
