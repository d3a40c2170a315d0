"""PURE: touchpoints of a visitor that were read but not folded yet."""

import msgspec

from pipeline.journey import crowd
from pipeline.journey.memory import repeated
from pipeline.journey.state import (
    Evidence,
    decode_place,
    decode_state,
    is_known,
    read_visitor,
    recall,
)


class Waiting(msgspec.Struct, gc=False):
    """Touchpoints of a visitor, by id, that are not in its state yet.

    `offset` and `now`, the site's time, are those of the last one. About the `stored` state it is
    known up to which offset it reflects the log, how much of it can change (`count` touchpoints up
    to `newest`, and their `weight`), and up to which time it is closed (`pipeline.journey.crowd`).
    With `held` touchpoints it was dear.
    """

    site: str
    visitor_id: str
    evidence: dict[str, Evidence] = msgspec.field(default_factory=dict)
    offset: int = -1
    now: int = 0
    stored: bytes = b""
    known_offset: int = -1
    weight: int = 0
    sealed_to: int = 0
    count: int = 0
    newest: msgspec.Raw = msgspec.Raw()
    held: int = 0

    def follow(self, stored: bytes, before: int) -> None:
        """Let the touchpoints follow those of the `stored` state, unless it is from `before`."""
        known = read_visitor(stored)
        if known.offset >= before:
            self.stored, self.known_offset = stored, known.offset
            self.weight, self.sealed_to = known.weight, known.sealed_to
            self.count, self.newest = known.count, known.newest

    def is_dear(self, most: int) -> bool:
        """Tell whether the fold would repeat more than `most` touchpoints for each that waits."""
        waiting = len(self.evidence)
        if self.held == waiting:
            return waiting > 0
        self.held = 0
        if (
            self.count > most * waiting and waiting
        ):  # so it is with few, and fewer come out of order
            first = min(map(Evidence.place, self.evidence.values()))
            is_late = first <= decode_place(self.newest)
            if is_late and repeated(decode_state(self.stored), first) > most * waiting:
                self.held = waiting
        return self.held > 0

    def knows(self, touchpoint_id: str) -> bool:
        """Tell whether a touchpoint already waits or is part of the state."""
        return touchpoint_id in self.evidence or is_known(self.stored, touchpoint_id)

    def add(self, seen: Evidence, offset: int, now: int) -> None:
        """Add a new touchpoint; once there are too many, the oldest are closed."""
        self.evidence[seen.id] = seen
        self.offset, self.now = offset, now
        self.weight += crowd.weight(seen)
        if self.weight > crowd.MOST:
            open_ = recall(decode_state(self.stored)) if self.stored else []
            closed_to = crowd.crowded_to([*open_, *self.evidence.values()])
            self.sealed_to = max(self.sealed_to, closed_to)
            self.weight = crowd.MOST // 2
