"""The image: its steps run in a clean folder, and what comes out runs without rights to write.

With LONG=1 the locked dependencies are installed as the step says. Otherwise they are those of the
tests' own environment. A base image, the ARM half and the engine itself are not exercised here.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli.health import PROBES
from tests.support.dockerfile import DEPENDENCIES, Stage, build, can_run, instructions, sent

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
LONG = os.environ.get("LONG") == "1"

_PACKAGES = "/opt/touchstream/lib/python3.*/site-packages"
_UNAVAILABLE = 69


def with_our_dependencies(script: str) -> str:
    """Put a link to the tests' packages in the place of the download of the locked ones."""
    if LONG or "requirements.lock" not in script:
        return script
    return f"echo {DEPENDENCIES} > $(echo {_PACKAGES})/dependencies.pth"


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    if not can_run():
        pytest.skip("the steps of the image need root, and a Linux that lets it mount")
    folder = tmp_path_factory.mktemp("image")
    for path in (folder, *folder.parents[:3]):
        path.chmod(0o755)  # the image's user looks into it
    return build(DOCKERFILE, ROOT, folder, with_our_dependencies)


@pytest.fixture
def image(stages: dict[str, Stage]) -> Stage:
    return stages[""]


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not path.is_symlink())


def test_the_image_says_its_version_and_runs_as_somebody_without_rights(image: Stage) -> None:
    done = image.run(" ".join([*image.entrypoint, "--version"]))
    assert (done.stdout, done.stderr) == (
        f"touchstream, version {image.labels['org.opencontainers.image.version']}\n",
        "",
    )
    assert image.run("id -u").stdout == "10001\n"
    assert image.run("touch /opt/touchstream/x").returncode != 0


def test_the_image_states_the_version_of_the_package(image: Stage) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert image.labels["org.opencontainers.image.version"] == version


def test_the_bill_of_materials_names_every_locked_package(tmp_path: Path) -> None:
    lock, bill = ROOT / "requirements.lock", tmp_path / "bill.json"
    bom = [
        sys.executable,
        "-m",
        "cyclonedx_py",
        "requirements",
        str(lock),
        "--output-file",
        str(bill),
    ]
    subprocess.run(bom, check=True, capture_output=True)
    listed = {part["name"] for part in json.loads(bill.read_text())["components"]}
    assert listed == set(re.findall(r"^([\w-]+)==", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("role", PROBES)
def test_the_image_can_ask_each_role_for_its_health(image: Stage, role: str) -> None:
    image.environment |= {f"TOUCHSTREAM_{PROBES[role].port.upper()}": "9"}
    done = image.run(f"touchstream health {role}")
    assert (done.returncode, f"`touchstream {role}` does not answer" in done.stderr) == (
        _UNAVAILABLE,
        True,
    )


def test_the_image_holds_the_environment_and_neither_sources_nor_pip(image: Stage) -> None:
    assert [path.name for path in image.opt.iterdir()] == ["touchstream"]
    names = {path.name for path in next(image.opt.glob(_PACKAGES.removeprefix("/opt/"))).iterdir()}
    assert names >= {"pipeline", "schemas", "sinks"}
    assert names & {"pip", "setuptools", "tests"} == set()


def test_whoever_runs_in_the_image_may_write_none_of_its_files(image: Stage) -> None:
    writable = [path for path in files(image.opt) if path.stat().st_mode & 0o022]
    assert writable == []


def test_the_engine_is_sent_what_is_installed_and_no_secret() -> None:
    assert {Path(name).parts[0] for name in sent(ROOT)} == {
        *("pipeline", "schemas", "sinks"),
        *("README.md", "pyproject.toml", "requirements.lock"),
    }
    assert [name for name in sent(ROOT) if "__pycache__" in name or "node_modules" in name] == []


def test_both_stages_have_the_same_python() -> None:
    bases = [rest.partition(" ")[0] for word, rest in instructions(DOCKERFILE) if word == "FROM"]
    assert len(bases) == 2
    assert re.fullmatch(r"python:3\.\d+-slim", bases[0])
    assert bases[0] == bases[1]


def test_where_faust_has_no_wheel_there_is_a_compiler_for_it() -> None:
    compiler = [rest for word, rest in instructions(DOCKERFILE) if "gcc" in rest and word == "RUN"]
    assert len(compiler) == 1
    assert compiler[0].startswith('if [ "$TARGETARCH" = arm64 ]')
