"""The files of the page: small, built of their sources, and nobody else's."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from pipeline.collector.answers import Problem
from pipeline.collector.vocabularies.segment import SPECIFIED
from schemas.dead_letter import Reason, Stage
from schemas.fields import Channel
from schemas.journeys import SHIPPED, load_model

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "pipeline" / "live" / "page"
BUILT = PAGE / "built"
FILES = sorted(path.name for path in BUILT.iterdir())


def test_all_of_it_has_less_than_50_kb_when_gzipped() -> None:
    assert FILES == ["icon.svg", "index.html", "page.css", "page.js"]
    assert sum(len(gzip.compress((BUILT / name).read_bytes())) for name in FILES) < 50_000


@pytest.mark.skipif(not shutil.which("npx"), reason="no Node: it builds the page")
def test_the_files_are_the_build_of_their_sources(tmp_path: Path) -> None:
    make = ["make", "--no-print-directory", "page", f"OUT={tmp_path}"]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=False)
    if "npm error network" in done.stderr:
        pytest.skip("preact and esbuild cannot be had: npm reaches no registry")
    assert 0 == done.returncode, done.stderr
    for name in FILES:
        assert (BUILT / name).read_bytes() == (tmp_path / name).read_bytes(), (
            f"{name} is old: run `make page`"
        )


def test_it_loads_nothing_from_anywhere_else() -> None:
    known = {"http://www.w3.org/"}
    for name in FILES:
        hosts = set(re.findall(r"https?://[^/\"'`$]*/?", (BUILT / name).read_text()))
        assert hosts - known - {"https://"} == set(), name


def test_every_word_is_said_in_both_languages() -> None:
    words = (PAGE / "src" / "words.js").read_text()
    entries = re.findall(r"^  (\w+): \[(.*?)\],$", words, re.MULTILINE | re.DOTALL)
    assert len(entries) > 250
    for name, pair in entries:
        said = re.findall(r'"((?:[^"\\]|\\.)*)"', pair)
        assert len(said) == 2, name
        assert said[0].count("{}") == said[1].count("{}"), name


def test_every_word_that_is_asked_for_is_there() -> None:
    words = set(re.findall(r"^  (\w+): \[", (PAGE / "src" / "words.js").read_text(), re.MULTILINE))
    asked = {
        name
        for path in (PAGE / "src").glob("*.js*")
        for name in re.findall(r"\bsay\(\"(\w+)\"", path.read_text())
    }
    assert asked - words == set()


def test_every_name_that_the_product_gives_or_judges_has_a_german_word() -> None:
    beacon = (ROOT / "pipeline" / "collector" / "beacon").glob("*.js")
    sent = {name for path in beacon for name in _titles(path)}
    assert {"Form Left", "Page Slow"} <= sent
    mails = {
        name
        for path in (ROOT / "pipeline" / "collector" / "mail_providers").glob("*.py")
        for name in _titles(path)
        if name.startswith("Email ")
    }
    models = [load_model(path.stem) for path in SHIPPED.glob("*.toml")]
    judged = set().union(*(model.names for model in models))
    table = (PAGE / "src" / "names.js").read_text().partition("NAMES_EN")[0]
    words = {quoted or bare for quoted, bare in re.findall(r'(?:"([^"]+)"|\b(\w+)): "', table)}
    needed = SPECIFIED | sent | mails | judged | set(get_args(Channel))
    assert needed - words == set()


def test_every_reason_and_every_stage_is_said_in_both_languages() -> None:
    words = _pairs("reasons.js")
    refused = {*Reason, *Problem}
    assert words.keys() == refused | set(get_args(Stage))
    for word in refused:
        english, german = words[word]
        assert english != german, word
        assert word.replace("_", " ") != english.lower(), word


def _pairs(file: str) -> dict[str, tuple[str, str]]:
    found = re.findall(
        r'^  (\w+): \["(.+)", "(.+)"\],$', (PAGE / "src" / file).read_text(), re.MULTILINE
    )
    return {name: (english, german) for name, english, german in found}


def _titles(path: Path) -> list[str]:
    return re.findall(r'"([A-Z][a-z]+(?: [A-Z][a-z]+)+)"', path.read_text())
