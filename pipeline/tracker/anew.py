"""PURE: what a partition knows of the rebuilds of a site."""

import msgspec


class Anew(msgspec.Struct, array_like=True):
    """What is known of the rebuilds of a site.

    The newest is `at`, and it goes on, as it said at `heard_at`; 0: it has ended. The newest one of
    everybody is `all_at`.
    """

    at: int
    all_at: int = 0
    heard_at: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it is not at its end."""
        return self.heard_at > 0


def told_anew(site: str) -> str:
    """Name the clock of those of a site who are told anew."""
    return f"{site}\x1d"
