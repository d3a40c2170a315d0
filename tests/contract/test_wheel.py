"""The wheel: what is in it, that it runs where no checkout is, and that its version is the one."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.installed import ROOT, built_wheel, installed

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PACKAGES = ("pipeline", "schemas", "sinks")

_NOT_SHIPPED = re.compile(
    r"schemas/examples/|pipeline/live/page/src/|.*/package(-lock)?\.json$|"
    r"pipeline/collector/beacon/\w+\.js$|.*__pycache__/|.*/node_modules/"
)
"""Examples for tests, what the built scripts are built from, and what a build leaves behind."""

_ASKS = """
import json
from pathlib import Path
import pipeline.collector.beacon.script as beacon
import pipeline.live.page.files as page
from schemas import journeys, questions, traffic, watch
from sinks.migrate import MIGRATIONS
files = [beacon.FILE, traffic.SHIPPED, watch.SHIPPED, *page._FOLDER.iterdir(),
         *journeys.SHIPPED.iterdir(), *MIGRATIONS.iterdir()]
print(json.dumps({str(file): file.stat().st_size for file in files}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(wheel, tmp_path_factory.mktemp("elsewhere") / "venv")


def shipped() -> Iterator[str]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            name = str(path.relative_to(ROOT))
            if path.is_file() and not _NOT_SHIPPED.match(name):
                yield name


def said(commands: Path, *arguments: str) -> str:
    """Run a command of the environment from its own folder, where no checkout is."""
    done = subprocess.run(arguments, cwd=commands, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_wheel_holds_every_file_that_runs_and_no_other(wheel: Path) -> None:
    held = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == set(shipped())


def test_of_scripts_and_pages_the_wheel_holds_what_is_served() -> None:
    built = {name for name in shipped() if name.endswith((".js", ".css", ".html", ".svg"))}
    page = "pipeline/live/page/built"
    assert built == {
        "pipeline/collector/beacon/beacon.min.js",
        *(f"{page}/{name}" for name in ("icon.svg", "index.html", "page.css", "page.js")),
    }


def test_a_wheel_that_is_built_again_has_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    assert built_wheel(tmp_path).read_bytes() == wheel.read_bytes()


def test_the_wheel_states_its_version_its_licence_and_its_extras(wheel: Path) -> None:
    with ZipFile(wheel) as files:
        metadata = message_from_bytes(files.read(f"touchstream-{VERSION}.dist-info/METADATA"))
        assert files.read(f"touchstream-{VERSION}.dist-info/licenses/LICENSE")
    assert (metadata["Version"], metadata["License-Expression"]) == (VERSION, "Apache-2.0")
    assert set(metadata.get_all("Provides-Extra", ())) >= {"embedded", "parquet", "watch"}


def test_every_file_that_states_the_version_states_the_same() -> None:
    package = json.loads((ROOT / "pipeline/collector/beacon/package.json").read_text())
    assert package["version"] == VERSION


def test_the_changelog_begins_with_what_is_not_released_or_with_this_version() -> None:
    newest, *_ = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest == "Unreleased" or re.fullmatch(rf"{VERSION} — \d{{4}}-\d\d-\d\d", newest)


def test_the_installed_command_tells_its_version_and_its_commands(commands: Path) -> None:
    command = str(commands / "touchstream")
    assert said(commands, command, "--version") == f"touchstream, version {VERSION}\n"
    assert "Start everything, simulate shoppers" in said(commands, command, "--help")
    assert "lifecycle" in said(commands, command, "journeys", "list")


def test_the_installed_package_finds_all_that_it_reads(commands: Path) -> None:
    sizes = json.loads(said(commands, str(commands / "python"), "-c", _ASKS))
    elsewhere = [name for name in sizes if not name.startswith(str(commands.parent))]
    assert (elsewhere, min(sizes.values()) > 0) == ([], True)
    assert len(sizes) > 20
