"""A body is read within bounds: of size, of time, and of what gzip may blow it up to."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import pytest

from pipeline.collector import body
from pipeline.collector.answers import Problem, TurnedAway
from schemas.dead_letter import Reason

LIMIT = 1000
gzipped = partial(gzip.compress, mtime=0)
"""Without the time: two processes that run these tests must give them the same names."""
BOMB = gzipped(bytes(50_000_000))


@dataclass
class Upload:
    """A body that comes in chunks, with a pause before each."""

    chunks: list[bytes]
    pause: float = 0

    async def __call__(self) -> bytes:
        return b"".join([chunk async for chunk in self])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            await asyncio.sleep(self.pause)
            yield chunk


async def read(upload: Upload, length: str | None = None) -> bytes:
    return await body.read(upload, length, limit=LIMIT, patience=0.05)


async def turned_away(upload: Upload, length: str | None = None) -> Problem | Reason:
    with pytest.raises(TurnedAway) as why:
        await read(upload, length)
    return why.value.code


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert b"x" * LIMIT == await read(Upload([b"x" * LIMIT]), str(LIMIT))


async def test_a_body_that_announces_a_byte_more_is_not_even_begun() -> None:
    assert Reason.TOO_LARGE == await turned_away(Upload([], pause=1), str(LIMIT + 1))


async def test_chunks_are_put_together() -> None:
    assert b"abc" == await read(Upload([b"a", b"b", b"c"]))


@pytest.mark.parametrize("length", ["0", None])
async def test_an_empty_body_is_a_body(length: str | None) -> None:
    assert b"" == await read(Upload([]), length)


async def test_where_all_stands_in_the_body_an_empty_one_says_nothing() -> None:
    with pytest.raises(TurnedAway) as why:
        await body.received(Upload([]), {}, LIMIT)
    assert Reason.NOT_JSON == why.value.code


async def test_chunks_without_end_are_cut_off_at_the_limit() -> None:
    assert Reason.TOO_LARGE == await turned_away(Upload([b"x" * 600] * 1000))


@pytest.mark.parametrize("length", ["3", None])
async def test_a_slow_body_is_not_waited_for(length: str | None) -> None:
    assert Problem.TOO_SLOW == await turned_away(Upload([b"a", b"b", b"c"], pause=0.04), length)


@pytest.mark.parametrize("encoding", [None, "", "identity"])
def test_without_encoding_the_body_is_what_it_is(encoding: str | None) -> None:
    assert b"{}" == body.unpacked(b"{}", encoding, LIMIT)


@pytest.mark.parametrize("encoding", [None, "", "identity"])
def test_gzip_is_undone_even_if_no_header_says_so(encoding: str | None) -> None:
    assert b"x" * LIMIT == body.unpacked(gzip.compress(b"x" * LIMIT), encoding, LIMIT)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "gzip, identity"])
def test_gzip_is_undone_up_to_exactly_the_limit(encoding: str) -> None:
    assert b"x" * LIMIT == body.unpacked(gzip.compress(b"x" * LIMIT), encoding, LIMIT)


@pytest.mark.parametrize("window", [15, -15])
def test_deflate_is_undone_with_and_without_the_header_of_zlib(window: int) -> None:
    packing = zlib.compressobj(wbits=window)
    packed = packing.compress(b"x" * LIMIT) + packing.flush()
    assert b"x" * LIMIT == body.unpacked(packed, "deflate", LIMIT)


@pytest.mark.parametrize(
    ("packed", "encoding", "code"),
    [
        (gzipped(b"x" * (LIMIT + 1)), "gzip", Reason.TOO_LARGE),
        (BOMB, "gzip", Reason.TOO_LARGE),
        (BOMB, None, Reason.TOO_LARGE),
        (b"\x1f\x8b", None, Problem.BROKEN_GZIP),
        (gzipped(b"{}")[:-1], "gzip", Problem.BROKEN_GZIP),
        (gzipped(b"{}" * 99)[:15], "gzip", Problem.BROKEN_GZIP),
        (b"", "gzip", Problem.BROKEN_GZIP),
        (b"{}", "gzip", Problem.BROKEN_GZIP),
        (gzipped(b"{") + gzipped(b"}"), "gzip", Problem.BROKEN_GZIP),
        (gzipped(b"") * 10_000, "gzip", Problem.BROKEN_GZIP),
        (b"{}", "deflate", Problem.BROKEN_GZIP),
        (zlib.compress(b"x" * (LIMIT + 1)), "deflate", Reason.TOO_LARGE),
        (b"{}", "br", Problem.UNSUPPORTED_ENCODING),
        (b"{}", "gzip, gzip", Problem.UNSUPPORTED_ENCODING),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_cannot_be_unpacked_within_bounds_is_turned_away(
    packed: bytes, encoding: str | None, code: Problem | Reason
) -> None:
    with pytest.raises(TurnedAway) as why:
        body.unpacked(packed, encoding, LIMIT)
    assert code == why.value.code
