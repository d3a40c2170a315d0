"""PURE: how much of a visitor's history can still change.

A touchpoint out of order may change everything that its visitor did after it, so there must be a
limit. The newest evidence of each visitor stays open, at most `MOST`. If there is more, the older
half is closed. A touchpoint as old as the closed part is set aside: kept and counted, but part of
no session. This affects only visitors whose touchpoints arrive behind two thousand newer ones of
their own. It is decided touchpoint by touchpoint, in the order of the log, so batches, checkpoints
and crashes make no difference, and the oracle decides the same.
"""

from collections.abc import Iterable

from pipeline.journey.state import Evidence, encode_evidence

MOST = 512 * 1024
"""Most open evidence: a state must fit into a Kafka record and be folded in one go."""
_LIGHTEST = 128


def weight(seen: Evidence) -> int:
    """Give the weight of a touchpoint: its bytes, but at least a 4,096th of `MOST`."""
    return max(_LIGHTEST, len(encode_evidence(seen)))


def crowded_to(evidence: Iterable[Evidence]) -> int:
    """Give the time up to which evidence is closed so that half of `MOST` stays open."""
    left = MOST // 2
    for seen in sorted(evidence, key=Evidence.place, reverse=True):
        left -= weight(seen)
        if left < 0:
            return seen.at
    return 0
