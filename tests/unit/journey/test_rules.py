"""What the rules of a fold have in common, made ready once."""

from datetime import timedelta
from typing import Any

import pytest

from pipeline.journey.rules import compile_rules, scalar
from schemas.journeys import load_model
from tests.support.journeys import MINUTE

LIFECYCLE = load_model("lifecycle")
TEN_MINUTES = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("kind", "change", "expected"),
    [
        ("cart", {}, 30 * MINUTE),
        ("cart", {"timeout": TEN_MINUTES}, 10 * MINUTE),
        ("newsletter", {"timeout": TEN_MINUTES}, 10 * MINUTE),
        ("journey", {"limits": {"service": TEN_MINUTES}}, 10 * MINUTE),
    ],
)
def test_nothing_is_due_sooner_than_the_shortest_timeout(
    kind: str, change: dict[str, Any], expected: int
) -> None:
    rules = tuple(
        rule.model_copy(update=change) if rule.kind == kind else rule
        for rule in LIFECYCLE.abandonment
    )
    model = LIFECYCLE.model_copy(update={"abandonment": rules})
    assert compile_rules([model]).soonest_ms == expected


def test_nor_sooner_than_evidence_is_sealed() -> None:
    rules = compile_rules([LIFECYCLE], allowed_lateness=TEN_MINUTES, evidence_retention=TEN_MINUTES)
    assert rules.soonest_ms == 10 * MINUTE


def test_a_model_without_abandonment_waits_for_nothing() -> None:
    model = LIFECYCLE.model_copy(update={"abandonment": ()})
    rules = compile_rules([model])
    assert (rules.soonest_ms, rules.abandonment.settled_ms) == (0, 0)


@pytest.mark.parametrize(
    ("value", "compared"),
    [
        (True, "true"),
        (False, "false"),
        ("false", "false"),
        (7, 7.0),
        ("7.0", 7.0),
        ("seven", "seven"),
        (float("inf"), "inf"),
        ("-Infinity", "-Infinity"),
        ("nan", "nan"),
        ("x" * 2000, "x" * 128),
    ],
)
def test_a_property_is_compared_as_a_number_only_if_it_is_a_finite_one(
    value: str | float | bool, compared: str | float
) -> None:
    assert scalar(value) == compared
