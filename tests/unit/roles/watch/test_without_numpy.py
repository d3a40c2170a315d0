"""Without the extra the command says what to install."""

import subprocess
import sys

_PROGRAM = "import sys; sys.modules['numpy'] = None; from pipeline.cli import main; main(['watch'])"


def test_without_numpy_the_watch_says_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "pip install 'touchstream[watch]'" in done.stderr
    assert "Traceback" not in done.stderr
