"""Addresses on this machine: which are free, which are taken, which answer. Shell."""

import socket
from contextlib import ExitStack
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


def address_in(text: str) -> Address:
    """Read a URL, or the first of several `host:port` separated by commas."""
    first, _, _ = text.partition(",")
    parts = urlsplit(first if "://" in first else f"//{first}")
    return Address(parts.hostname or "127.0.0.1", parts.port or 0)


def free_ports(count: int) -> list[int]:
    """Find `count` different free ports on 127.0.0.1; another process may still take one first."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def is_taken(address: Address) -> bool:
    """Tell whether `address` is in use; port 0 never is."""
    try:
        socket.create_server(address).close()
    except OSError:
        return True
    return False


async def answers(url: str) -> bool:
    """Tell whether a GET of `url` succeeds; an empty `url` always counts as answered."""
    if not url:
        return True
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(url) as answer:
            return answer.ok
    except (aiohttp.ClientConnectionError, TimeoutError):
        return False
