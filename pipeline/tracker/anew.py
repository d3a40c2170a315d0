"""PURE: what a partition knows about the rebuilds of a site."""

import msgspec


class Anew(msgspec.Struct, array_like=True):
    """The rebuilds of a site. The newest is `at`; it was last heard from at `heard_at`, 0 if it has
    ended.

    The newest rebuild of everybody is `all_at`.
    """

    at: int
    all_at: int = 0
    heard_at: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the rebuild is still running."""
        return self.heard_at > 0


def told_anew(site: str) -> str:
    """Name the clock of a site's people who are being rebuilt."""
    return f"{site}\x1d"
