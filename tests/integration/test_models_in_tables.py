"""The model files as rows, on the real engine."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from sinks.models import store_models
from tests.support.database import migrated_database
from tests.support.engine import EngineServer
from tests.support.journeys import small_model
from tests.support.stories import LIFECYCLE, rows


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def test_phases_rules_and_steps_of_a_model_become_rows(client: Client) -> None:
    store_models(client, [small_model()])
    phases = (
        "SELECT model, phase, rank, en, de, max_seconds FROM journey_models FINAL ORDER BY rank"
    )
    assert rows(client, phases) == [("small", "a", 1, "A", "Ä", 0), ("small", "b", 2, "B", "B", 0)]
    rules = "SELECT rule, touchpoint, phase, channels FROM journey_rules FINAL ORDER BY touchpoint"
    assert rows(client, rules) == [
        ("buy", "Bought", "b", ["store"]),
        ("look", "Heard", "a", []),
        ("look", "Seen", "a", []),
    ]
    steps = "SELECT step FROM journey_steps FINAL ORDER BY step"
    assert rows(client, steps) == [("Bought",), ("Filled",), ("Seen",)]


def test_the_same_models_again_change_nothing(client: Client) -> None:
    assert store_models(client, [small_model(), LIFECYCLE]) == [
        "journey_models",
        "journey_rules",
        "journey_steps",
        "journey_waits",
    ]
    assert store_models(client, [LIFECYCLE, small_model()]) == []


def test_what_is_no_longer_in_a_file_is_gone_and_what_changed_is_new(client: Client) -> None:
    store_models(client, [small_model(), LIFECYCLE])
    rules = [{"id": "look", "phase": "b", "touchpoints": ["Seen"]}]
    store_models(client, [small_model(version="2", rules=rules)])
    assert rows(client, "SELECT rule, touchpoint, phase FROM journey_rules FINAL") == [
        ("look", "Seen", "b")
    ]
    assert rows(client, "SELECT DISTINCT model, model_version FROM journey_models FINAL") == [
        ("small", "2")
    ]


def test_the_longest_wait_of_a_channel_is_in_seconds(client: Client) -> None:
    model = small_model(longest_wait={"phone": "PT2M"})
    store_models(client, [model])
    assert rows(client, "SELECT * EXCEPT revision FROM journey_waits FINAL") == [
        ("small", "phone", 120, 0)
    ]
