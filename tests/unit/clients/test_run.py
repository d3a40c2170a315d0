"""What arrived is held against what reached us: missing, doubled, wrong."""

from pathlib import Path
from typing import Any

import pytest

from tests.clients.clients import BEACON, clients, official_name
from tests.clients.install import starts
from tests.clients.page import renewed
from tests.clients.run import Run, hold, told


def row(number: int, **other: Any) -> dict[str, Any]:
    return {
        "name": f"Event {number}",
        "touchpoint_id": f"t-{number}",
        "occurred_at": f"2026-01-01T12:00:0{number}Z",
        "anonymous_id": "a",
        "user_id": "",
        "properties": {"n": number, "context": {"note": "Größe ✓"}},
    } | other


def held(*rows: dict[str, Any], letters: int = 0) -> Run:
    run = Run(BEACON, "none", "run-0", passed={"Event 1", "Event 2"})
    hold(run, rows, [{}] * letters)
    return run


def test_what_arrived_once_and_right_is_whole() -> None:
    assert held(row(1), row(2)).is_whole


def test_a_whole_second_comes_before_its_milliseconds() -> None:
    later = row(2, occurred_at="2026-01-01T12:00:01.250000Z")
    assert held(row(1), later).is_whole


def test_the_same_touchpoint_twice_is_one() -> None:
    assert held(row(1), row(1), row(2)).is_whole


@pytest.mark.parametrize(
    "rows",
    [
        [row(1)],
        [row(1), row(2), row(2, touchpoint_id="other")],
        [row(1), row(2, properties={"n": 2})],
        [row(1), row(2, properties={"n": 7, "note": "Größe ✓"})],
        [row(1), row(2, anonymous_id="b")],
        [row(1), row(2, occurred_at="2026-01-01T11:00:00Z")],
        [row(1), row(2), row(3)],
    ],
    ids=["missing", "doubled", "no note", "number", "visitor", "order", "too many"],
)
def test_whatever_is_not_whole_is_seen(rows: list[dict[str, Any]]) -> None:
    assert not held(*rows).is_whole


def test_a_dead_letter_is_seen() -> None:
    assert not held(row(1), row(2), letters=1).is_whole


def test_every_client_has_a_line_with_the_name_of_its_registry() -> None:
    chosen = list(clients())
    assert {"Segment", "Matomo", "Jitsu", "Mixpanel"} <= {each.family for each in chosen}
    table = told([Run(each, "none", "k", passed={"Event 1"}) for each in chosen])
    for each in chosen:
        assert f"| {official_name(each)} {each.version}, {each.where} | 30 | 29 | 1 | 0 |" in table


def test_a_table_is_renewed_line_by_line() -> None:
    old = ["| family | client | sent |", "|---|---|---|", "| A | a 1 | 30 |", "| B | b 1 | 30 |"]
    new = ["| family | client | sent |", "|---|---|---|", "| B | b 1 | 60 |", "| C | c 1 | 30 |"]
    assert [*old[:3], *new[2:]] == renewed(old, new)
    assert new == renewed([], new)


def test_a_tool_that_is_there_but_does_not_start_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As `cargo` of a rustup that belongs to another home folder."""
    for name, code in (("good", 0), ("bad", 1)):
        tool = tmp_path / name
        tool.write_text(f"#!/bin/sh\nexit {code}\n")
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [starts(name, "--version") for name in ("good", "bad", "missing")] == [
        True,
        False,
        False,
    ]
