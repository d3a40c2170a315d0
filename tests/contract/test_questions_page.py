"""docs/questions.md says what the files of questions say, and its example works."""

import re
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from tests.support.database import migrated_database
from tests.support.engine import EngineServer
from tests.support.questions_page import MARK, PAGE, write_page

PROSE = PAGE.read_text().partition(MARK)[0]


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def test_the_list_is_what_the_files_say(client: Client) -> None:
    """Else run `python -m tests.support.questions_page`."""
    assert write_page(PROSE, client) == PAGE.read_text()


def test_the_example_works(client: Client) -> None:
    [query] = re.findall(r"```sql\n(.*?)```", PROSE, re.DOTALL)
    assert client.query(query).column_names[0] == "path"
