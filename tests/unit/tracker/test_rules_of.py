"""The rules of the tracker are those of its settings."""

from datetime import timedelta

from pipeline.journey.people import Limits
from pipeline.settings import Settings
from pipeline.tracker.rules import rules_of
from tests.support.journeys import DAY, HOUR, MINUTE


def test_each_setting_of_the_journeys_becomes_a_rule() -> None:
    rules = rules_of(
        Settings(
            journey_models=["aida", "lifecycle"],
            session_gap=timedelta(minutes=7),
            allowed_lateness=timedelta(hours=3),
            journey_timeout=timedelta(days=11),
            customer_timeout=timedelta(days=99),
            evidence_retention=timedelta(days=5),
            shared_by_visitors=12,
            shared_by_identifiers=13,
            referrer_exclusions=["pay.example"],
            brand_terms=["touch"],
            placeholders={"shop": ["walk-in"]},
        )
    )
    assert [each.model.id for each in rules.models] == ["aida", "lifecycle"]
    assert (rules.session_gap_ms, rules.allowed_lateness_ms) == (7 * MINUTE, 3 * HOUR)
    assert (rules.journey_timeout_ms, rules.customer_timeout_ms) == (11 * DAY, 99 * DAY)
    assert rules.evidence_retention_ms == 5 * DAY
    assert rules.limits == Limits(12, 13)
    assert (rules.traffic.exclusions, rules.traffic.brand_terms) == (("pay.example",), ("touch",))
    assert "walk-in" in rules.placeholders["shop"]
