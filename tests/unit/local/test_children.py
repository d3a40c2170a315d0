"""Child processes: started, listened to, started again, stopped."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pipeline.local import children
from pipeline.local.children import Child, StackFailed
from pipeline.local.folder import alone_in


class Audience:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def hears(self, sentence: str) -> None:
        """Wait until it is told `sentence`."""
        async with asyncio.timeout(10):
            while sentence not in self.heard:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)


@asynccontextmanager
async def a_child(code: str, folder: Path) -> AsyncIterator[tuple[Child, Audience]]:
    audience = Audience()
    command = (sys.executable, "-c", code)
    child = Child("sleeper", command, {"WORD": "hello"}, folder / "log", audience.heard.append)
    try:
        yield child, audience
    finally:
        await child.kill()


async def at_once() -> bool:
    return True


async def never() -> bool:
    return False


async def test_what_it_says_goes_to_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def has_spoken() -> bool:
        return log.exists() and log.read_text() == "hello\n"

    code = "import os, time; print(os.environ['WORD'], flush=True); time.sleep(60)"
    async with a_child(code, tmp_path) as (child, _):
        await child.start(has_spoken)


async def test_its_warnings_are_told(tmp_path: Path) -> None:
    code = "import time; print('a\\n1 WARNING x: no Kafka', flush=True); time.sleep(60)"
    async with a_child(code, tmp_path) as (child, audience):
        await child.start(at_once)
        await audience.hears("sleeper: 1 WARNING x: no Kafka")
        assert len(audience.heard) == 1


async def test_one_that_ends_before_it_is_ready_leaves_its_last_words(tmp_path: Path) -> None:
    async with a_child("raise SystemExit('first\\nError: do this')", tmp_path) as (child, _):
        with pytest.raises(StackFailed, match=r"^sleeper did not start: do this$"):
            await child.start(never)


async def test_one_that_ends_later_is_started_again(tmp_path: Path) -> None:
    code = f"open({str(tmp_path / 'starts')!r}, 'a').write('x'); raise SystemExit(3)"
    async with a_child(code, tmp_path) as (child, audience):
        await child.start(at_once)
        await audience.hears("sleeper ended with code 3, starting it again in 1 s")
        await audience.hears("sleeper ended with code 3, starting it again in 2 s")
        assert (tmp_path / "starts").read_text() == "xx"


async def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"

    async def is_deaf() -> bool:
        return log.exists() and log.read_text() == "\n"

    async with a_child(code, tmp_path) as (child, audience):
        await child.start(is_deaf)
        await child.stop(patience=0.1)
        assert audience.heard == ["sleeper did not end within 0.1 s and was killed"]


async def test_one_that_was_stopped_is_not_started_again(tmp_path: Path) -> None:
    async with a_child("import time; time.sleep(60)", tmp_path) as (child, audience):
        await child.start(at_once)
        await child.stop(patience=5)
        await asyncio.sleep(1.2)
        assert audience.heard == []


async def test_the_next_start_goes_on_in_the_log_and_tells_no_old_warning(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("yesterday\n2 WARNING x: long ago\n")
    code = "import time; print('3 WARNING x: now', flush=True); time.sleep(60)"
    async with a_child(code, tmp_path) as (child, audience):
        await child.start(at_once)
        await audience.hears("sleeper: 3 WARNING x: now")
        assert len(audience.heard) == 1
    assert log.read_text().startswith("yesterday\n")


async def test_last_words_are_those_of_this_start(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("Error: of yesterday\n")
    async with a_child("raise SystemExit(1)", tmp_path) as (child, _):
        with pytest.raises(StackFailed, match="no answer"):
            await child.start(never)


async def test_a_log_that_is_too_long_steps_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "LARGEST_LOG", 10)
    (tmp_path / "log").write_text("of many days\n")
    async with a_child("print('new'); raise SystemExit(1)", tmp_path) as (child, _):
        with pytest.raises(StackFailed, match="new"):
            await child.start(never)
    assert (tmp_path / "log.1").read_text() == "of many days\n"
    assert (tmp_path / "log").read_text() == "new\n"


def test_a_folder_is_used_by_one_at_a_time(tmp_path: Path) -> None:
    with (
        alone_in(tmp_path / "new"),
        pytest.raises(StackFailed, match="another `touchstream up`"),
        alone_in(tmp_path / "new"),
    ):
        pass
    with alone_in(tmp_path / "new"):
        pass
