"""The model files as rows, on the real engine."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from schemas.journeys import JourneyModel
from sinks.models import store_models
from tests.support.database import migrated_database
from tests.support.engine import EngineServer
from tests.support.stories import LIFECYCLE, rows


def small(**other: object) -> JourneyModel:
    fields = {
        "id": "small",
        "version": "1",
        "phases": [{"id": "a", "en": "A", "de": "Ä"}, {"id": "b", "en": "B", "de": "B"}],
        "rules": [
            {"id": "look", "phase": "a", "touchpoints": ["Seen", "Heard"]},
            {"id": "buy", "phase": "b", "touchpoints": ["Bought"], "channels": ["store"]},
        ],
        "funnel": ["Seen", "Bought"],
        "abandonment": [
            {"kind": "cart", "opens": ["Filled"], "timeout": "PT1M", "recovery": "P1D"}
        ],
    }
    return JourneyModel.model_validate(fields | other)


@pytest.fixture
def client(engine: EngineServer) -> Iterator[Client]:
    with migrated_database(engine) as client:
        yield client


def test_phases_rules_and_steps_of_a_model_become_rows(client: Client) -> None:
    store_models(client, [small()])
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
    assert store_models(client, [small(), LIFECYCLE]) == [
        "journey_models",
        "journey_rules",
        "journey_steps",
        "journey_waits",
    ]
    assert store_models(client, [LIFECYCLE, small()]) == []


def test_what_is_no_longer_in_a_file_is_gone_and_what_changed_is_new(client: Client) -> None:
    store_models(client, [small(), LIFECYCLE])
    rules = [{"id": "look", "phase": "b", "touchpoints": ["Seen"]}]
    store_models(client, [small(version="2", rules=rules)])
    assert rows(client, "SELECT rule, touchpoint, phase FROM journey_rules FINAL") == [
        ("look", "Seen", "b")
    ]
    assert rows(client, "SELECT DISTINCT model, model_version FROM journey_models FINAL") == [
        ("small", "2")
    ]


def test_the_longest_wait_of_a_channel_is_in_seconds(client: Client) -> None:
    model = small(longest_wait={"phone": "PT2M"})
    store_models(client, [model])
    assert rows(client, "SELECT * EXCEPT revision FROM journey_waits FINAL") == [
        ("small", "phone", 120, 0)
    ]
