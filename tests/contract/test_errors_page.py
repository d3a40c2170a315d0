"""`docs/errors.md` promises what the collector answers."""

import re
from pathlib import Path

from pipeline.collector.answers import STATUSES, Problem
from schemas.dead_letter import Reason

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()
ROWS = re.findall(r"^\| `(\w+)` \| (\d+|—) \| .+ \| .+ \|$", PAGE, re.MULTILINE)


def test_the_page_lists_every_reason_and_every_problem_once() -> None:
    assert sorted([*Reason, *Problem]) == sorted(word for word, _ in ROWS)


def test_the_page_gives_the_status_of_every_word_that_the_collector_answers_with() -> None:
    answered = {word: int(status) for word, status in ROWS if status != "—"}
    assert {str(code): status for code, status in STATUSES.items()} == answered
