"""The dead letter: invalid input, kept with its bytes. Floor 1: imports nothing of ours."""

import base64
import hashlib
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta
from pydantic import Field

from schemas.contract import Contract
from schemas.fields import Id, Instant, Name

Stage = Literal["collect", "import", "track", "sink", "webhook"]
Detail = Annotated[str, Field(max_length=2000), Meta(max_length=2000)]


class Reason(StrEnum):
    """Why input was refused: the closed list that the metrics and the docs use."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    NO_VISITOR_ID = "no_visitor_id"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_CHANNEL = "unknown_channel"
    MISSING_FIELD = "missing_field"
    INVALID_FIELD = "invalid_field"
    INVALID_TIME = "invalid_time"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    WRONG_PARTITION = "wrong_partition"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    TOO_MANY_NAMES = "too_many_names"
    NO_CONSENT = "no_consent"
    REFUSED_BY_CLICKHOUSE = "refused_by_clickhouse"
    NOT_DELIVERED = "not_delivered"


class DeadLetter(Contract, kw_only=True):
    """A row of `dead_letters`.

    `source` and `position` say where the bytes came from: a topic-partition and its offset, a
    file and its row, or a write key's site and the index in the batch. `payload` is text; bytes
    that are not UTF-8 stand there in base64, as `encoding` says. `request` is what else came with
    a call to the collector, as JSON: a replay reads it.
    """

    dead_letter_id: Id
    site: str
    stage: Stage
    reason: Reason
    detail: Detail
    source: Name
    position: int
    payload: str
    encoding: Literal["utf-8", "base64"]
    at: Instant
    request: str = ""

    def raw(self) -> bytes:
        """Give the refused bytes back, as they came."""
        if self.encoding == "base64":
            return base64.b64decode(self.payload)
        return self.payload.encode()


def dead_letter(
    raw: bytes,
    *,
    site: str,
    stage: Stage,
    reason: Reason,
    detail: str,
    source: str,
    position: int,
    at: Instant,
    request: str = "",
) -> DeadLetter:
    """Make the dead letter of `raw`; the same bytes from the same place give the same id."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (stage, source, str(position)):
        digest.update(part.encode() + b"\0")
    digest.update(raw)
    try:
        payload, encoding = raw.decode(), "utf-8"
    except UnicodeDecodeError:
        payload, encoding = base64.b64encode(raw).decode(), "base64"
    return DeadLetter(
        dead_letter_id=digest.hexdigest(),
        site=site,
        stage=stage,
        reason=reason,
        detail=detail[:2000],
        source=source,
        position=position,
        payload=payload,
        encoding="base64" if encoding == "base64" else "utf-8",
        at=at,
        request=request,
    )
