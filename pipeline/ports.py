"""Ports on this machine: which are free, which are taken. Shell."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """Find `count` different free ports on 127.0.0.1; another process may still take one first."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def is_taken(host: str, port: int) -> bool:
    """Tell whether `host`:`port` cannot be listened on."""
    try:
        socket.create_server((host, port)).close()
    except OSError:
        return True
    return False
