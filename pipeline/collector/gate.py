"""Who may send: write keys and origins. PURE. A key stands in the page: it names, it proves not."""

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pipeline.collector.answers import Headers, Problem, TurnedAway
from pipeline.collector.intake import write_key_in
from schemas.codec import Refused

PREFLIGHT: Headers = [
    ("access-control-allow-methods", "POST"),
    ("access-control-allow-headers", "authorization, content-type, content-encoding"),
    ("access-control-max-age", "86400"),
]
"""What a browser may send after it has asked."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Knows the site of each write key, and the allowed origins; none listed means all."""

    sites: Mapping[str, str]
    origins: Collection[str]

    def site(self, authorization: str | None, payload: bytes) -> str:
        """Give the site of the write key; TurnedAway without a known one."""
        try:
            key = _user_name(authorization) if authorization else write_key_in(payload)
        except Refused as why:
            raise TurnedAway(why.reason, why.detail) from None
        site = self.sites.get(key or "")
        if site is None:
            raise TurnedAway(
                Problem.UNKNOWN_WRITE_KEY,
                "send the write key as user name of Basic authentication, or as `writeKey`",
            )
        return site

    def allow(self, origin: str | None) -> Headers:
        """Give the headers that let a page of `origin` read the answer; TurnedAway if it may not.

        An origin is reflected, with credentials: some SDKs insist, and no cookie means anything
        here.
        """
        if origin is None:
            return []
        if self.origins and origin not in self.origins:
            raise TurnedAway(
                Problem.ORIGIN_NOT_ALLOWED, "this origin is not in TOUCHSTREAM_COLLECTOR_ORIGINS"
            )
        return [
            ("access-control-allow-origin", origin),
            ("access-control-allow-credentials", "true"),
            ("vary", "origin"),
        ]


@lru_cache(maxsize=1024)
def _user_name(authorization: str) -> str | None:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(credentials).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None
