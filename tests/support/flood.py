"""Bad traffic of every kind from many networks, as fast as the answers allow: a process of its own.

    python -m tests.support.flood PORT WRITE_KEY

The networks stand in X-Forwarded-For. It ends when it is killed.
"""

import asyncio
import base64
import gzip
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count

NETWORKS = 8
"""Of each kind."""

CONNECTIONS = 2
"""Of each kind and network."""

ALL_CONNECTIONS = 13 * NETWORKS * CONNECTIONS
"""Of ten kinds that are answered, and three that never end."""

_DRIP_SECONDS = 0.2
_TURNS = count()


def head(network: str, key: str, length: int, path: str = "/v1/track", more: str = "") -> bytes:
    """Write the head of a POST."""
    name = base64.b64encode(f"{key}:".encode()).decode()
    authorization = f"Authorization: Basic {name}\r\n" if key else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {network}\r\n{authorization}{more}"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def kinds(key: str) -> dict[str, Callable[[str], bytes]]:
    """Give what is sent, by its name; `key` is a good one, which everybody can read in the page."""
    junk, deep = b"\xff\x00junk" * 50, b'{"properties":' + b'{"a":' * 900 + b"1" + b"}" * 901
    bomb, large = gzip.compress(bytes(50_000_000)), b'{"a":"' + b"x" * 499_000 + b'"}'
    call = b'{"event": "X", "anonymousId": "a", "writeKey": "%s"}'
    zipped = "Content-Encoding: gzip\r\n"
    return {
        "wrong keys": lambda network: _with(call % b"", network, f"wk-{next(_TURNS)}"),
        "wrong keys inside": lambda network: _with(call % b"%d" % next(_TURNS), network, ""),
        "junk": lambda network: _with(junk, network, key),
        "too deep": lambda network: _with(deep, network, key),
        "bombs": lambda network: _with(bomb, network, key, more=zipped),
        "bombs inside": lambda network: _with(bomb, network, "", more=zipped),
        "too large": lambda network: _with(large, network, key),
        "larger than allowed": lambda network: head(network, key, 10**9),
        "no path": lambda network: _with(b"{}", network, "", path=f"/{next(_TURNS)}.php"),
        "bad words": lambda network: _with(b'{"type": "click"}', network, key, path="/v1/batch"),
    }


def _with(body: bytes, network: str, key: str, path: str = "/v1/track", more: str = "") -> bytes:
    return head(network, key, len(body), path, more) + body


async def flood(port: int, request: Callable[[], bytes]) -> None:
    """Send, wait for the answer, send again, over new connections when the old ones are closed."""
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                while True:
                    writer.write(request())
                    await _answer(reader)
            finally:
                writer.close()
        await asyncio.sleep(0.01)


async def _answer(reader: asyncio.StreamReader) -> None:
    said = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(said.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    await reader.readexactly(length)
    if b"connection: close" in said:
        raise ConnectionResetError


async def drip(port: int, begun: bytes) -> None:
    """Begin a request and go on with a byte at a time, for ever."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begun)
            while not reader.at_eof() and not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1000), _DRIP_SECONDS)
            writer.close()
        await asyncio.sleep(0.01)


async def main(port: int, key: str) -> None:
    """Send all kinds from all networks at once."""
    os.nice(19)  # elsewhere a flood has machines of its own
    work: list[Awaitable[None]] = []
    for kind, write in enumerate(kinds(key).values()):
        for number in range(NETWORKS):
            network = f"9.{kind}.{number}.1"
            work += [flood(port, lambda w=write, n=network: w(n)) for _ in range(CONNECTIONS)]  # type: ignore[misc]
    for number in range(NETWORKS):
        network = f"9.100.{number}.1"
        slow_head = f"GET /i HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {network}\r\nA: ".encode()
        for begun in (slow_head, head(network, key, 400_000), head(network, "", 400_000)):
            work += [drip(port, begun) for _ in range(CONNECTIONS)]
    await asyncio.gather(*work)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
