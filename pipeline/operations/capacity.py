"""How much hardware a load needs: what a touchpoint costs, times how many there are. PURE.

`python -m tests.bench.capacity` measures the same and prints both.
"""

from datetime import timedelta
from math import ceil
from typing import NamedTuple

SINGLE_SECONDS = 120e-6
"""Processor time of the collector for a call with one touchpoint, as a beacon sends it."""
TRACK_SECONDS = 300e-6
"""Of the tracker for a touchpoint that comes in no order, with the five models."""
SINK_SECONDS = 80e-6
"""Of the sink for a touchpoint and the facts that it changes."""
KAFKA_BYTES = 6_000
"""In `touchpoints.raw` and the topics of the tables, without replicas."""
CLICKHOUSE_BYTES = 600
"""In all tables, merged."""
TRACKER_BYTES = 450e6
"""Of a tracker that remembers nobody: the process, and what it is just sending."""
VISITOR_BYTES = 1_500
"""In the tracker's memory, for a visitor."""
EVIDENCE_BYTES = 270
"""In the tracker's memory, for a touchpoint that is still evidence."""

BUSY = 0.5
"""A process is planned for half of a core: the rest catches up after an outage."""
LARGEST_MEMORY = 4e9
"""The most that a tracker is planned to remember: whoever takes over reads it back."""
_DAY = timedelta(days=1)


class Load(NamedTuple):
    """What comes in: touchpoints and visitors on a usual day, and the busiest second."""

    touchpoints: int
    visitors: int
    peak: float

    @property
    def a_second(self) -> float:
        """Give the touchpoints of the busiest second."""
        return self.touchpoints / _DAY.total_seconds() * self.peak


class Kept(NamedTuple):
    """For how long things are kept, by the settings; a table of None is kept for ever."""

    replicas: int
    topics: timedelta
    evidence: timedelta
    visitor: timedelta
    tables: timedelta | None


class Needs(NamedTuple):
    """What that takes: processes of one core each, bytes, and partitions."""

    collectors: int
    trackers: int
    sinks: int
    partitions: int
    tracker_bytes: float
    kafka_bytes: float
    clickhouse_bytes: float


def needs(load: Load, kept: Kept) -> Needs:
    """Give what `load` takes; ClickHouse's bytes are those of a year if a table forgets nothing."""
    memory = (
        load.visitors * (kept.visitor / _DAY) * VISITOR_BYTES
        + load.touchpoints * (kept.evidence / _DAY) * EVIDENCE_BYTES
    )
    trackers = max(_processes(load, TRACK_SECONDS), ceil(memory / LARGEST_MEMORY))
    sinks = _processes(load, SINK_SECONDS)
    return Needs(
        collectors=_processes(load, SINGLE_SECONDS),
        trackers=trackers,
        sinks=sinks,
        partitions=max(4, 2 * trackers, 2 * sinks),
        tracker_bytes=TRACKER_BYTES + memory / trackers,
        kafka_bytes=load.touchpoints * (kept.topics / _DAY) * KAFKA_BYTES * kept.replicas,
        clickhouse_bytes=load.touchpoints
        * ((kept.tables or timedelta(days=365)) / _DAY)
        * CLICKHOUSE_BYTES,
    )


def _processes(load: Load, seconds: float) -> int:
    return max(1, ceil(load.a_second * seconds / BUSY))
