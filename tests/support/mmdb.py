"""A writer of small MaxMind DB files, by the open specification (version 2.0, IPv6 tree)."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

_MARKER = b"\xab\xcd\xefMaxMind.com"
_TEXT, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 5, 6, 7, 9, 11
_UINTS = {"node_count": _UINT32, "build_epoch": _UINT64}


def write_mmdb(path: Path, networks: dict[str, dict[str, Any]]) -> Path:
    """Write a database in which each network has its record."""
    nodes: list[list[int | None]] = [[None, None]]
    places: list[int] = []
    data = b""
    for network, record in networks.items():
        _insert(nodes, ip_network(network), -1 - len(places))
        places.append(len(data))
        data += _value(record)
    count = len(nodes)

    def pointer(side: int | None) -> bytes:
        if side is None:
            return count.to_bytes(4, "big")
        return (side if side >= 0 else count + 16 + places[-1 - side]).to_bytes(4, "big")

    tree = b"".join(pointer(side) for node in nodes for side in node)
    about = {
        "node_count": count,
        "record_size": 32,
        "ip_version": 6,
        "database_type": "Test-Country",
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1_767_268_800,
        "description": {"en": "a test"},
    }
    path.write_bytes(tree + bytes(16) + data + _MARKER + _value(about))
    return path


def _insert(nodes: list[list[int | None]], network: IPv4Network | IPv6Network, leaf: int) -> None:
    """Lead from the root to `leaf`; IPv4 stands below ::/96."""
    bits = f"{int(network.network_address):0128b}"
    length = network.prefixlen + (96 if network.version == 4 else 0)
    node = 0
    for bit in map(int, bits[: length - 1]):
        child = nodes[node][bit]
        if child is None:
            nodes.append([None, None])
            child = nodes[node][bit] = len(nodes) - 1
        node = child
    nodes[node][int(bits[length - 1])] = leaf


def _value(value: Any, name: str = "") -> bytes:
    match value:
        case str():
            return _control(_TEXT, len(value.encode())) + value.encode()
        case int():
            digits = value.to_bytes((value.bit_length() + 7) // 8, "big")
            return _control(_UINTS.get(name, _UINT16), len(digits)) + digits
        case list():
            return _control(_ARRAY, len(value)) + b"".join(map(_value, value))
        case _:
            inner = b"".join(_value(key) + _value(part, key) for key, part in value.items())
            return _control(_MAP, len(value)) + inner


def _control(kind: int, size: int) -> bytes:
    """Kinds above seven have a byte of their own; sizes stay below 29 here."""
    assert size < 29
    return bytes([kind << 5 | size]) if kind <= 7 else bytes([size, kind - 7])
