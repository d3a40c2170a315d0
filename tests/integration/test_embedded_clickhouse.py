"""The embedded ClickHouse through the unmodified clients that meet it in production."""

import asyncio
import gzip
import itertools
import sys
import time
import uuid
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import clickhouse_connect
import lz4.frame  # type: ignore[import-untyped]
import pytest
from backports import zstd
from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from pipeline.local.embedded import EmbeddedError
from pipeline.local.embedded.clickhouse import LARGEST_BODY, serve
from tests.support.engine import EngineServer
from tests.support.ports import free_ports

DEDUPLICATING = "ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100"

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
    "lz4": lz4.frame.compress,
}


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    """A synchronous client in a database of its own."""
    database = f"test_{uuid.uuid4().hex}"
    with clickhouse_connect.get_client(
        host=engine.host, port=engine.port, tz_mode="aware"
    ) as client:
        client.command(f"CREATE DATABASE {database}")
        client.database = database
        yield client
        client.command(f"DROP DATABASE {database}")


@pytest.fixture
async def async_client(engine: EngineServer, client: Client) -> AsyncIterator[AsyncClient]:
    """An asynchronous client in the database of `client`."""
    async with await clickhouse_connect.get_async_client(
        host=engine.host, port=engine.port, database=client.database
    ) as async_client:
        yield async_client


@pytest.fixture
async def http(engine: EngineServer) -> AsyncIterator[aiohttp.ClientSession]:
    """Bare HTTP, for what the clients never send."""
    async with aiohttp.ClientSession(engine.url) as session:
        yield session


def rows(client: Client, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in client.query(query).result_rows]


# What clients do all day


def test_a_client_sees_the_version_of_the_engine(client: Client) -> None:
    assert str(client.command("SELECT version()")).startswith("26.9.")
    assert client.server_version == client.command("SELECT version()")


def test_rows_inserted_as_objects_come_back_as_the_same_objects(client: Client) -> None:
    client.command(
        "CREATE TABLE t (n UInt64, s String, at DateTime64(3, 'UTC'), tags Array(String),"
        " link Nullable(String), kind LowCardinality(String)) ENGINE = MergeTree ORDER BY n"
    )
    at = datetime(2026, 3, 1, 12, 30, 0, 123000, tzinfo=UTC)
    given = [(1, "ä;\n\n'", at, ["x", ""], None, "page"), (2, "", at, [], "y", "mail")]
    client.insert("t", given, column_names=["n", "s", "at", "tags", "link", "kind"])
    assert rows(client, "SELECT * FROM t ORDER BY n") == given


async def test_the_asynchronous_client_does_the_same(async_client: AsyncClient) -> None:
    await async_client.command("CREATE TABLE t (n UInt64, s String) ENGINE = Memory")
    await async_client.insert("t", [(1, "a")], column_names=["n", "s"])
    await async_client.raw_insert("t", insert_block=b'{"n": 2, "s": "b"}', fmt="JSONEachRow")
    result = await async_client.query(
        "SELECT n, s FROM t WHERE n <= {last:UInt64} ORDER BY n", parameters={"last": 2}
    )
    assert [tuple(row) for row in result.result_rows] == [(1, "a"), (2, "b")]
    with pytest.raises(DatabaseError) as refused:
        await async_client.query("SELECT * FROM nowhere")
    assert refused.value.code == 60


def test_an_insert_says_how_many_rows_it_wrote(client: Client) -> None:
    client.command("CREATE TABLE t (n UInt64) ENGINE = Memory")
    assert client.raw_insert("t", insert_block=b"1\n2\n3\n", fmt="TSV").written_rows == 3


def test_a_result_comes_in_the_format_asked_for(client: Client) -> None:
    answer = client.raw_query("SELECT 1 AS n, 'x' AS s", fmt="JSONCompactEachRow")
    assert answer == b'[1, "x"]\n'
    assert b'"rows": 1' in client.raw_query("SELECT 1 AS n", fmt="JSON")


def test_a_result_without_rows_still_names_its_columns(client: Client) -> None:
    result = client.query("SELECT toUInt8(1) AS n, 'x' AS s WHERE 0")
    assert result.column_names == ("n", "s")
    assert [column.name for column in result.column_types] == ["UInt8", "String"]


