"""The Kafka topics: names, keys, retention. Floor 1: imports nothing of ours.

Each record has a key and one JSON object, so that every Kafka tool can read and write them. (A
value may also hold several lines; our readers accept both.) All topics with the visitor as key have
the same number of partitions: the tracker's state for a partition of `touchpoints.raw` is in the
partition of `tracker-state` with the same number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from schemas.times import DAY_MS

Headers = Sequence[tuple[str, bytes]]
"""Headers of a record."""


def milliseconds_of(span: timedelta) -> int:
    """Give a length of time as Kafka writes it."""
    return span // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as `touchstream topics` creates it."""

    name: str
    key: str
    value: str
    cleanup: Literal["delete", "compact", "compact,delete"] = "delete"
    retention_ms: int = 7 * DAY_MS
    extra: dict[str, str] = field(default_factory=dict)

    def config(self, retention: timedelta | None = None) -> dict[str, str]:
        """Return the broker's settings for this topic, with another `retention` if it is given."""
        kept = milliseconds_of(retention) if retention else self.retention_ms
        return {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(kept),
            **self.extra,
        }


RAW = Topic("touchpoints.raw", key="site:visitor_id", value="Touchpoint, tick or message")
OVERFLOW = Topic("touchpoints.overflow", key="site", value="Touchpoint")
TOUCHPOINTS = Topic("touchpoints", key="site:visitor_id", value="TouchpointRow")
SESSIONS = Topic("sessions", key="site:visitor_id", value="Session")
TRANSITIONS = Topic("transitions", key="site:visitor_id", value="Transition")
ABANDONMENTS = Topic("abandonments", key="site:visitor_id", value="Abandonment")
IDENTITIES = Topic("identities", key="site:visitor_id", value="Identity")
LINKS = Topic("links", key="site:visitor_id", value="Link")
DEAD_LETTERS = Topic("dead-letters", key="site", value="DeadLetter", retention_ms=30 * DAY_MS)
STATE = Topic(
    "tracker-state",
    key="site:visitor_id",
    value="the tracker's state, MessagePack",
    # Nothing expires; `delete` is there because `touchstream replay topic` empties it.
    cleanup="compact,delete",
    retention_ms=-1,
    # A broker's own limit of bytes would cut it at its front.
    extra={
        "retention.bytes": "-1",
        "min.cleanable.dirty.ratio": "0.1",
        "segment.ms": str(DAY_MS),
    },
)

ALL = (
    *(RAW, TOUCHPOINTS, SESSIONS, TRANSITIONS, ABANDONMENTS, IDENTITIES, LINKS),
    *(OVERFLOW, DEAD_LETTERS, STATE),
)

TABLES = {
    TOUCHPOINTS.name: "touchpoints",
    SESSIONS.name: "sessions",
    TRANSITIONS.name: "transitions",
    ABANDONMENTS.name: "abandonments",
    IDENTITIES.name: "identities",
    LINKS.name: "links",
    DEAD_LETTERS.name: "dead_letters",
}
"""The ClickHouse table for the records of each topic."""


def record_key(site: str, visitor_id: str) -> bytes:
    """Return the key that keeps a visitor's records in one partition, in order."""
    return f"{site}:{visitor_id}".encode()
