"""The views with parameters that every question is asked by. Shell over a client it is given."""

from clickhouse_connect.driver.client import Client

from schemas.questions import questions


def make_questions(client: Client) -> None:
    """Make all views of `schemas/questions` as their files say; doing it again changes nothing."""
    for question in questions().values():
        client.command(question.view)
