"""How much each name may still take, and how long who took too much has to wait. PURE.

A token bucket in one number: the moment at which the bucket is full again. What somebody takes
moves it into the future, by as many seconds as it takes to be refilled; who is more than `window`
seconds ahead is in debt. Nobody is asked before how much it will be, so a single request may
overdraw; the next one waits.
"""

from collections import OrderedDict


class Allowances:
    """Remembers `most` names; whoever was silent for longest is forgotten first.

    A name may take at once what `window` seconds bring. A debt is never longer than another
    `window`: who stops is let in again by then.
    """

    def __init__(self, window: float, most: int) -> None:
        self._window = window
        self._most = most
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def wait_of(self, name: str, now: float) -> float:
        """Give the seconds until `name` may take again; 0 if it may now."""
        wait = self._full_at.get(name, now) - now - self._window
        return wait if wait > 0 else 0.0

    def spend(self, name: str, seconds: float, now: float) -> None:
        """Note that `name` spent what is refilled in so many seconds."""
        full_at = self._full_at.get(name, now)
        full_at = max(full_at, now) + seconds
        longest = now + 2 * self._window
        self._full_at[name] = min(full_at, longest)
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
