"""What came with a refused call besides its bytes; its dead letter keeps it. PURE.

The bytes alone do not say everything: the path names the vocabulary, a header the browser, and the
network and the day make the visitor of who sent no id.
"""

from datetime import datetime
from typing import Literal

from msgspec import DecodeError, Struct, json

from pipeline.collector.arrival import Arrival, KnownVisitors
from schemas.codec import encode

Held = Literal["call", "event", "body", "query"]
"""What a letter holds: a call of Segment's, which most vocabularies have translated theirs into; an
event that could not be translated; a body or query that could not be split into events."""


class Circumstances(Struct, frozen=True, omit_defaults=True):
    """The parts of an `Arrival` that make a difference, and what the letter holds."""

    path: str = ""
    holds: Held = "call"
    user_agent: str = ""
    ip: str = ""
    country: str = ""
    currency: str = ""
    daily_visitor: str = ""
    is_of_page: bool = False
    sent_at: datetime | None = None

    def arrival(self, site: str, at: datetime, known: KnownVisitors) -> Arrival:
        """Give the arrival of then; `known` knows the daily visitors of pages."""
        return Arrival(
            site,
            at,
            user_agent=self.user_agent,
            ip=self.ip,
            country=self.country,
            currency=self.currency,
            daily_visitor=self.daily_visitor,
            sent_at=self.sent_at,
            path=self.path,
            known=known if self.is_of_page else None,
        )


def written(arrival: Arrival, holds: Held) -> str:
    """Write the circumstances of `arrival` as JSON."""
    told = Circumstances(
        path=arrival.path,
        holds=holds,
        user_agent=arrival.user_agent,
        ip=arrival.ip,
        country=arrival.country,
        currency=arrival.currency,
        daily_visitor=arrival.daily_visitor,
        is_of_page=arrival.known is not None,
        sent_at=arrival.sent_at,
    )
    return encode(told).decode()


def read(text: str) -> Circumstances:
    """Read them back; letters of other stages have none."""
    try:
        return json.decode(text, type=Circumstances)
    except DecodeError:
        return Circumstances()
