"""Jitsu: Segment's calls on Jitsu's own paths, from pages and from servers (`s2s`). PURE.

https://docs.jitsu.com/sending-data/http-api has the paths. The write key is in `X-Write-Key`. A
server appends a colon and its secret, which is neither checked nor stored.
"""

from typing import get_args

from pipeline.collector.request import Request
from pipeline.collector.vocabularies.segment import batch, single, write_key
from pipeline.collector.vocabularies.vocabulary import Routes, Vocabulary
from schemas.touchpoint import TouchpointType


def _key(request: Request) -> str | None:
    told = request.header("x-write-key")
    return told.partition(":")[0] if told else write_key(request)


_batch = Vocabulary(_key, batch)

ROUTES: Routes = {
    **{
        ("POST", f"{start}/{kind}"): Vocabulary(_key, single, kind=kind)
        for start in ("/api/s", "/api/s/s2s")
        for kind in get_args(TouchpointType)
    },
    ("POST", "/api/s/batch"): _batch,
    ("POST", "/api/s/s2s/batch"): _batch,
}
