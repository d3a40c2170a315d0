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


def test_a_part_is_written_out_with_what_it_is_given(two: dict[str, Question]) -> None:
    assert two["before"].made_of == {"part"}
    assert two["before"].sql == (
        "SELECT * FROM (\nSELECT * FROM s WHERE site = {site:String}"
        " AND at >= (f({start:Date}, g({days:UInt8})))\n)"
    )


def test_what_a_part_is_given_goes_on_to_its_own_parts(two: dict[str, Question]) -> None:
    asks = "-- Later?\n-- Of one site.\nSELECT * FROM before(*, site = 'x', days = 2)"
    later = read(TEXTS | {"later": (False, asks)})["later"]
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
    used = set().union(*(question.made_of for question in questions().values()))
    assert {q.name for q in questions().values() if q.is_part} - used == set()
