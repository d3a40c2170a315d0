"""PURE: of what to report, a site and a span of time; and every answer as JSON."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.times import milliseconds

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


END = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Span:
    """Of what to report: a site (empty: all), from `start` up to, not including, `end`."""

    site: str = ""
    start: datetime = BEGINNING
    end: datetime = END

    def parameters(self) -> dict[str, Any]:
        """Give the values of the parameters that every statement here has."""
        start, end = (milliseconds(moment) for moment in (self.start, self.end))
        return {"site": self.site, "start": start, "end": end}

    def asked(self) -> dict[str, Any]:
        """Give the parameters of a question."""
        return {"site": self.site, "start": self.start, "end": self.end}


def as_json(answer: object) -> bytes:
    """Write a report, or the answer to another question, for machines."""
    return msgspec.json.Encoder(decimal_format="number").encode(answer)


IN_SPAN = """({{site:String}} = '' OR site = {{site:String}})
    AND {time} >= fromUnixTimestamp64Milli({{start:Int64}})
    AND {time} < fromUnixTimestamp64Milli({{end:Int64}})"""
