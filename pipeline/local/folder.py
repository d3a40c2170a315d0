"""The folder where `touchstream up` keeps its data; one process at a time may use it. Shell."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.local.children import StackFailed
from pipeline.settings import BadSettings


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Lock the folder, so that no other process writes the same tables and logs.

    Raises:
        StackFailed: another process has locked it.
        BadSettings: it is not writable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "up.lock").open("w")
    except OSError as error:
        raise not_writable(folder, error) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StackFailed(
                f"another `touchstream up` uses {folder.absolute()}: stop it, or set "
                "TOUCHSTREAM_EMBEDDED_PATH to another folder"
            ) from None
        yield


def not_writable(folder: Path, error: OSError) -> BadSettings:
    """Build the error that says that `folder` is not writable, and what to do."""
    return BadSettings(
        f"cannot write to {folder.absolute()} ({os.strerror(error.errno or 0)}): start in a "
        "folder you may write to, or set TOUCHSTREAM_EMBEDDED_PATH to one"
    )
