"""Ports that nobody listens on."""

import random

from pipeline.local.ports import Address, free_ports, is_taken

__all__ = ["free_base", "free_ports"]


def free_base(count: int = 10) -> int:
    """Find a port with `count` - 1 free ones after it, below those that systems give out."""
    while True:
        base = random.randrange(10_000, 32_000)  # noqa: S311 - nobody has to guess it
        if not any(is_taken(Address("127.0.0.1", base + number)) for number in range(count)):
            return base