async def test_curl_needs_no_parameters(http: aiohttp.ClientSession) -> None:
    async with http.get("/ping") as pong, http.get("/") as root:
        assert (await pong.text(), await root.text()) == ("Ok.\n", "Ok.\n")
    async with http.post("/", data="SELECT 1, 2") as in_body:
        assert await in_body.text() == "1\t2\n"
    async with http.get("/", params={"query": "SELECT 1, 2"}) as in_address:
        assert await in_address.text() == "1\t2\n"


# Inserts: every byte, and once


def test_the_same_token_twice_stores_the_rows_and_those_of_the_view_once(client: Client) -> None:
    client.command(f"CREATE TABLE base (n UInt64) {DEDUPLICATING}")
    client.command(f"CREATE TABLE target (n UInt64) {DEDUPLICATING}")
    client.command("CREATE MATERIALIZED VIEW view TO target AS SELECT n + 100 AS n FROM base")
    for token in ("first", "first", "second"):
        client.raw_insert(
            "base",
            insert_block=b'{"n": 1}\n{"n": 2}\n',
            fmt="JSONEachRow",
            settings={"insert_deduplication_token": token, "async_insert": 0},
        )
    assert rows(client, "SELECT n, count() FROM base GROUP BY n ORDER BY n") == [(1, 2), (2, 2)]
    assert rows(client, "SELECT n, count() FROM target GROUP BY n ORDER BY n") == [
        (101, 2),
        (102, 2),
    ]


@pytest.mark.parametrize("with_view", [False, True])
def test_an_insert_whose_rows_cannot_be_stored_is_refused(client: Client, with_view: bool) -> None:
    limits = "parts_to_delay_insert = 1, parts_to_throw_insert = 1"
    client.command(f"CREATE TABLE full (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS {limits}")
    if with_view:
        client.command("CREATE TABLE target (n UInt64) ENGINE = MergeTree ORDER BY n")
        client.command("CREATE MATERIALIZED VIEW view TO target AS SELECT n FROM full")
    client.raw_insert("full", insert_block=b'{"n": 1}\n', fmt="JSONEachRow")
    for _ in range(5):
        with pytest.raises(DatabaseError, match="TOO_MANY_PARTS"):
            client.raw_insert("full", insert_block=b'{"n": 2}\n', fmt="JSONEachRow")
    assert rows(client, "SELECT n FROM full") == [(1,)]


@pytest.mark.parametrize("encoding", PACK)
def test_a_compressed_body_is_unpacked(client: Client, encoding: str) -> None:
    client.command("CREATE TABLE t (n UInt64) ENGINE = Memory")
    client.raw_insert(
        "t",
        insert_block=PACK[encoding](b"1\n2\n"),
        fmt="TSV",
        compression=encoding,
        column_names=["n"],
    )
    assert rows(client, "SELECT n FROM t ORDER BY n") == [(1,), (2,)]


@pytest.mark.parametrize("method", ["lz4", "zstd", "gzip"])
def test_the_client_may_compress_its_blocks(engine: EngineServer, method: str) -> None:
    with clickhouse_connect.get_client(
        host=engine.host, port=engine.port, compress=method
    ) as client:
        client.command("CREATE OR REPLACE TABLE packed (n UInt64) ENGINE = Memory")
        client.insert("packed", [(n,) for n in range(200_000)], column_names=["n"])
        assert rows(client, "SELECT count(), max(n) FROM packed") == [(200_000, 199_999)]
        client.command("DROP TABLE packed")


def test_empty_lines_and_semicolons_in_the_data_stay_data(client: Client) -> None:
    client.command("CREATE TABLE t (n UInt64, s String) ENGINE = Memory")
    given = [(1, "a\n\nb"), (2, ";\n"), (3, "'\n\n; DROP TABLE t;\n--\\"), (4, "\n\n\x00/*")]
    client.insert("t", given, column_names=["n", "s"])
    client.raw_insert("t", insert_block=b'{"n": 5}\n\n\n{"n": 6}\n', fmt="JSONEachRow")
    client.command("INSERT INTO t VALUES (7, 'x;'),\n\n(8, 'y')")
    assert rows(client, "SELECT n, s FROM t ORDER BY n") == [
        *given,
        (5, ""),
        (6, ""),
        (7, "x;"),
        (8, "y"),
    ]


