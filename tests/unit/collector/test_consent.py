"""What a visitor denied is refused, and leaves nothing behind."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.collector.arrival import Arrival
from pipeline.collector.collect import Collected, collect
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.request import Request
from pipeline.collector.vocabularies import segment
from schemas.dead_letter import Reason
from schemas.topics import RAW

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
INTAKE = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=30)))

DENIED = {"consent": {"categoryPreferences": {"analytics": False, "marketing": True}}}


def taken(*contexts: Any) -> Collected:
    calls = [
        {"type": "track", "event": "X", "anonymousId": "a", "context": context}
        for context in contexts
    ]
    body = json.dumps({"batch": calls}).encode()
    return collect(Request(body=body), segment.BATCH, Arrival("shop", NOON), INTAKE, 100)


def test_of_a_batch_only_what_was_not_denied_is_taken_and_the_rest_leaves_no_dead_letter() -> None:
    collected = taken({}, DENIED)
    assert [RAW.name] == [topic for topic, _ in collected.records]
    assert [(1, Reason.NO_CONSENT)] == [(i, why.reason) for i, why in collected.refused]
    assert 1 == collected.accepted


def test_to_send_what_was_denied_is_no_fault_of_the_sender() -> None:
    assert not taken(DENIED).is_in_vain
    assert taken({"page": {"url": "x" * 5000}}).is_in_vain
    assert not taken({"page": {"url": "x" * 5000}}, {}).is_in_vain


@pytest.mark.parametrize(
    "context",
    [
        {"consent": {"categoryPreferences": {"analytics": True}}},
        {"consent": {"categoryPreferences": {"marketing": False}}},
        {"consent": {"categoryPreferences": {"analytics": 0}}},
        {"consent": {"categoryPreferences": ["analytics"]}},
        {"consent": False},
    ],
)
def test_whatever_does_not_deny_analytics_is_taken(context: Any) -> None:
    assert 1 == taken(context).accepted
