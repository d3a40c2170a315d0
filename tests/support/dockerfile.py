"""Runs the steps of a Dockerfile without a container engine, as root on Linux. Shell.

Each stage has a folder that its steps see as /opt, in a mount namespace of their own, and the
Python that runs the tests stands at /usr/local, as in the official image. So what a step finds and
leaves below /opt, and as whom it runs, is as in a container. The rest of the file system is this
machine's: there is no base image.
"""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

DEPENDENCIES = "/mnt"
"""Where steps find the packages of the tests' own environment."""

_CONTINUED = re.compile(r"\\\n\s*")
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_PAIR = re.compile(r'([\w.]+)=("[^"]*"|\S*)')
_INSIDE = """set -eu
mount --bind "$1" /usr/local; mount --bind "$2" /mnt; mount --bind "$3" /opt
[ "$4" = writable ] || mount -o remount,ro,bind /opt
cd "$5"
exec setpriv --reuid "${6%:*}" --regid "${6#*:}" --clear-groups -- /bin/sh -c "$7"
"""


@dataclass
class Stage:
    """A stage: the folder that is its /opt, and what its steps have set."""

    opt: Path
    base: str
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    )
    arguments: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    folder: str = "/opt"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)

    def filled_in(self, text: str) -> str:
        """Put the values of variables into a text."""
        known = self.arguments | self.environment
        return _VARIABLE.sub(lambda match: known.get(match[1], ""), text)

    def outside(self, path: str) -> Path:
        """Give where a path of the stage is on this machine."""
        return self.opt / Path(self.folder, path).relative_to("/opt")

    def run(self, script: str, *, writable: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a script in the stage, as its user; only steps of the build may write."""
        here = [sys.base_prefix, sysconfig.get_path("purelib"), str(self.opt)]
        how = ["writable" if writable else "read-only", self.folder, self.user, script]
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", _INSIDE, "sh", *here, *how],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


def can_run() -> bool:
    """Tell whether this machine lets us mount."""
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "--bind", "/opt", "/mnt"], capture_output=True, check=False
    )
    return tried.returncode == 0


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Give each instruction and its arguments."""
    lines = "\n".join(line for line in dockerfile.splitlines() if not line.startswith("#"))
    for line in filter(None, _CONTINUED.sub("", lines).splitlines()):
        word, _, rest = line.partition(" ")
        yield word, rest.strip()


def build(
    dockerfile: str, context: Path, folder: Path, instead: Callable[[str], str]
) -> dict[str, Stage]:
    """Run all steps in `folder`; `instead` gives the script that is run for a RUN's one.

    Gives the stages by their names; the one without a name is the image.
    """
    stages: dict[str, Stage] = {}
    now = Stage(folder, "")
    for word, rest in instructions(dockerfile):
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            now = stages[name] = Stage(folder / (name or "image"), base)
            now.opt.mkdir(parents=True)
        elif word == "RUN":
            done = now.run(instead(rest), writable=True)
            assert done.returncode == 0, f"{rest}\n{done.stdout}{done.stderr}"
        elif word == "COPY":
            _copy(now, rest, stages, context)
        else:
            _set(now, word, rest)
    return stages


def _set(stage: Stage, word: str, rest: str) -> None:
    """Obey an instruction that changes no file."""
    pairs = {name: stage.filled_in(value.strip('"')) for name, value in _PAIR.findall(rest)}
    if word == "ARG":
        stage.arguments |= pairs or {rest: ""}
    elif word == "ENV":
        stage.environment |= pairs
    elif word == "LABEL":
        stage.labels |= pairs
    elif word == "USER":
        stage.user = rest
    elif word == "WORKDIR":
        stage.folder = rest
        if rest.startswith("/opt"):
            stage.outside(rest).mkdir(parents=True, exist_ok=True)
    elif word == "ENTRYPOINT":
        stage.entrypoint = json.loads(rest)
    else:
        assert word == "CMD", f"no way to do {word}"


def _copy(stage: Stage, rest: str, stages: dict[str, Stage], context: Path) -> None:
    if match := re.fullmatch(r"--from=(\w+) (\S+) (\S+)", rest):
        source = stages[match[1]].outside(match[2])
        shutil.copytree(source, stage.outside(match[3]), symlinks=True)
        return
    what, to = rest.split()
    for path in sent(context):
        if what in {".", path}:
            stage.outside(f"{to}/{path}").parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(context / path, stage.outside(f"{to}/{path}"))


def sent(context: Path) -> list[str]:
    """Name the files that the engine gets: .dockerignore leaves out all but what it names."""
    nothing, *patterns = (context / ".dockerignore").read_text().splitlines()[1:]
    assert nothing == "*"
    named = [context / pattern[1:] for pattern in patterns if pattern.startswith("!")]
    without = [pattern for pattern in patterns if not pattern.startswith("!")]
    files = (path for name in named for path in (name, *name.rglob("*")) if path.is_file())
    return [name for name in _relative(files, context) if not _ignored(name, without)]


def _relative(files: Iterator[Path], context: Path) -> Iterator[str]:
    return (str(path.relative_to(context)) for path in files)


def _ignored(name: str, patterns: list[str]) -> bool:
    """Tell whether a pattern such as **/name leaves out a file, or a folder that it is in."""
    parts = Path(name).parts
    return any(fnmatch(part, pattern.removeprefix("**/")) for pattern in patterns for part in parts)
