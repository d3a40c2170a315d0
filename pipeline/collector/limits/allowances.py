"""How much each name may still spend, and how long it must wait after overdrawing. PURE.

This is a token bucket in one number: the moment at which the bucket is full again. Spending moves
that moment into the future, by as many seconds as the refill takes. A name that is more than
`window` seconds ahead is in debt. The cost is not known in advance, so a single request may
overdraw; the next one waits.
"""

from collections import OrderedDict


class Allowances:
    """Remembers `most` names; the one that was silent for longest is forgotten first.

    A burst may spend what `window` seconds bring. A debt is never longer than another `window`: a
    sender that stops is let in again by then.
    """

    def __init__(self, window: float, most: int) -> None:
        self._window = window
        self._most = most
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def wait_of(self, name: str, now: float) -> float:
        """Give the seconds until `name` may spend again; 0 if it may now."""
        wait = self._full_at.get(name, now) - now - self._window
        return wait if wait > 0 else 0.0

    def spend(self, name: str, seconds: float, now: float) -> None:
        """Note that `name` spent what is refilled in this many seconds."""
        full_at = self._full_at.get(name, now)
        full_at = max(full_at, now) + seconds
        longest = now + 2 * self._window
        self._full_at[name] = min(full_at, longest)
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