def test_an_insert_may_begin_in_the_address_and_go_on_in_the_body(client: Client) -> None:
    client.command("CREATE TABLE t (values UInt64, `a)b` String) ENGINE = Memory")
    client.command(
        "-- SELECT\nINSERT INTO t (values, `a)b`) SETTINGS async_insert = 0 FORMAT CSV",
        data='1,"x\n\ny"\n',
    )
    assert rows(client, "SELECT * FROM t") == [(1, "x\n\ny")]


def test_a_bad_row_refuses_the_whole_batch(client: Client) -> None:
    client.command("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
    with pytest.raises(DatabaseError) as refused:
        client.raw_insert("t", insert_block=b'{"n": 1}\n{"n": "x"}\n', fmt="JSONEachRow")
    assert refused.value.code == 27
    assert client.command("SELECT count() FROM t") == 0


# Parameters and settings: values, for one request


@pytest.mark.parametrize("value", ["'; DROP TABLE t; --", "\\", "a\tb\nc", "{n:UInt8}", "ä"])
def test_a_parameter_is_a_value_and_never_sql(client: Client, value: str) -> None:
    result = client.query("SELECT {value:String}", parameters={"value": value})
    assert result.result_rows[0][0] == value


@pytest.mark.parametrize("value", ["'; DROP TABLE t; --", "\\'", "x, readonly = 1"])
def test_a_setting_is_a_value_and_never_sql(client: Client, value: str) -> None:
    query = "SELECT getSetting('log_comment')"
    assert client.query(query, settings={"log_comment": value}).result_rows[0][0] == value


async def test_the_name_of_a_setting_is_not_sql_either(http: aiohttp.ClientSession) -> None:
    parameters = {"query": "SELECT 1", "max_threads = 1, log_comment": "x"}
    async with http.get("/", params=parameters) as answer:
        assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (404, "115")


def test_a_setting_holds_for_its_own_request_only(client: Client) -> None:
    query = "SELECT getSetting('max_threads')"
    assert client.query(query, settings={"max_threads": 1}).result_rows[0][0] == 1
    assert client.query(query).result_rows[0][0] != 1


def test_many_parameters_travel_as_a_form(engine: EngineServer) -> None:
    with clickhouse_connect.get_client(
        host=engine.host, port=engine.port, form_encode_query_params=True
    ) as client:
        names = [f"name {n}" for n in range(5_000)]
        result = client.query("SELECT length({names:Array(String)})", parameters={"names": names})
        assert result.result_rows[0][0] == 5_000


# Refusals


@pytest.mark.parametrize(
    ("statement", "code", "status"),
    [
        ("SELEC 1", 62, 400),
        ("SELECT 1; SELECT 2", 62, 400),
        ("1 + 1", 62, 400),
        ("SELECT nothing", 47, 404),
        ("SELECT * FROM nowhere", 60, 404),
        ("SELECT throwIf(number = 3) FROM numbers(5)", 395, 500),
        ("SELECT count() FROM numbers(1e15) SETTINGS max_execution_time = 0.2", 159, 408),
    ],
)
async def test_a_refusal_has_clickhouses_own_number_words_and_status(
    http: aiohttp.ClientSession, statement: str, code: int, status: int
) -> None:
    async with http.post("/", data=statement) as answer:
        assert answer.status == status
        assert answer.headers["X-ClickHouse-Exception-Code"] == str(code)
        assert (await answer.text()).startswith(f"Code: {code}. DB::Exception: ")


def test_a_refusal_reaches_the_program_as_an_error_with_its_number(client: Client) -> None:
    with pytest.raises(DatabaseError, match="nowhere") as refused:
        client.query("SELECT * FROM nowhere")
    assert (refused.value.code, refused.value.name) == (60, "UNKNOWN_TABLE")


def test_after_a_refusal_half_way_the_next_answer_is_clean(client: Client) -> None:
    with pytest.raises(DatabaseError):
        client.raw_query("SELECT throwIf(number > 200000) FROM numbers(300000)")
    assert client.raw_query("SELECT 1") == b"1\n"


async def test_what_is_only_asked_for_changes_nothing(http: aiohttp.ClientSession) -> None:
    async with http.get("/", params={"query": "CREATE TABLE t (n Int8) ENGINE = Memory"}) as answer:
        assert answer.headers["X-ClickHouse-Exception-Code"] == "164"


async def test_a_web_page_gets_no_answer(http: aiohttp.ClientSession) -> None:
    async with http.post("/", data="SELECT 1", headers={"Origin": "http://a.example"}) as page:
        assert page.status == 403
    async with http.post("/", data="SELECT 1", headers={"Host": "a.example"}) as renamed:
        assert renamed.status == 403


@pytest.mark.parametrize("encoding", PACK)
async def test_a_body_that_unpacks_beyond_the_limit_is_refused(
    http: aiohttp.ClientSession, encoding: str
) -> None:
    body = PACK[encoding](bytes(LARGEST_BODY + 1))
    async with http.post("/", data=body, headers={"Content-Encoding": encoding}) as answer:
        assert (answer.status, str(LARGEST_BODY) in await answer.text()) == (413, True)


@pytest.mark.parametrize("encoding", PACK)
@pytest.mark.parametrize("part", [b"damaged", slice(-5)])
async def test_a_damaged_or_cut_body_is_refused(
    http: aiohttp.ClientSession, encoding: str, part: bytes | slice
) -> None:
    whole = PACK[encoding](b"SELECT 1")
    body = part if isinstance(part, bytes) else whole[part]
    async with http.post("/", data=body, headers={"Content-Encoding": encoding}) as answer:
        assert answer.headers["X-ClickHouse-Exception-Code"] == "271"


async def test_bytes_that_are_not_text_stay_bytes(http: aiohttp.ClientSession) -> None:
    async with http.post("/", data=b"SELECT hex('\xff\xfe')") as answer:
        assert await answer.text() == "FFFE\n"


async def test_what_is_not_spoken_is_refused_in_words(http: aiohttp.ClientSession) -> None:
    async with http.post("/", params={"compress": "1"}, data="SELECT 1") as answer:
        assert (answer.status, "Content-Encoding" in await answer.text()) == (501, True)
    async with http.post("/", data=b"x", headers={"Content-Encoding": "br"}) as answer:
        assert (answer.status, "use one of gzip" in await answer.text()) == (501, True)
    with aiohttp.MultipartWriter("form-data") as form:
        form.append("1").set_content_disposition("form-data", name="t", filename="t")
    async with http.post("/", params={"query": "SELECT 1"}, data=form) as answer:
        assert (answer.status, "external tables" in await answer.text()) == (501, True)


# Grafana's client names its protocol version and reads blocks with more in them

MODERN = {"default_format": "Native", "client_protocol_version": "54460"}
BLOCK_INFORMATION = b"\x01\x00\x02\xff\xff\xff\xff\x00"
LAST_COLUMN = b"\x01z\x05UInt8"


@pytest.mark.parametrize(
    "expression",
    [
        "toUInt8(7)",
        "'x'",
        "toFixedString('ab', 3)",
        "toDateTime64('2026-03-01 00:00:00.5', 3)",
        "CAST(NULL AS Nullable(String))",
        "NULL",
        "[]",
        "[['a'], ['b', '']]",
        "[toLowCardinality('a')]",
        "CAST([] AS Array(LowCardinality(String)))",
        "toLowCardinality(toString(number))",
        "toLowCardinality(toNullable('w'))",
        "map('k', [toNullable(1)], 'l', [NULL])",
        "map(toLowCardinality('k'), tuple(1, 'x'))",
        "CAST(1.5 AS Decimal(38, 2))",
        "CAST('a' AS Enum8('a' = 1))",
        "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')",
        "CAST(toNullable(number) AS SimpleAggregateFunction(max, Nullable(UInt64)))",
    ],
)
async def test_a_modern_client_gets_a_byte_before_every_column(
    http: aiohttp.ClientSession, expression: str
) -> None:
    query = f"SELECT {expression} AS a, toUInt8(number) AS z FROM numbers(300)"  # noqa: S608
    plain, modern = await native(http, query, {}), await native(http, query, MODERN)
    first = plain.index(b"\x01a") + 2
    first += 1 + plain[first]
    last = plain.index(LAST_COLUMN) + len(LAST_COLUMN)
    assert modern == (
        BLOCK_INFORMATION + plain[:first] + b"\0" + plain[first:last] + b"\0" + plain[last:]
    )


async def native(http: aiohttp.ClientSession, query: str, more: dict[str, str]) -> bytes:
    async with http.post("/", data=query, params={"default_format": "Native"} | more) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def test_a_modern_client_gets_every_block_and_no_block_for_nothing_but_names(
    http: aiohttp.ClientSession,
) -> None:
    many = await native(http, "SELECT toUInt8(1) AS z FROM numbers(200000)", MODERN)
    assert many.count(BLOCK_INFORMATION + b"\x01") > 1
    none = await native(http, "SELECT toUInt8(1) AS z WHERE 0", MODERN)
    assert none == BLOCK_INFORMATION + b"\x01\x00" + LAST_COLUMN + b"\0"


async def test_a_column_that_cannot_be_measured_is_refused_in_words(
    http: aiohttp.ClientSession,
) -> None:
    async with http.post("/", data="SELECT uniqState(1)", params=MODERN) as answer:
        assert (answer.status, "AggregateFunction" in await answer.text()) == (501, True)


# One owner, for as long as it lives


async def test_a_slow_select_holds_up_neither_inserts_nor_selects(
    async_client: AsyncClient,
) -> None:
    await async_client.command("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
    slow = asyncio.create_task(
        async_client.query("SELECT count() FROM numbers(20) WHERE sleepEachRow(0.1) = 0")
    )
    await asyncio.sleep(0.2)
    started = time.monotonic()
    await async_client.raw_insert("t", insert_block=b"1\n", fmt="TSV")
    assert (await async_client.query("SELECT n FROM t")).result_rows[0][0] == 1
    assert (slow.done(), time.monotonic() - started < 1) == (False, True)
    assert (await slow).result_rows[0][0] == 20


async def test_rows_survive_a_kill_right_after_the_insert(tmp_path: Path) -> None:
    server = EngineServer(tmp_path / "data")
    await server.start()
    await insert_one_to_three(server)
    await server.kill()
    async with server:
        await insert_one_to_three(server)
        assert await ask(server, "SELECT count(), sum(n) FROM t") == "3\t6\n"


async def insert_one_to_three(server: EngineServer) -> None:
    await ask(server, f"CREATE TABLE IF NOT EXISTS t (n UInt64) {DEDUPLICATING}")
    insert = "INSERT INTO t SETTINGS async_insert = 0, insert_deduplication_token = 'x' FORMAT TSV"
    await ask(server, f"{insert}\n1\n2\n3\n")


async def ask(server: EngineServer, statement: str) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.post(server.url, data=statement) as answer,
    ):
        text = await answer.text()
        assert answer.status == 200, text
        return text


async def test_a_stop_cancels_what_still_runs(tmp_path: Path) -> None:
    server = EngineServer(tmp_path / "data")
    await server.start()
    endless = asyncio.create_task(ask(server, "SELECT count() FROM numbers(1e15)"))
    await asyncio.sleep(0.3)
    started = time.monotonic()
    assert await server.stop() == 0
    assert time.monotonic() - started < 10
    await asyncio.gather(endless, return_exceptions=True)


async def test_a_second_owner_is_told_who_has_the_folder(tmp_path: Path) -> None:
    async with EngineServer(tmp_path / "data"):
        with pytest.raises(RuntimeError, match=r"is in use by another process \(PID: \d+\)"):
            await EngineServer(tmp_path / "data").start()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "shop.example"])
