"""docs/settings.md: every setting, with the default that the code has."""

import re
from pathlib import Path

import pytest

from pipeline.settings import Settings, environment_of
from tests.support.settings_page import PAGE, page

ROWS = re.findall(r"^\| `(\w+)` \| (?:`(.+?)`|empty) \| .+ \|$", page(), re.MULTILINE)


def test_the_page_is_what_the_settings_say_now() -> None:
    """Else run `python -m tests.support.settings_page`."""
    assert page() == PAGE.read_text(encoding="utf-8")


def test_the_page_lists_every_setting_once() -> None:
    assert [f"TOUCHSTREAM_{name.upper()}" for name in Settings.model_fields] == [
        variable for variable, _ in ROWS
    ]


def test_a_default_may_be_set_as_it_is_written_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, default in ROWS:
        monkeypatch.setenv(variable, default)
    assert environment_of(Settings()) == dict(ROWS)
