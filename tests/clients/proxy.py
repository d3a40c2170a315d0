"""A way to the collector that fails as ways do, and notes what passes."""

import asyncio
import base64
import binascii
import gzip
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import unquote_plus

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from tests.support.ports import free_ports

Fault = Literal["", "unavailable", "refused", "lost"]
"""Nothing; 503 as the collector answers it; no connection; it arrives and its answer does not."""

_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
_EVENT = re.compile(r"Event[ _]\d+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")


class Proxy:
    """Passes requests of one client on; `fault` is what goes wrong now."""

    def __init__(self, target: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.url = f"{'https' if tls else 'http'}://localhost:{port}"
        self._tls = tls
        self.fault: Fault = ""
        self.seen: set[str] = set()
        """Events that the client has sent, whether they passed or not."""
        self.passed: set[str] = set()
        """Events that have reached the collector."""
        self.wire: list[str] = []
        """Every request, as it came: for whoever asks why an event came twice."""
        self._target = target
        self._port = port
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._onward: dict[asyncio.BaseTransport | None, aiohttp.ClientSession] = {}
        """A connection to the collector for each connection to us, as a network has it."""

    async def close(self) -> None:
        for session in self._onward.values():
            await session.close()

    def _session(self, request: web.Request) -> aiohttp.ClientSession:
        """Give the connection onward; none that the collector may be about to close."""
        if request.transport not in self._onward:
            connector = aiohttp.TCPConnector(limit=1, keepalive_timeout=5)
            session = aiohttp.ClientSession(auto_decompress=False, connector=connector)
            self._onward[request.transport] = session
        return self._onward[request.transport]

    async def turn(self, fault: Fault) -> None:
        """Let this go wrong from now on; while connections are refused nobody listens."""
        if self.fault == "refused":
            await self._listen()
        if fault == "refused" and self._site:
            await self._site.stop()
        self.fault = fault

    async def open(self, runner: web.AppRunner) -> None:
        """Begin to listen; if somebody else has got the port meanwhile, on another one."""
        self._runner = runner
        for _ in range(5):
            with suppress(OSError):
                return await self._listen()
            [self._port] = free_ports(1)
            self.url = f"{self.url.rpartition(':')[0]}:{self._port}"
        return await self._listen()

    async def _listen(self) -> None:
        """Listen; while nobody did, a connection of somebody else may have got this port."""
        assert self._runner
        for is_last in (*[False] * 40, True):
            self._site = web.TCPSite(
                *(self._runner, "localhost", self._port), reuse_address=True, ssl_context=self._tls
            )
            try:
                await self._site.start()
            except OSError:
                if is_last:
                    raise
                await self._site.stop()
                await asyncio.sleep(0.25)
            else:
                return

    async def answer(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        text = f"{request.path_qs}\n".encode() + unpacked(content)
        events = events_in(text)
        self.seen |= events
        self._write_down(request, text)
        if self.fault == "refused":
            return await self._cut(request)
        if self.fault == "unavailable" and (request.method == "POST" or events):
            return web.Response(status=503, headers=_readable(request) | {"Retry-After": "1"})
        answer = await self._pass_on(request, content)
        self.passed |= events
        return await self._cut(request) if self.fault == "lost" and events else answer

    async def _cut(self, request: web.Request) -> web.Response:
        """Break a connection, on both sides, as a network does."""
        if onward := self._onward.pop(request.transport, None):
            await onward.close()
        if request.transport:
            request.transport.abort()
        return web.Response()

    def _write_down(self, request: web.Request, text: bytes) -> None:
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        peer = request.transport and request.transport.get_extra_info("peername")
        at = datetime.now(UTC).isoformat()
        what = f"{at} {self.fault or 'none'} {request.method} from {peer}"
        self.wire.append(f"{what}\n{headers}\n{text.decode(errors='replace')}\n")

    async def _pass_on(self, request: web.Request, content: bytes) -> web.Response:
        headers = CIMultiDict(
            (name, value) for name, value in request.headers.items() if name.lower() not in _HOP
        )
        async with self._session(request).request(
            request.method, self._target + request.raw_path, headers=headers, data=content or None
        ) as answer:
            told = [(n, v) for n, v in answer.headers.items() if n.lower() not in _HOP]
            return web.Response(
                status=answer.status, body=await answer.read(), headers=CIMultiDict(told)
            )


@asynccontextmanager
async def proxy(target: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """Run a proxy before `target`, on a port of its own."""
    [port] = free_ports(1)
    passing = Proxy(target, port, tls)
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", passing.answer)
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await passing.open(runner)
    try:
        yield passing
    finally:
        await passing.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await runner.cleanup()


def _readable(request: web.Request) -> dict[str, str]:
    origin = request.headers.get("origin")
    if not origin:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "retry-after",
    }


def unpacked(content: bytes) -> bytes:
    """Undo gzip, whatever the headers say."""
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def events_in(content: bytes) -> set[str]:
    """Find the names of events in what a client sent, also in base64 and escaped."""
    text = unquote_plus(content.decode(errors="replace"))
    found = set(_EVENT.findall(text))
    for coded in _BASE64.findall(text):
        found |= set(_EVENT.findall(_plain(coded)))
    return {name.replace("_", " ") for name in found}


def _plain(coded: str) -> str:
    try:
        padded = coded.rstrip("=") + "=" * (-len(coded.rstrip("=")) % 4)
        return base64.urlsafe_b64decode(padded.replace("+", "-").replace("/", "_")).decode(
            errors="replace"
        )
    except (binascii.Error, ValueError):
        return ""
