"""The bytes of a request body, bounded in size and time. Shell: reads, never looks inside."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Protocol

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.request import Headers
from schemas.dead_letter import Reason

_GZIP, _ZLIB, _BARE = 31, 15, -15
"""zlib's values for the largest window, after a header of gzip, of zlib, or none."""

_GZIP_MAGIC = b"\x1f\x8b"

PATIENCE_SECONDS = 10.0
"""For the head of a request, and again for its body; also how long an idle connection stays
open."""


class Upload(Protocol):
    """The part of granian's RSGI protocol that gives the body: whole, or piece by piece."""

    async def __call__(self) -> bytes: ...  # noqa: D102 - as RSGI has it

    def __aiter__(self) -> AsyncIterator[bytes]: ...


async def received(upload: Upload, headers: Headers, limit: int) -> bytes:
    """Read the body and unpack it; TurnedAway as `read` and `unpacked`, or because it is empty."""
    packed = await as_sent(upload, headers, limit)
    if not packed:
        raise TurnedAway(Reason.NOT_JSON, "the body is empty")
    return unpacked(packed, headers.get("content-encoding"), limit)


async def as_sent(upload: Upload, headers: Headers, limit: int) -> bytes:
    """Read the body as it was sent, which is what a sender signs; TurnedAway as `read`."""
    length = headers.get("content-length")
    return await read(upload, length, limit=limit, patience=PATIENCE_SECONDS)


async def read(upload: Upload, length: str | None, *, limit: int, patience: float) -> bytes:
    """Read the body; `length` is the Content-Length, if there is one.

    An empty body is valid: some SDKs send everything in the query.

    Raises:
        TurnedAway: over `limit` bytes, or not complete after `patience` seconds.
    """
    if length and int(length) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(patience):
            return await upload() if length else await _chunks(upload, limit)
    except TimeoutError:
        raise TurnedAway(
            Problem.TOO_SLOW, f"the body was not complete after {patience:g} seconds"
        ) from None


async def _chunks(upload: Upload, limit: int) -> bytes:
    body = bytearray()
    async for chunk in upload:
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def unpacked(body: bytes, encoding: str | None, limit: int) -> bytes:
    """Undo the Content-Encoding; no more than `limit` bytes are ever unpacked.

    A body that begins like gzip is unpacked even without a header: posthog-js sends it that way,
    and no text begins with these two bytes.

    Raises:
        TurnedAway: another encoding than gzip and deflate, over `limit`, cut off, or more than one
            member.
    """
    window = _window(body, encoding or "")
    if window is None:
        return body
    inflater = zlib.decompressobj(window)
    try:
        content = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise TurnedAway(
            Problem.BROKEN_GZIP, f"the body is not {encoding or 'gzip'}: {error}"
        ) from None
    if len(content) > limit:
        raise _too_large(limit)
    if not inflater.eof:
        raise TurnedAway(Problem.BROKEN_GZIP, "the packed body ends too early")
    if inflater.unused_data:
        raise TurnedAway(Problem.BROKEN_GZIP, "something follows the end of the packed body")
    return content


def _window(body: bytes, encoding: str) -> int | None:
    """Say how zlib reads the body; None if it is not packed."""
    steps = [each.strip().lower() for each in encoding.split(",")]
    told = [each for each in steps if each not in ("", "identity")]
    if not told:
        return _GZIP if body.startswith(_GZIP_MAGIC) else None
    if told in (["gzip"], ["x-gzip"]):
        return _GZIP
    if told == ["deflate"]:  # of zlib by the standard; some senders leave its header out
        is_zlib = body[:1] == b"x" and int.from_bytes(body[:2]) % 31 == 0
        return _ZLIB if is_zlib else _BARE
    raise TurnedAway(
        Problem.UNSUPPORTED_ENCODING, "Content-Encoding may be gzip or deflate, or absent"
    )


def _too_large(limit: int) -> TurnedAway:
    return TurnedAway(
        Reason.TOO_LARGE, f"a body has {limit} bytes at most, before and after gzip; split it"
    )
