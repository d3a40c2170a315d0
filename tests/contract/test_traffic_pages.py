"""docs/traffic.md and docs/attribution.md: they say what the code does, and their queries work."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.cli.reports import attribution
from pipeline.journey.traffic import GROUPS
from pipeline.reports.attribution.answer import BYS, MODELS
from schemas.traffic import load_sources
from tests.support.database import migrated_database
from tests.support.engine import EngineServer
from tests.support.stories import whole

DOCS = Path(__file__).parents[2] / "docs"
TRAFFIC, ATTRIBUTION = ((DOCS / name).read_text() for name in ("traffic.md", "attribution.md"))
QUERIES: list[str] = re.findall(r"```sql\n(.*?)```", TRAFFIC + ATTRIBUTION, re.DOTALL)


@pytest.fixture(scope="module")
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def rows_under(page: str, heading: str) -> list[list[str]]:
    """Give the cells of the table after a heading, without its head."""
    table = page.partition(f"\n{heading}\n")[2].partition("\n|")[2].partition("\n\n")[0]
    return [[cell.strip(" *`") for cell in row.split("|")] for row in table.splitlines()[2:]]


def test_the_rules_stand_in_the_order_in_which_they_are_asked() -> None:
    listed = [cells[2] for cells in rows_under(TRAFFIC, "## The channel groups")]
    assert listed == [*(name for name, _ in GROUPS), "Unassigned"]


def test_every_model_is_defined() -> None:
    assert [cells[1] for cells in rows_under(ATTRIBUTION, "## The models")] == list(MODELS)


def test_the_columns_of_the_view_are_explained(client: Client) -> None:
    rows = rows_under(ATTRIBUTION, "## In ClickHouse and Grafana")
    explained = {name for cells in rows for name in re.findall(r"\w+", cells[1])}
    described = client.query(f"DESCRIBE TABLE {whole('attribution')}").named_results()
    assert {column["name"] for column in described} == explained


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.splitlines()[0])
def test_a_query_works(query: str, client: Client) -> None:
    assert client.query(query).result_rows == []


def test_what_each_click_id_and_channel_stands_for_is_said() -> None:
    sources = load_sources()
    unsaid = [id_ for id_ in sources.click_ids if f"`{id_}`" not in TRAFFIC]
    brought = [c for c, origin in sources.channels.items() if origin.medium != "offline"]
    assert unsaid + [c for c in brought if f"`{c}`" not in TRAFFIC] == []


def test_the_command_offers_every_model_and_every_view_of_them() -> None:
    offered = {p.name: tuple(getattr(p.type, "choices", ())) for p in attribution.params}
    assert (offered["models"], offered["by"]) == (MODELS, BYS)
