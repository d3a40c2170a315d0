"""The embedded ClickHouse over HTTP: the one process that owns the engine. Shell: decides nothing.

It implements the part of ClickHouse's HTTP interface that clickhouse-connect, Grafana's data source
and curl use, so that they and the rest of the product work as with a server:

- `GET` and `POST /`, with the statement in `query`, in the body, or begun in one and continued in
  the other; `database`, `default_format`, settings and `param_x` as URL parameters or form fields;
- bodies in gzip, deflate, zstd or lz4; uncompressed answers, because they never leave the machine;
- errors with ClickHouse's text, number and HTTP status; `/ping`.

Differences from a server: There are no users. Sessions are accepted and have no effect: requests
are independent. Results are sent when they are complete. A query is not cancelled when its client
leaves: set `max_execution_time`. External tables and ClickHouse's own block compression are
refused.

It must not listen beyond this machine: whoever reaches it may do everything.
"""

import asyncio
import json
import logging
import os
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from pipeline.local.embedded import EmbeddedError
from pipeline.local.embedded.encoding import (
    ENCODINGS,
    DamagedError,
    TooLargeError,
    unpack,
)
from pipeline.local.embedded.engine import (
    Answer,
    Engine,
    Query,
    StatementError,
)
from pipeline.local.embedded.native import (
    REVISION_WITH_SERIALISATION,
    UnknownTypeError,
    with_block_information,
)
from pipeline.local.embedded.statement import split_insert

LARGEST_BODY = 128 * 1024 * 1024
"""The most bytes of a request body, after decompression."""

_log = logging.getLogger(__name__)

_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")

_ENGINE = web.AppKey("engine", Engine)
_SELECTS = web.AppKey("selects", ThreadPoolExecutor)
_INSERTS = web.AppKey("inserts", ThreadPoolExecutor)

# Parameters of the HTTP interface itself; all others are settings or a `param_x`.
_NOT_SETTINGS = {
    *("query", "database", "default_format", "query_id", "user", "password", "role", "quota_key"),
    *("session_id", "session_timeout", "session_check", "close_session", "stacktrace"),
    *("compress", "decompress", "wait_end_of_query", "buffer_size", "client_protocol_version"),
}

# ClickHouse's own mapping of exceptions, as far as a client can cause them; all else is 500.
_STATUS = {
    **dict.fromkeys((6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53), HTTPStatus.BAD_REQUEST),
    **dict.fromkeys((62, 72, 117, 123, 167, 168, 223, 321, 376), HTTPStatus.BAD_REQUEST),
    **dict.fromkeys((427, 441, 675, 676), HTTPStatus.BAD_REQUEST),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 78, 81), HTTPStatus.NOT_FOUND),
    **dict.fromkeys((115, 152, 336, 511), HTTPStatus.NOT_FOUND),
    48: HTTPStatus.NOT_IMPLEMENTED,
    159: HTTPStatus.REQUEST_TIMEOUT,
    497: HTTPStatus.FORBIDDEN,
}


async def serve(path: Path, host: str, port: int) -> None:
    """Own the engine on `path` and answer on `host`:`port` until cancelled; then close it.

    Raises EmbeddedError if the folder, the port or the host is unavailable, or chdb is missing.
    """
    _refuse_public(host)
    engine = await asyncio.to_thread(Engine, path)
    runner = web.AppRunner(
        _application(engine),
        access_log=None,
        auto_decompress=False,  # aiohttp takes half a gzip body for a whole one
        shutdown_timeout=1,
    )
    try:
        await runner.setup()
        await _listen(runner, host, port)
        _log.info(
            "ClickHouse %s answers on http://%s:%d",
            engine.version,
            host,
            port,
            extra={"event": "engine_ready"},
        )
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
        await asyncio.to_thread(engine.close)


def _application(engine: Engine) -> web.Application:
    application = web.Application(client_max_size=LARGEST_BODY, middlewares=[_no_browsers])
    application[_ENGINE] = engine
    # Two pools, so that slow SELECTs leave threads for inserts.
    application[_SELECTS] = ThreadPoolExecutor(16, "select")
    application[_INSERTS] = ThreadPoolExecutor(4, "insert")
    application.router.add_get("/ping", _ping)
    application.router.add_route("GET", "/", _answer)
    application.router.add_route("POST", "/", _answer)
    return application


