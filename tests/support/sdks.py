"""Unmodified SDKs of other companies, from npm and PyPI, pinned, in `.cache`."""

import asyncio
import fcntl
import hashlib
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_BROWSER = _ROOT / "tests" / "browser"
SDKS = _BROWSER / "sdks"


async def npm_folder(of: Path = _BROWSER) -> Path:
    """Give a folder with the `node_modules` of a `package-lock.json`; skip if there can be none."""
    lock = of / "package-lock.json"
    folder = _folder("npm", lock)
    async with _alone_in(folder):
        if not (folder / "ready").exists():
            if not shutil.which("npm") or not shutil.which("node"):
                pytest.skip("no Node; on Debian: apt-get install nodejs npm")
            for file in (lock, of / "package.json"):
                shutil.copy(file, folder)
            await _done("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)
            (folder / "ready").touch()
    return folder


async def python_of_pypi() -> Path:
    """Give the Python of an environment with `requirements.txt`; skip if there can be none."""
    wanted = SDKS / "requirements.txt"
    folder = _folder("pypi", wanted)
    python = folder / "bin" / "python"
    async with _alone_in(folder):
        if not (folder / "ready").exists():
            await _done(sys.executable, "-m", "venv", str(folder), folder=folder)
            pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            await _done(*pip, "--only-binary", ":all:", "--requirement", str(wanted), folder=folder)
            (folder / "ready").touch()
    return python


@asynccontextmanager
async def _alone_in(folder: Path) -> AsyncIterator[None]:
    """Wait while another test process installs there."""
    with folder.with_suffix(".lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield


def _folder(kind: str, pinned: Path) -> Path:
    name = f"{kind}-{hashlib.sha256(pinned.read_bytes()).hexdigest()[:12]}"
    folder = _ROOT / ".cache" / "sdks" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def _done(*command: str, folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode:
        pytest.skip(f"{' '.join(command[:4])} failed: {said.decode()[-300:]}")


async def run(program: str, script: Path, *arguments: str) -> str:
    """Run a script to its end and give what it said; AssertionError if it fails."""
    process = await asyncio.create_subprocess_exec(
        *(program, str(script), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert 0 == process.returncode, said.decode()
    return said.decode()
