"""The log: each place that logs has an event, docs/operations.md lists all, and JSON is JSON."""

import ast
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.commands import main
from pipeline.cli.logs import Lines
from tests.support.house import ROOT, SOURCES

_LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
_ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| .+ \|$", re.MULTILINE)


def calls(source: str) -> Iterator[ast.Call]:
    """Give every call of a logger."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log" | "_log"), attr=level)):
                if level in _LEVELS:
                    yield node


def event_of(call: ast.Call) -> str:
    for keyword in call.keywords:
        if keyword.arg == "extra":
            return str(ast.literal_eval(keyword.value).get("event", ""))
    return ""


def level_of(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Attribute)
    level = call.func.attr.upper()
    return "ERROR" if level == "EXCEPTION" else level


EVENTS = {(event_of(c), level_of(c)) for text in SOURCES.values() for c in calls(text)}


@pytest.mark.parametrize("module", [name for name, text in SOURCES.items() if any(calls(text))])
def test_every_place_that_logs_has_an_event(module: str) -> None:
    named = [event_of(call) for call in calls(SOURCES[module])]
    assert [name for name in named if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []


def test_a_place_without_an_event_is_found() -> None:
    assert [event_of(call) for call in calls('log.warning("no"); print("no")')] == [""]


def test_the_docs_list_every_event_with_its_level_and_no_other() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    section = text.partition("\n## Logs\n")[2].partition("\n## ")[0]
    assert set(_ROW.findall(section)) == EVENTS


def test_a_record_is_one_line_with_its_event_and_its_error() -> None:
    try:
        int("ä\nb")
    except ValueError:
        record = logging.LogRecord(
            "pipeline.roles.sink", 30, "x.py", 1, "%s\nand", ("€",), sys.exc_info()
        )
    record.event = "rows_wait"
    line = Lines().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert told.pop("error").startswith("Traceback")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", told.pop("time"))
    assert told == {
        "level": "WARNING",
        "event": "rows_wait",
        "message": "€\nand",
        "logger": "pipeline.roles.sink",
    }


def test_a_record_of_a_library_is_another_event() -> None:
    record = logging.LogRecord("aiokafka", 40, "x.py", 1, "no", (), None)
    assert json.loads(Lines().format(record))["event"] == "other"


@pytest.mark.parametrize(("log_format", "is_json"), [("text", False), ("json", True)])
def test_a_command_that_fails_says_so_in_the_format_of_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, log_format: str, is_json: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handler = logging.StreamHandler()
    monkeypatch.setattr(root, "handlers", [handler])
    monkeypatch.setenv("TOUCHSTREAM_LOG_FORMAT", log_format)
    monkeypatch.setenv("TOUCHSTREAM_SINK_METRICS_PORT", "0")
    with CliRunner().isolation() as (_, _stderr, said):
        handler.setStream(sys.stderr)
        code = _code("health", "sink")
        text = said.getvalue().decode()
    assert code == 2
    assert ("Error: `touchstream sink` cannot be asked" in text) is not is_json
    if is_json:
        assert json.loads(text)["event"] == "command_failed"


def _code(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert isinstance(ended.value.code, int)
    return ended.value.code