def _refuse_public(host: str) -> None:
    if not _LOOPBACK.fullmatch(host):
        raise EmbeddedError(
            f"The embedded ClickHouse has no users, so it cannot listen on {host}; use 127.0.0.1, "
            "or run a ClickHouse server to share it."
        )


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise EmbeddedError(
            f"ClickHouse cannot listen on {host}:{port} ({why}); stop what uses the "
            "port, or choose another one."
        ) from error


@web.middleware
async def _no_browsers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse web pages: otherwise any page could use the engine of the person who opens it."""
    if "Origin" in request.headers or not _LOOPBACK.fullmatch(request.url.host or ""):
        return web.Response(status=403, text="Only programs on this machine may ask.\n")
    return await handler(request)


async def _ping(_request: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


async def _answer(request: web.Request) -> web.Response:
    try:
        parameters, body = await _read(request)
        statement = b"\n".join(filter(None, (parameters.get("query", "").encode(), body)))
        if not statement and request.method == "GET":
            return await _ping(request)
        answer = await _execute(request.app, _query(request.method, parameters, statement))
        return await _success(request.app, parameters, answer)
    except StatementError as error:
        return _refusal(error)
    except web.HTTPRequestEntityTooLarge:
        hint = f"A request body may have {LARGEST_BODY} bytes; send smaller batches.\n"
        return web.Response(status=413, text=hint)


async def _read(request: web.Request) -> tuple[dict[str, str], bytes]:
    """Return the parameters of a request and its body, decompressed."""
    parameters = dict(request.query)
    if request.content_type == "multipart/form-data":
        return parameters | await _form(request), b""
    body = await request.read()
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        body = await asyncio.to_thread(_unpacked, body, encoding)
    return parameters, body


async def _form(request: web.Request) -> dict[str, str]:
    fields = await request.post()
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    if len(texts) < len(fields):
        raise _not_supported("external tables")
    return texts


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding not in ENCODINGS:
        raise _not_supported(f"Content-Encoding {encoding}; use one of {', '.join(ENCODINGS)}")
    try:
        return unpack(body, encoding, LARGEST_BODY)
    except DamagedError as error:
        raise StatementError.because(271, str(error), "CANNOT_DECOMPRESS") from error
    except TooLargeError as error:
        raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, LARGEST_BODY + 1) from error


def _query(method: str, parameters: dict[str, str], statement: bytes) -> Query:
    if "1" in (parameters.get("compress"), parameters.get("decompress")):
        raise _not_supported("ClickHouse's own compression; use Content-Encoding")
    insert = split_insert(statement)
    return Query(
        statement=statement,
        insert=insert,
        database=parameters.get("database", ""),
        format=parameters.get("default_format", "TabSeparated"),
        settings={k: v for k, v in parameters.items() if k not in _NOT_SETTINGS},
        readonly=method == "GET",
    )


def _not_supported(what: str) -> StatementError:
    reason = f"The embedded ClickHouse does not support {what}"
    return StatementError.because(48, reason, "NOT_IMPLEMENTED")


async def _execute(application: web.Application, query: Query) -> Answer:
    pool = application[_INSERTS if query.insert else _SELECTS]
    engine = application[_ENGINE]
    return await asyncio.get_running_loop().run_in_executor(pool, engine.execute, query)


async def _success(
    application: web.Application, parameters: dict[str, str], answer: Answer
) -> web.Response:
    body = answer.body
    revision = int(parameters.get("client_protocol_version", 0))
    if answer.format == "Native" and revision >= REVISION_WITH_SERIALISATION:
        body = await asyncio.to_thread(_modern, body)
    json_asked = (answer.format or "").startswith("JSON")
    headers = {
        "Content-Type": "application/json" if json_asked else "text/plain; charset=utf-8",
        "X-ClickHouse-Query-Id": parameters.get("query_id") or str(uuid.uuid4()),
        "X-ClickHouse-Timezone": application[_ENGINE].timezone,
        "X-ClickHouse-Summary": json.dumps({k: str(v) for k, v in answer.summary.items()}),
    }
    if answer.format:
        headers["X-ClickHouse-Format"] = answer.format
    return web.Response(body=body, headers=headers)


def _modern(body: bytes) -> bytes:
    try:
        return with_block_information(body)
    except UnknownTypeError as error:
        raise _not_supported(f"sending {error} to this client; use toString()") from error


def _refusal(error: StatementError) -> web.Response:
    status = _STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {"X-ClickHouse-Exception-Code": str(error.code)}
    return web.Response(status=status, text=f"{error}\n", headers=headers)
