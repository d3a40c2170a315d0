"""A way to a server on which answers get lost: what is asked arrives, and is done."""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Self

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends a reset instead of an end."""


class DeafWay:
    """Passes connections from `port` on to `server`; resets the next `lost` at their answer."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.lost = 0
        self._server = server
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        port: int = self._listening.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._listening.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _connected(self, asked: asyncio.StreamReader, asker: asyncio.StreamWriter) -> None:
        self._connections.add(asyncio.create_task(self._connect(asked, asker)))

    async def _connect(self, asked: asyncio.StreamReader, asker: asyncio.StreamWriter) -> None:
        answers, passed = await asyncio.open_connection(*self._server)
        passing = asyncio.create_task(self._pass(asked, passed))
        try:
            with suppress(ConnectionError):
                while data := await answers.read(65536):
                    if self.lost:
                        self.lost -= 1
                        _reset(asker)
                        break
                    asker.write(data)
                    await asker.drain()
        finally:
            passing.cancel()
            for writer in (asker, passed):
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    async def _pass(self, asked: asyncio.StreamReader, passed: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await asked.read(65536):
                passed.write(data)
                await passed.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
