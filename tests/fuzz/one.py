"""The coverage-guided fuzzer on one target, in a process of its own: `guided` starts it.

    python -m tests.fuzz.one TARGET FINDINGS [libFuzzer's options and folders]

What comes out of the target is written to the folder FINDINGS, once for each place that it comes
from, and the search goes on. Only too much memory or time ends the process.
"""

import hashlib
import re
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris

from tests.fuzz.mutate import chance, changed

OURS = ("pipeline", "schemas", "sinks")
SLOW_SECONDS = 1.0
"""Of the processor, and counting coverage takes a part of it."""


class Watched:
    """Runs a target and keeps what it should not have done in `folder`."""

    def __init__(self, run: Callable[[bytes], None], folder: Path) -> None:
        self._run = run
        self._folder = folder
        self._known: set[str] = set()

    def __call__(self, data: bytes) -> None:
        began = time.process_time()
        try:
            self._run(data)
        except Exception as error:  # noqa: BLE001 - any is a finding
            self._keep(data, _place(error), traceback.format_exc(limit=-12))
        taken = time.process_time() - began
        if taken > SLOW_SECONDS:
            self._keep(data, "slow", f"{taken:.1f} seconds for {len(data)} bytes\n")

    def _keep(self, data: bytes, place: str, story: str) -> None:
        if place in self._known:
            return
        self._known.add(place)
        name = f"{place}-{hashlib.sha256(data).hexdigest()[:8]}"
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).write_bytes(data)
        (self._folder / f"{name}.txt").write_text(story)


_SHARE_OF_VALUES = 0.5


def _place(error: Exception) -> str:
    """Name where in our code an exception comes from: the same place is the same finding."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        frame for frame in frames if re.search(r"/(pipeline|schemas|sinks|tests)/", frame.filename)
    ]
    last = ours[-1]
    return f"{type(error).__name__}-{Path(last.filename).stem}-{last.lineno}"


def mutated(data: bytes, longest: int, seed: int) -> bytes:
    """Change an input: every second time a value in it, else some of its bytes."""
    rng = chance(seed)
    other = changed(data, rng) if rng.random() < _SHARE_OF_VALUES else None
    if other is None or len(other) > longest:
        return bytes(atheris.Mutate(data, longest))
    return other


def main() -> None:
    name, findings, *options = sys.argv[1:]
    atheris.enabled_hooks.add("str")
    with atheris.instrument_imports(include=list(OURS)):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - counted while it is imported
    watched = Watched(TARGETS[name].run, Path(findings))
    atheris.Setup([sys.argv[0], *options], watched, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
