"""docs/messy-input.md: each line names the test that holds it, and that test exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "messy-input.md").read_text()
LINES = [line for line in PAGE.splitlines() if line.startswith("| ")]
ROWS = [line for line in LINES if not line.startswith("| input |")]
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(?:(\w+)::)?(test_\w+)`")


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_line_names_tests_that_exist(row: str) -> None:
    named = _TEST.findall(row)
    assert named
    assert [] == [name for path, _, name in named if name not in functions(ROOT / path)]


def test_the_page_has_lines() -> None:
    assert len(ROWS) > 5


def test_the_readme_leads_to_the_page() -> None:
    assert "(docs/messy-input.md)" in (ROOT / "README.md").read_text()
