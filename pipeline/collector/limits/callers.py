"""Who calls: the address behind the proxies, its network, and whether it identifies a sender. PURE.

The client's address is written nowhere; limits work with networks, as touchpoints do.
"""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from pipeline.privacy.addresses import address_of, truncated_ip

Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]

_FORWARDED = "x-forwarded-for"
UNKNOWN_PORT = "0"
_FURTHEST = 16
"""Most hops that are read; further ones are ignored."""


class Proxies:
    """Finds the client behind the proxies of `trusted`, whose X-Forwarded-For is believed."""

    def __init__(self, trusted: Networks) -> None:
        self._trusted = trusted
        self._is_trusted = lru_cache(maxsize=1024)(self._is_one_of_ours)

    def client(self, peer: str, headers: Sequence[tuple[str, str]]) -> str:
        """Give the client of a connection from `peer`, both as address:port.

        It is the last address in X-Forwarded-For that is not a trusted proxy's: the client may have
        written everything before it. If the proxy does not tell its port, it is UNKNOWN_PORT.
        """
        host, _, port = peer.rpartition(":")
        if not self._is_trusted(host.strip("[]")):
            return peer
        told = ",".join(value for name, value in headers if name == _FORWARDED)
        for hop in reversed(told.rsplit(",", _FURTHEST)[-_FURTHEST:]):
            found = _address_and_port(hop)
            if found is None:
                break
            host, port = found
            if not self._is_trusted(host):
                break
        return f"[{host}]:{port}" if ":" in host.strip("[]") else f"{host}:{port}"

    @property
    def is_any(self) -> bool:
        """Whether any proxy is trusted."""
        return bool(self._trusted)

    def _is_one_of_ours(self, host: str) -> bool:
        try:
            address = address_of(host)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


def _address_and_port(hop: str) -> tuple[str, str] | None:
    """Read one hop: an address, some proxies add its port; None if it is none."""
    text, port = hop.strip(), ""
    if text.startswith("["):
        text, _, port = text[1:].partition("]")
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
    try:
        return str(ipaddress.ip_address(text)), port.strip(":") or UNKNOWN_PORT
    except ValueError:
        return None


def own_network(client: str) -> str:
    """Give the network of `client`, address:port, if it identifies a sender; otherwise empty.

    A private or local address may belong to anybody: a proxy that is not in the settings, a
    container gateway, a server of the shop.
    """
    network = truncated_ip(client)
    return network if _is_global(network) else ""


@lru_cache(maxsize=4096)
def _is_global(network: str) -> bool:
    return network != "" and ipaddress.ip_address(network).is_global
