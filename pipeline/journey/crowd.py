"""PURE: how much of a visitor can still change.

Out of order, a touchpoint may change everything its visitor did after it, so that must have an end.
Of each visitor the newest evidence stays open, `MOST` at most; when there is more, the older half
of it is closed, and a touchpoint as old as that is set aside: kept and counted, but part of no
session. Only somebody whose touchpoints arrive behind two thousand newer ones of their own
meets this.

It is decided touchpoint by touchpoint, in the order of the log, so batches, checkpoints and crashes
make no difference, and the oracle decides the same.
"""

from collections.abc import Iterable

from pipeline.journey.state import Evidence, encode_evidence

MOST = 512 * 1024
"""Of open evidence: a state must fit into a record of Kafka, and all of it be folded at once."""
_LIGHTEST = 128


def weight(seen: Evidence) -> int:
    """Give what a touchpoint counts for: its bytes, or so many that 4,096 are the most."""
    return max(_LIGHTEST, len(encode_evidence(seen)))


def crowded_to(evidence: Iterable[Evidence]) -> int:
    """Give the time up to which evidence is closed so that half of `MOST` stays open."""
    left = MOST // 2
    for seen in sorted(evidence, key=Evidence.place, reverse=True):
        left -= weight(seen)
        if left < 0:
            return seen.at
    return 0
