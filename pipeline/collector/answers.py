"""The answers to senders: status, code and sentence. PURE, and the only place that knows statuses.

`docs/errors.md` has the same list for readers; a test compares them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from typing import Any

from schemas.codec import Refused, encode
from schemas.dead_letter import Reason

_LONGEST_DETAIL = 500


class Problem(StrEnum):
    """Why a whole request was turned away, before its content was read."""

    NOT_FOUND = "not_found"
    UNKNOWN_WRITE_KEY = "unknown_write_key"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    UNSUPPORTED_ENCODING = "unsupported_encoding"
    BROKEN_GZIP = "broken_gzip"
    TOO_SLOW = "too_slow"
    UNAVAILABLE = "unavailable"
    BAD_SIGNATURE = "bad_signature"
    KEY_EXPIRED = "key_expired"
    TOO_MANY_REQUESTS = "too_many_requests"
    QUOTA_EXCEEDED = "quota_exceeded"


class TurnedAway(Exception):
    """A request that is turned away: the closed `code`, and a sentence for a person.

    `retry_after` is the number of seconds after which it may come again; 0 if `code` says it, or
    never. `site` is the site of the request, if it is known already.
    """

    def __init__(
        self, code: Problem | Reason, detail: str, retry_after: float = 0.0, site: str = ""
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.site = site


_BAD_REQUEST = 400
TOO_MANY = 429
STATUSES: dict[Problem | Reason, int] = {
    Reason.NOT_JSON: _BAD_REQUEST,
    Reason.NOT_AN_OBJECT: _BAD_REQUEST,
    Reason.NO_VISITOR_ID: _BAD_REQUEST,
    Reason.UNKNOWN_TYPE: _BAD_REQUEST,
    Reason.MISSING_FIELD: _BAD_REQUEST,
    Reason.INVALID_FIELD: _BAD_REQUEST,
    Reason.INVALID_TIME: _BAD_REQUEST,
    Reason.TIME_OUT_OF_RANGE: _BAD_REQUEST,
    Reason.TOO_DEEP: _BAD_REQUEST,
    Reason.TOO_MANY_NAMES: _BAD_REQUEST,
    Reason.NO_CONSENT: 403,
    Reason.TOO_LARGE: 413,
    Problem.BROKEN_GZIP: _BAD_REQUEST,
    Problem.UNKNOWN_WRITE_KEY: 401,
    Problem.ORIGIN_NOT_ALLOWED: 403,
    Problem.NOT_FOUND: 404,
    Problem.TOO_SLOW: 408,
    Problem.UNSUPPORTED_ENCODING: 415,
    Problem.UNAVAILABLE: 503,
    Problem.BAD_SIGNATURE: 401,
    Problem.KEY_EXPIRED: 401,
    Problem.TOO_MANY_REQUESTS: TOO_MANY,
    Problem.QUOTA_EXCEEDED: TOO_MANY,
}

RETRY_AFTER: dict[Problem | Reason, int] = {
    Problem.UNAVAILABLE: 5,
    Problem.TOO_MANY_REQUESTS: 1,
    Problem.QUOTA_EXCEEDED: 3600,
}
"""Seconds after which a retry may work; a retry after any other code is useless."""

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=lambda: [("content-type", "application/json")])

    def with_headers(self, headers: Headers) -> "Answer":
        """Give the same answer with `headers` added."""
        return Answer(self.status, self.body, self.headers + headers) if headers else self


ACCEPTED = Answer(200, b'{"success":true}')

PIXEL = Answer(
    200,
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;",
    [("content-type", "image/gif"), ("cache-control", "no-store")],
)
"""Transparent, 1 x 1: the answer to an `<img>` that reports something."""


def refusal(code: Problem | Reason, detail: str, retry_after: float = 0.0) -> Answer:
    """Say why nothing of the request was accepted, and when it may be sent again."""
    answer = Answer(STATUSES[code], encode({"error": code, "detail": detail[:_LONGEST_DETAIL]}))
    if code in RETRY_AFTER:
        seconds = max(ceil(retry_after), 1) if retry_after else RETRY_AFTER[code]
        return answer.with_headers([("retry-after", str(seconds))])
    return answer


def outcome(
    is_batch: bool, accepted: int, refused: Sequence[tuple[int, Refused]], success: Answer
) -> Answer:
    """Give `success`, or say which calls were refused: those of a batch by index."""
    if not refused:
        return success
    if not is_batch:
        why = refused[0][1]
        return refusal(why.reason, why.detail)
    body: dict[str, Any] = {
        "success": accepted > 0,
        "accepted": accepted,
        "refused": [
            {"index": index, "error": why.reason, "detail": why.detail[:_LONGEST_DETAIL]}
            for index, why in refused
        ],
    }
    return Answer(200 if accepted else _BAD_REQUEST, encode(body))
