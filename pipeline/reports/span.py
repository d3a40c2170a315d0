"""PURE: what to report on, a site and a span of time; and every answer as JSON."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.errors import Unusable
from schemas.times import milliseconds

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


END = datetime(2200, 1, 1, tzinfo=UTC)


class ReversedSpan(Unusable):
    """A span that ends before it begins."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """What to report on: a site (empty: all), from `start` up to, not including, `end`.

    Raises:
        ReversedSpan: `end` is not after `start`.
    """

    site: str = ""
    start: datetime = BEGINNING
    end: datetime = END

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ReversedSpan(
                f"from {self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} is no time at all: "
                "the end must be later, and is not included"
            )

    def parameters(self) -> dict[str, Any]:
        """Return the values of the parameters that all statements here share."""
        start, end = (milliseconds(moment) for moment in (self.start, self.end))
        return {"site": self.site, "start": start, "end": end}

    def asked(self) -> dict[str, Any]:
        """Return the parameters of a question."""
        return {"site": self.site, "start": self.start, "end": self.end}


def as_json(answer: object) -> bytes:
    """Write a report, or another answer, as JSON for programs."""
    return msgspec.json.Encoder(decimal_format="number").encode(answer)


IN_SPAN = """({{site:String}} = '' OR site = {{site:String}})
    AND {time} >= fromUnixTimestamp64Milli({{start:Int64}})
    AND {time} < fromUnixTimestamp64Milli({{end:Int64}})"""
