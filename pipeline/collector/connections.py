"""Asks Linux whether a connection has ended. Shell.

The HTTP server does not tell when a connection ends between two requests. The kernel knows, and is
asked for one connection by its two ends (sock_diag(7)). On other systems nothing is known.
"""

import ipaddress
import socket
import struct

_End = tuple[str, int]
"""An address and a port."""

_SOCK_DIAG = 4
_BY_FAMILY, _REQUEST = 20, 1
_ERROR, _ESTABLISHED = 2, 1
_ANY = 0xFFFFFFFF


def has_ended(server: str, client: str, port: int) -> bool:
    """Say whether the connection that came from `port` of the same client has ended.

    `server` and `client` are the ends, address:port, of a connection that is open. If the kernel
    does not know that one, it is not asked for the other.
    """
    if not hasattr(socket, "AF_NETLINK"):
        return False
    try:
        theirs = _end(client)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
            ours = _local(_end(server), theirs)
            return _is_open(kernel, ours, theirs) and not _is_open(kernel, ours, (theirs[0], port))
    except (OSError, ValueError):  # it may be forbidden; an address may be a path
        return False


def _end(told: str) -> _End:
    host, _, port = told.rpartition(":")
    return host.strip("[]"), int(port)


def _local(listening: _End, theirs: _End) -> _End:
    """Give our end of a connection: who listens on all addresses was called by one of them."""
    if not ipaddress.ip_address(listening[0]).is_unspecified:
        return listening
    family = socket.AF_INET6 if ":" in theirs[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as way:
        way.connect(theirs)  # nothing is sent
        return way.getsockname()[0], listening[1]


def _is_open(kernel: socket.socket, ours: _End, theirs: _End) -> bool:
    family = socket.AF_INET6 if ":" in theirs[0] else socket.AF_INET
    packed = (ipaddress.ip_address(host).packed.ljust(16, b"\0") for host, _ in (ours, theirs))
    ends = struct.pack("!HH16s16s", ours[1], theirs[1], *packed)
    asked = struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 0, _ANY) + ends
    asked += struct.pack("=III", 0, _ANY, _ANY)  # on any interface, whatever its cookie
    head = struct.pack("=IHHII", 16 + len(asked), _BY_FAMILY, _REQUEST, 0, 0)
    kernel.sendto(head + asked, (0, 0))
    told = kernel.recv(4096, socket.MSG_DONTWAIT)
    (kind,) = struct.unpack_from("=H", told, 4)
    return kind != _ERROR and told[17] == _ESTABLISHED
