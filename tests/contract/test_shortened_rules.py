"""What the tests on the stack shorten are the times of the shipped rules, and nothing else."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.shortened import durations, seconds, shortened, skeleton

FILE = Path(__file__).parents[2] / "deploy/prometheus/touchstream.rules.yml"
SHIPPED: dict[str, Any] = yaml.safe_load(FILE.read_text())
FACTOR = 30


def rules_of(file: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for group in file["groups"] for rule in group["rules"]]


PAIRS = list(zip(rules_of(SHIPPED), rules_of(shortened(SHIPPED, FACTOR)), strict=True))


@pytest.mark.parametrize(("shipped", "short"), PAIRS, ids=[rule["alert"] for rule, _ in PAIRS])
def test_only_times_change_and_all_of_them_by_the_factor(
    shipped: dict[str, Any], short: dict[str, Any]
) -> None:
    untimed = ("for", "expr")
    assert {k: v for k, v in short.items() if k not in untimed} == {
        k: v for k, v in shipped.items() if k not in untimed
    }
    assert skeleton(short["expr"]) == skeleton(shipped["expr"])
    before = [*durations(shipped["expr"]), shipped.get("for", "0s")]
    after = [*durations(short["expr"]), short.get("for", "0s")]
    assert [seconds(each) / FACTOR for each in before] == pytest.approx(list(map(seconds, after)))
    limits = [seconds_at_the_end(rule["expr"]) for rule in (shipped, short)]
    assert limits[0] / FACTOR == pytest.approx(limits[1])


def seconds_at_the_end(expression: str) -> float:
    """Give what a metric of seconds is compared with; 0 of any other."""
    before, _, limit = expression.rpartition(" > ")
    is_of_seconds = before.rstrip(")").split("{")[0].endswith("_seconds")
    return float(eval(limit)) if is_of_seconds else 0.0  # noqa: S307 - our own file


def test_three_rules_compare_seconds() -> None:
    told = {rule["alert"] for rule, _ in PAIRS if seconds_at_the_end(rule["expr"])}
    assert told == {"WatchBlind", "WatchBehind", "OverflowWaits"}


def test_by_one_nothing_changes() -> None:
    for rule, same in zip(rules_of(SHIPPED), rules_of(shortened(SHIPPED, 1)), strict=True):
        assert skeleton(rule["expr"]) == skeleton(same["expr"])
        assert rule["labels"] == same["labels"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_accepts_the_short_rules(tmp_path: Path) -> None:
    file = tmp_path / "short.yml"
    file.write_text(yaml.safe_dump(shortened(SHIPPED, FACTOR)))
    done = subprocess.run(
        ["promtool", "check", "rules", file], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
