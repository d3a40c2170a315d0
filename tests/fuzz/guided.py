"""The coverage-guided fuzzer on all targets: `python -m tests.fuzz.guided --minutes 10`.

Every target has a process of its own and the same share of the time, two targets run at once. The
inputs that reached something new stay in `.cache/fuzz` and are where the next run begins. Findings
stand in `.cache/fuzz/findings`: an input, and beside it what happened.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.targets import TARGETS, found

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "fuzz"
MOST_MEMORY_MB = 1024
LONGEST_SECONDS = 20
"""For one input. In a process that counts coverage, on a machine that does other things too."""

_LARGEST_INPUT = 16_384
_WORKERS = 2


@dataclass(frozen=True)
class Outcome:
    """What became of a target."""

    name: str
    executions: int
    coverage: int
    memory_mb: int
    findings: Sequence[Path]

    def __str__(self) -> str:
        told = f"{self.name:13} {self.executions:>10,} {self.coverage:>8,} {self.memory_mb:>6,} MB"
        return "\n".join(
            [f"{told} {len(self.findings):>8}", *(f"    {each}" for each in self.findings)]
        )


def fuzz(name: str, seconds: float, cache: Path = CACHE) -> Outcome:
    """Fuzz a target for so long; what is found and what is worth keeping goes to `cache`."""
    corpus, examples, findings = (
        cache / part / name for part in ("corpus", "examples", "findings")
    )
    shutil.rmtree(findings, ignore_errors=True)
    for folder in (corpus, examples, findings):
        folder.mkdir(parents=True, exist_ok=True)
    inputs = [*TARGETS[name].examples(), *(path.read_bytes() for path in found(name))]
    for number, example in enumerate(inputs):
        (examples / str(number)).write_bytes(example)
    told = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzz.one", name, str(findings)),
            f"-max_total_time={seconds:.0f}",
            f"-rss_limit_mb={MOST_MEMORY_MB}",
            f"-timeout={LONGEST_SECONDS}",
            f"-max_len={_LARGEST_INPUT}",
            f"-artifact_prefix={findings}/",
            "-print_final_stats=1",
            *(str(corpus), str(examples)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if told.returncode:
        (findings / "ended.txt").write_text(told.stdout + told.stderr)
    left = sorted(path for path in findings.glob("*"))
    return Outcome(
        name,
        _last(r"stat::number_of_executed_units:\s*(\d+)", told.stderr),
        _last(r"cov: (\d+)", told.stderr),
        _last(r"stat::peak_rss_mb:\s*(\d+)", told.stderr),
        [path for path in left if path.suffix != ".txt" or path.name == "ended.txt"],
    )


def _last(pattern: str, text: str) -> int:
    """Give the last number that `pattern` finds, or 0."""
    return int((re.findall(pattern, text) or ["0"])[-1])


def main() -> int:
    """Fuzz the targets that are named, or all; 1 if something was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", help=f"some of {', '.join(TARGETS)}; or none for all")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all together")
    told = parser.parse_args()
    if unknown := set(told.targets) - TARGETS.keys():
        parser.error(f"no target is called {', '.join(sorted(unknown))}")
    if find_spec("atheris") is None:
        print("skipped: atheris is for Linux on x86-64 with Python 3.11 to 3.13 only")
        return 0
    names = told.targets or list(TARGETS)
    seconds = told.minutes * 60 * min(_WORKERS, len(names)) / len(names)
    print(f"{len(names)} targets, {seconds:.0f} seconds each, {_WORKERS} at once")
    print("target        executions coverage   memory findings", flush=True)
    outcomes = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        for outcome in pool.map(lambda name: fuzz(name, seconds), names):
            print(outcome, flush=True)
            outcomes.append(outcome)
    findings = sum(len(outcome.findings) for outcome in outcomes)
    executions = sum(outcome.executions for outcome in outcomes)
    memory = max(outcome.memory_mb for outcome in outcomes)
    print(f"{executions:,} executions, {findings} findings, {memory:,} MB at most")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
