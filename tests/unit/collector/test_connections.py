"""Linux is asked whether a connection has ended: whatever address the server listens on."""

import socket
import time

import pytest

from pipeline.collector.connections import has_ended


def _told(end: tuple[str, int]) -> str:
    return f"[{end[0]}]:{end[1]}" if ":" in end[0] else f"{end[0]}:{end[1]}"


@pytest.mark.skipif(not hasattr(socket, "AF_NETLINK"), reason="only Linux tells it")
@pytest.mark.parametrize(
    ("listens_on", "calls"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")]
)
def test_a_connection_has_ended_when_its_client_closed_it(listens_on: str, calls: str) -> None:
    with socket.create_server((listens_on, 0)) as server:
        port = server.getsockname()[1]
        first, second = (socket.create_connection((calls, port)) for _ in range(2))
        with first, second, server.accept()[0] as one, server.accept()[0] as other:
            asked = (f"{listens_on}:{port}", _told(other.getpeername()), one.getpeername()[1])
            assert not has_ended(*asked)
            first.close()
            until = time.monotonic() + 5
            while not has_ended(*asked):
                assert time.monotonic() < until


@pytest.mark.parametrize("client", ["", "/run/x.sock", "192.0.2.1:5", "[::1"])
def test_of_a_client_that_the_kernel_does_not_know_nothing_has_ended(client: str) -> None:
    assert not has_ended("127.0.0.1:1", client, 6)
