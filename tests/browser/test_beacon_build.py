"""beacon.min.js is what its sources build to. npm may have to fetch the builder."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.collector.beacon.script import FILE

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not shutil.which("npx"), reason="no Node: it builds the script")
def test_the_file_is_the_build_of_its_sources(tmp_path: Path) -> None:
    built = tmp_path / "beacon.min.js"
    make = ["make", "--no-print-directory", "beacon", f"OUT={built}"]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=False)
    if "npm error network" in done.stderr:
        pytest.skip("esbuild cannot be had: npm reaches no registry")
    assert 0 == done.returncode, done.stderr
    assert FILE.read_bytes() == built.read_bytes(), "beacon.min.js is old: run `make beacon`"
