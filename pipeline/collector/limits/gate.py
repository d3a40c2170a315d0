"""Who may send: write keys and origins. PURE. A key is visible in the page: it proves nothing."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pipeline.collector.answers import Headers, Problem, TurnedAway
from pipeline.collector.request import Request
from pipeline.values.hosts import ascii_origin
from schemas.codec import Refused
from schemas.write_key import WriteKey

_MOST_HEADERS = 64
_HEADER = re.compile(r"[\w!#$%&'*+.^`|~-]{1,64}", re.ASCII)


class Sender(NamedTuple):
    """A write key by its name."""

    name: str
    key: WriteKey


@dataclass(slots=True)
class Gate:
    """Knows what each write key may do, and the allowed origins; an empty list allows all.

    A key with origins of its own may be used only by these pages.
    """

    keys: Mapping[str, WriteKey]
    origins: Collection[str]

    def sender(self, name: str | None, origin: str | None, now: datetime) -> Sender:
        """Give the write key called `name`; TurnedAway if it is unknown, or not for this page."""
        key = self.keys.get(name or "")
        if name is None or key is None:
            raise TurnedAway(
                Problem.UNKNOWN_WRITE_KEY,
                "no write key, or it is not in TOUCHSTREAM_WRITE_KEYS; docs/sdks.md says where "
                "each SDK has its key",
            )
        if key.not_after and now > key.not_after:
            raise TurnedAway(
                Problem.KEY_EXPIRED,
                f"this write key expired at {key.not_after.isoformat()}; use the new one",
                site=key.site,
            )
        if origin is not None and not _may(origin, key.origins or self.origins):
            raise TurnedAway(
                Problem.ORIGIN_NOT_ALLOWED,
                "this origin is not one of the write key's origins",
                site=key.site,
            )
        return Sender(name, key)

    def allow(self, origin: str | None) -> Headers:
        """Give the headers that let a page of `origin` read the answer; TurnedAway if it may not.

        The origin is reflected, with credentials: some SDKs require it, and cookies mean nothing
        here.
        """
        if origin is None:
            return []
        if not _may(origin, self.origins) and not self._is_of_a_key(origin):
            raise TurnedAway(
                Problem.ORIGIN_NOT_ALLOWED,
                "this origin is neither in TOUCHSTREAM_COLLECTOR_ORIGINS nor one of a write "
                "key's origins",
            )
        return [
            ("access-control-allow-origin", origin),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", "retry-after"),
            ("vary", "origin"),
        ]

    def origins_of(self, site: str) -> set[str]:
        """Name the web pages that only keys of `site` may be used by."""
        return {origin for key in self.keys.values() if key.site == site for origin in key.origins}

    def _is_of_a_key(self, origin: str) -> bool:
        return any(is_among(origin, key.origins) for key in self.keys.values())


def preflight(asked: str | None) -> Headers:
    """Allow all headers that a page has `asked` for.

    SDKs add headers to a retry, and others in every version; headers that no code reads do no harm.
    """
    names = (asked or "").lower().split(",", _MOST_HEADERS)[:_MOST_HEADERS]
    allowed = [name.strip() for name in names if _HEADER.fullmatch(name.strip())]
    return [
        ("access-control-allow-methods", "GET, POST"),
        ("access-control-allow-headers", ", ".join(allowed)),
        ("access-control-max-age", "86400"),
        ("vary", "access-control-request-headers"),
    ]


def _may(origin: str, origins: Collection[str]) -> bool:
    return not origins or is_among(origin, origins)


def is_among(origin: str, origins: Collection[str]) -> bool:
    """Tell whether a page belongs to one of `origins`, which may be written in Unicode."""
    return origin in origins or origin in map(ascii_origin, origins)


def key_name(request: Request, find: Callable[[Request], str | None]) -> str | None:
    """Give the name of the write key that `find` finds; TurnedAway if there is none."""
    try:
        return find(request)
    except Refused as why:
        raise TurnedAway(why.reason, why.detail) from None
