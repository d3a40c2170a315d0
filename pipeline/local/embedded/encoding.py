"""Decompresses request bodies, never beyond a limit. Pure: bytes in, bytes out."""

import gzip
import sys
import zlib
from collections.abc import Callable
from io import BytesIO

import lz4.frame  # type: ignore[import-untyped]

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class TooLargeError(Exception):
    """The body unpacks to more than the limit."""


class DamagedError(Exception):
    """The body is not valid or not complete in its encoding."""


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """Unpack a body in one of ENCODINGS; raise TooLargeError beyond `limit`, or DamagedError."""
    try:
        unpacked = ENCODINGS[encoding](body, limit + 1)
    except (EOFError, OSError, RuntimeError, zlib.error, zstd.ZstdError) as error:
        raise DamagedError(f"The body is not {encoding}: {error}") from error
    if len(unpacked) > limit:
        raise TooLargeError
    return unpacked


def _gzip(body: bytes, size: int) -> bytes:
    return gzip.open(BytesIO(body)).read(size)


def _lz4(body: bytes, size: int) -> bytes:
    unpacked: bytes = lz4.frame.open(BytesIO(body)).read(size)
    return unpacked


def _zstd(body: bytes, size: int) -> bytes:
    return zstd.open(BytesIO(body)).read(size)


def _deflate(body: bytes, size: int) -> bytes:
    inflate = zlib.decompressobj()
    unpacked = inflate.decompress(body, size)
    if len(unpacked) < size and not inflate.eof:
        raise EOFError("it is truncated")
    return unpacked


ENCODINGS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "lz4": _lz4,
    "zstd": _zstd,
    "deflate": _deflate,
}
