"""The documentation as a site: it builds without a warning, and loads nothing from elsewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_LOADED = re.compile(
    r"<(?:script|img|source|iframe)\b[^>]*\bsrc=\"([^\"]+)\"|<link\b[^>]*\bhref=\"([^\"]+)\""
)
_IN_STYLE = re.compile(r"@import|url\(\s*['\"]?(?:https?:)?//")


def build(root: Path, to: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of the pages in `root`, as `make docs` does."""
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs/site", ".", to],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("site")
    built = build(ROOT, to)
    assert (built.stderr, built.returncode) == ("", 0)
    return to


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Give a project whose site has one page."""
    shutil.copytree(ROOT / "docs/site", tmp_path / "docs/site")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "pipeline").mkdir()
    return tmp_path


def test_every_page_is_in_the_site_and_its_first_page_leads_there(site: Path) -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    wanted = {str(path.relative_to(ROOT).with_suffix(".html")) for path in pages}
    assert wanted <= {str(path.relative_to(site)) for path in site.rglob("*.html")}
    assert "url=docs/index.html" in (site / "index.html").read_text()


def test_every_page_is_in_the_navigation(site: Path) -> None:
    first = (site / "docs/index.html").read_text()
    missing = [
        path.name
        for path in ROOT.glob("docs/*.md")
        if path.stem != "index" and f'internal" href="{path.stem}.html"' not in first
    ]
    assert missing == []


@pytest.mark.parametrize("reader", ["web", "analyst", "on-call"])
def test_each_kind_of_reader_finds_a_path_on_the_first_page(site: Path, reader: str) -> None:
    assert f'href="start-{reader}.html"' in (site / "docs/index.html").read_text()


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    loaded = {
        (path.name, src or href)
        for path in site.rglob("*.html")
        for src, href in _LOADED.findall(path.read_text())
    }
    assert [(name, url) for name, url in loaded if re.match(r"(?:https?:)?//", url)] == []
    assert [css.name for css in site.rglob("*.css") if _IN_STYLE.search(css.read_text())] == []


@pytest.mark.parametrize("link", ["nothing.md", "#nowhere", "index.md#nowhere", "../nothing/"])
def test_a_link_that_leads_nowhere_fails_the_build(small: Path, tmp_path: Path, link: str) -> None:
    (small / "docs/index.md").write_text(f"# Page\n\n[text]({link})\n")
    built = build(small, tmp_path / "out")
    assert built.returncode != 0
    assert "[myst.xref_missing]" in built.stderr


def test_a_link_to_a_folder_of_ours_is_its_text(small: Path, tmp_path: Path) -> None:
    (small / "docs/index.md").write_text("# Page\n\n[the code](../pipeline)\n")
    built = build(small, tmp_path / "out")
    assert (built.stderr, built.returncode) == ("", 0)
    page = (tmp_path / "out/docs/index.html").read_text()
    assert ("the code" in page, 'href="../pipeline' in page) == (True, False)
