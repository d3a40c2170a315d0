"""The files of questions: what they ask, and how one passes its parameters on to another."""

import pytest

from pipeline.reports.ask import statement
from schemas.questions import Question, questions, read

PART = "-- Sessions.\nSELECT * FROM s WHERE site = {site:String} AND at >= {start:Date}"
ASKS = "SELECT * FROM part(*, start = f({start:Date}, g({days:UInt8})))"
TEXTS = {"part": (True, PART), "before": (False, f"-- How was it?\n-- As before.\n{ASKS}")}


@pytest.fixture
def two() -> dict[str, Question]:
    return read(TEXTS)


def test_a_question_says_what_it_asks_and_notes_more(two: dict[str, Question]) -> None:
    assert (two["before"].asks, two["before"].notes) == ("How was it?", "As before.")


def test_parameters_are_passed_on_but_for_those_that_are_given(two: dict[str, Question]) -> None:
    assert two["before"].sql == (
        "SELECT * FROM part(site = {site:String}, start = f({start:Date}, g({days:UInt8})))"
    )


def test_the_parameters_of_a_question_are_its_own_and_those_it_passes_on(
    two: dict[str, Question],
) -> None:
    assert two["before"].parameters == {"start": "Date", "days": "UInt8", "site": "String"}


def test_a_bracket_that_is_not_closed_is_named() -> None:
    with pytest.raises(ValueError, match="a bracket is not closed: part"):
        read(
            {
                "part": (True, "-- P.\nSELECT 1"),
                "odd": (False, "-- O?\nSELECT * FROM part(*, a = f("),
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


def test_every_part_is_a_part_of_something() -> None:
    text = "\n".join(question.sql for question in questions().values())
    assert [q.name for q in questions().values() if q.is_part and f"{q.name}(" not in text] == []
