"""Processes that outlive the one that started them. Linux only."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PR_SET_CHILD_SUBREAPER = 36


def children(pid: int) -> set[int]:
    """Name the processes that `pid` is the parent of."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text().rpartition(")")[2].split()[1]
        except OSError:  # it has ended meanwhile
            continue
        if int(parent) == pid:
            found.add(int(stat.parent.name))
    return found


@contextmanager
def adopting() -> Iterator[None]:
    """Become the parent of all descendants whose parent ends, so that `children` names them."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells who outlives its parent")
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0)
