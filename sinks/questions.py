"""The parameterised views behind all questions. Shell: works on a given client."""

from clickhouse_connect.driver.client import Client

from schemas.questions import questions


def make_questions(client: Client) -> None:
    """Create all views of `schemas/questions` from their files; repeating it changes nothing."""
    for question in questions().values():
        client.command(question.view)
