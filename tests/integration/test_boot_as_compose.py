"""docker-compose.yml without containers: our services start as it says, and show a touchpoint."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.compose import ROOT

_ALONE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


def has_namespaces() -> bool:
    tools = all(map(shutil.which, ("unshare", "setpriv", "ip", "mount")))
    return (
        tools
        and os.geteuid() == 0
        and subprocess.run([*_ALONE, "true"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.timeout(300)
@pytest.mark.skipif(not find_spec("chdb"), reason="chdb is not installed")
@pytest.mark.skipif(not has_namespaces(), reason="needs root, and Linux with namespaces")
def test_every_service_starts_as_the_file_says_and_a_touchpoint_gets_to_the_live_page(
    kafka_jars: None, tmp_path: Path
) -> None:
    """On a Kafka with TLS and a login, as the user of the image; tests/support/boot.py says how."""
    done = subprocess.run(
        [*_ALONE, sys.executable, "-m", "tests.support.boot", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.strip() for line in done.stdout.splitlines()] == [
        "topics ended with 0",
        "migrate ended with 0",
        "healthy: collector drain live sink tracker watch webhook",
        "the touchpoint is on the live page",
        "stopped: collector=0 drain=0 live=0 sink=0 tracker=0 watch=0 webhook=0",
    ]
