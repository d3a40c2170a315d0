"""Who may send: write keys and origins. PURE. A key stands in the page: it names, it proves not."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from pipeline.collector.answers import Headers, Problem, TurnedAway
from pipeline.collector.request import Request
from schemas.codec import Refused

_HEADERS = (
    *("authorization", "content-type", "content-encoding"),
    *("anonymousid", "sentat", "sp-anonymous", "x-umami-cache"),
)
PREFLIGHT: Headers = [
    ("access-control-allow-methods", "GET, POST"),
    ("access-control-allow-headers", ", ".join(_HEADERS)),
    ("access-control-max-age", "86400"),
]
"""What a browser may send after it has asked."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Knows the site of each write key, and the allowed origins; none listed means all."""

    sites: Mapping[str, str]
    origins: Collection[str]

    def site(self, key: str | None) -> str:
        """Give the site of a write key; TurnedAway if it is none."""
        site = self.sites.get(key or "")
        if site is None:
            raise TurnedAway(
                Problem.UNKNOWN_WRITE_KEY,
                "no write key, or none of TOUCHSTREAM_WRITE_KEYS; docs/sdks.md says where each SDK "
                "has it",
            )
        return site

    def site_of(self, request: Request, key: Callable[[Request], str | None]) -> str:
        """Give the site of the write key that `key` finds; TurnedAway if there is none to find."""
        try:
            return self.site(key(request))
        except Refused as why:
            raise TurnedAway(why.reason, why.detail) from None

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
