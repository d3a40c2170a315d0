"""Touchstream as its users have it: built as a wheel, and installed where no checkout is."""

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]


def built_wheel(folder: Path) -> Path:
    """Build the wheel into `folder`; give its path."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = folder.glob("*.whl")
    return wheel


def installed(wheel: Path, folder: Path) -> Path:
    """Install `wheel` into a new environment in `folder`; give where its commands are.

    The dependencies are those of the environment of the tests: a .pth names their folder. Our own
    editable installation is not among them, since the .pth files there are not read.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    packages.joinpath("dependencies.pth").write_text(sysconfig.get_path("purelib"))
    pip(folder / "bin/python", "--no-deps", "--no-index", str(wheel))
    return folder / "bin"


def installed_from_nothing(wheel: Path, extra: str, folder: Path) -> Path:
    """Install `wheel` with all that `extra` needs, as pip finds it; give where its commands are."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip(folder / "bin/python", "--only-binary", ":all:", f"touchstream[{extra}] @ file://{wheel}")
    return folder / "bin"


def pip(python: Path, *arguments: str) -> None:
    """Run `pip install` for the environment of `python`."""
    quiet = ("--quiet", "--disable-pip-version-check")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", *quiet, *arguments],
        check=True,
    )
