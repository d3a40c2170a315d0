"""The files of questions: what they ask, and how one passes its parameters on to another."""

import re
from pathlib import Path

import pytest

from pipeline.reports.ask import statement
from schemas.questions import Question, Texts, questions, read

PART = "-- Sessions.\nSELECT * FROM s WHERE site = {site:String} AND at >= {start:Date}"
ASKS = "SELECT * FROM part(*, start = f({start:Date}, g({days:UInt8})))"
TEXTS: Texts = {
    "part": ("part", PART),
    "before": ("question", f"-- How was it?\n-- As before.\n{ASKS}"),
}


@pytest.fixture
def two() -> dict[str, Question]:
    return read(TEXTS)


def test_a_question_says_what_it_asks_and_notes_more(two: dict[str, Question]) -> None:
    assert (two["before"].asks, two["before"].notes) == ("How was it?", "As before.")


def test_a_part_is_written_out_with_what_it_is_given(two: dict[str, Question]) -> None:
    assert two["before"].made_of == {"part"}
    assert two["before"].sql == (
        "SELECT * FROM (\nSELECT * FROM s WHERE site = {site:String}"
        " AND at >= (f({start:Date}, g({days:UInt8})))\n)"
    )


def test_what_a_part_is_given_goes_on_to_its_own_parts(two: dict[str, Question]) -> None:
    asks = "-- Later?\n-- Of one site.\nSELECT * FROM before(*, site = 'x', days = 2)"
    later = read({**TEXTS, "later": ("question", asks)})["later"]
    assert later.parameters == {"start": "Date"}
    inner = two["before"].sql.replace("{site:String}", "('x')").replace("{days:UInt8}", "(2)")
    assert later.sql == f"SELECT * FROM (\n{inner}\n)"  # noqa: S608 - our own text


def test_the_parameters_of_a_question_are_its_own_and_those_it_passes_on(
    two: dict[str, Question],
) -> None:
    assert two["before"].parameters == {"start": "Date", "days": "UInt8", "site": "String"}


def test_a_bracket_that_is_not_closed_is_named() -> None:
    with pytest.raises(ValueError, match="a bracket is not closed: part"):
        read(
            {
                "part": ("part", "-- P.\nSELECT 1"),
                "odd": ("question", "-- O?\nSELECT * FROM part(*, a = f("),
            }
        )


def test_a_statement_leaves_its_values_to_the_server(two: dict[str, Question]) -> None:
    assert statement(two["part"]) == (
        "SELECT * FROM part(site = {site:String}, start = {start:Date})"
    )


@pytest.mark.parametrize("question", questions().values(), ids=lambda question: question.name)
def test_a_question_asks_and_a_part_says(question: Question) -> None:
    assert question.asks.endswith("." if question.is_part else "?")
    assert question.is_part or question.notes or len(question.asks) > 20


def test_a_question_of_the_live_page_is_asked_as_it_is_written() -> None:
    asked = read({"now": ("live", "-- Now?\nSELECT {site:String}")})["now"]
    assert statement(asked) == asked.sql == "SELECT {site:String}"


LIVE_PAGE = [
    path
    for folder in ("pipeline/reports/live", "pipeline/live")
    for path in sorted((Path(__file__).parents[3] / folder).glob("*.py"))
]


@pytest.mark.parametrize("path", LIVE_PAGE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_live_page_has_no_sql_of_its_own(path: Path) -> None:
    assert not re.search(r"\b(SELECT|FROM|WHERE|GROUP BY)\b", path.read_text())


def test_every_question_of_the_live_page_is_asked() -> None:
    named = set(re.findall(r'"(\w+)"', "".join(path.read_text() for path in LIVE_PAGE)))
    assert {q.name for q in questions().values() if q.kind == "live"} <= named


def test_every_part_is_a_part_of_something() -> None:
    used = set().union(*(question.made_of for question in questions().values()))
    assert {q.name for q in questions().values() if q.is_part} - used == set()
