"""The parameterised views behind all questions. Shell: works on a given client."""

from clickhouse_connect.driver.client import Client

from schemas.questions import questions
from sinks.cluster import on_cluster


def make_questions(client: Client, cluster: str = "") -> None:
    """Create the views of `schemas/questions` from their files; repeating it changes nothing.

    Questions of the live page have none.
    """
    for question in questions().values():
        if question.kind != "live":
            client.command(on_cluster(question.view, cluster))
