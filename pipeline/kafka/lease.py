"""How long a member of a group may speak for its partitions. PURE: the clock is an argument.

A process that stands still for longer than the group waits (SIGSTOP, a paused virtual machine, a
machine that swaps) does not notice. When it goes on, its partitions are another's, and what it
would still write nobody could take back. Kafka refuses its commits, and nothing else.
"""

import math
from collections.abc import Callable

from schemas.errors import TouchstreamError


class LeaseLost(TouchstreamError):
    """The process stood still for too long; it is to be started again."""


class Lease:
    """Renewed again and again by the process's own loop, and held before each write.

    It begins with the first renewal: before that the process is no member of anything.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._renewed_at = math.inf

    def hold(self) -> None:
        """Raise LeaseLost if it was not renewed for `seconds`."""
        still = self._clock() - self._renewed_at
        if still > self._seconds:
            raise LeaseLost(
                f"this process stood still for {still:.0f} s: another may have its partitions"
            )

    def renew(self) -> None:
        """Renew it; LeaseLost if it is too late."""
        self.hold()
        self._renewed_at = self._clock()