async def test_it_does_not_listen_beyond_this_machine(tmp_path: Path, host: str) -> None:
    with pytest.raises(EmbeddedError, match="has no users"):
        await serve(tmp_path, host, free_ports(1)[0])


async def test_a_question_mark_in_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="question mark"):
        await serve(tmp_path / "what?", "127.0.0.1", free_ports(1)[0])


async def test_a_folder_that_cannot_be_had_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    words = await last_words(tmp_path / "file", free_ports(1)[0])
    assert "file cannot be opened" in words
    assert "check that it is a folder you may write to" in words


async def test_a_taken_port_is_said_to_be_taken(engine: EngineServer, tmp_path: Path) -> None:
    words = await last_words(tmp_path / "data", engine.port)
    assert f"cannot listen on 127.0.0.1:{engine.port}" in words


async def last_words(folder: Path, port: int) -> str:
    """Run an engine that cannot start."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.engine", folder, str(port)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 1
    return errors.decode()


def test_clients_that_name_the_same_session_do_not_disturb_each_other(engine: EngineServer) -> None:
    with in_session(engine) as one, in_session(engine) as other:
        for client, n in itertools.product((one, other), (1, 2)):
            assert client.command(f"SELECT {n}") == n


def in_session(engine: EngineServer) -> Client:
    return clickhouse_connect.get_client(host=engine.host, port=engine.port, session_id="same")
