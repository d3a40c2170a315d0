"""Touchpoints of one time: the sender's order decides, whatever order they arrive in."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.collector.arrival import Arrival
from pipeline.collector.collect import collect
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.request import Request
from pipeline.collector.vocabularies.routes import vocabulary_of
from schemas.codec import decode_touchpoint, encode
from schemas.facts import Abandonment, Session, Transition
from schemas.topics import ABANDONMENTS, SESSIONS, TRANSITIONS
from schemas.touchpoint import Touchpoint
from tests.support.journeys import HOUR, NOON
from tests.support.tracker import Log, instant, run, tick, written

MILLISECOND = timedelta(milliseconds=1)
HAPPENED = datetime(2026, 1, 1, 11, 59, 58, tzinfo=UTC)
NAMES = (
    "Page Viewed",
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Checkout Started",
    "Order Completed",
    "Form Started",
    "Form Submitted",
)
PRODUCT = {"product_id": "p", "price": 10}
INTAKE = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=30)))

Said = tuple[int, str]
"""The number of an event in its sender's order, and its name."""


def segment(events: Sequence[Said]) -> bytes:
    calls = [
        {
            "type": "track",
            "messageId": f"e-{number}",
            "anonymousId": "ada",
            "event": name,
            "timestamp": HAPPENED.isoformat(),
            "properties": {"n": number, **PRODUCT},
        }
        for number, name in events
    ]
    return json.dumps({"batch": calls}).encode()


def ga4(events: Sequence[Said]) -> bytes:
    told = [{"name": name, "params": {"n": number, **PRODUCT}} for number, name in events]
    micros = int(HAPPENED.timestamp() * 1e6)
    return json.dumps({"client_id": "ada", "timestamp_micros": micros, "events": told}).encode()


def posthog(events: Sequence[Said]) -> bytes:
    batch = [
        {
            "event": name,
            "distinct_id": "ada",
            "timestamp": HAPPENED.isoformat(),
            "properties": {"n": number, **PRODUCT},
        }
        for number, name in events
    ]
    return json.dumps({"api_key": "wk", "batch": batch}).encode()


def matomo(events: Sequence[Said]) -> bytes:
    queries = [
        "?" + urlencode({"_id": "ada", "e_a": name, "e_v": number, "rand": number, "cdt": seconds})
        for number, name in events
        for seconds in [int(HAPPENED.timestamp())]
    ]
    return json.dumps({"requests": queries}).encode()


def snowplow(events: Sequence[Said]) -> bytes:
    data = [
        {"e": "se", "se_ac": name, "se_ca": "shop", "eid": f"e-{number}", "duid": "ada"}
        | {"se_pr": str(number), "dtm": str(int(HAPPENED.timestamp() * 1000)), "p": "web"}
        for number, name in events
    ]
    return json.dumps({"data": data}).encode()


VOCABULARIES: dict[str, Callable[[Sequence[Said]], bytes]] = {
    "/v1/batch": segment,
    "/beacon/v1/batch": segment,
    "/mp/collect": ga4,
    "/batch": posthog,
    "/matomo.php": matomo,
    "/com.snowplowanalytics.snowplow/tp2": snowplow,
}


def collected(path: str, body: bytes, received_at: datetime) -> list[Touchpoint]:
    vocabulary = vocabulary_of("POST", path)
    assert vocabulary is not None, path
    taken = collect(Request(body=body), vocabulary, Arrival("shop", received_at), INTAKE, 100)
    assert taken.refused == []
    return [decode_touchpoint(record.value or b"") for topic, record in taken.records]


@st.composite
def requests(draw: st.DrawFn) -> list[list[Said]]:
    """What somebody did at one time, cut into requests in any way."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=8))
    cuts = draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names)))
    parts: list[list[Said]] = [[]]
    for said, is_cut in zip(enumerate(names), cuts, strict=True):
        if is_cut and parts[-1]:
            parts.append([])
        parts[-1].append(said)
    return parts


Facts = dict[str, tuple[Any, ...]]


def facts(touchpoints: Sequence[Touchpoint]) -> Facts:
    """Give what the tracker finds, but for the times."""
    log = Log()
    for each in touchpoints:
        log.say(encode(each))
    log.say(tick(NOON + HOUR))
    output = run(log)
    topics = (SESSIONS, TRANSITIONS, ABANDONMENTS)
    rows = [row for topic in topics for row in written(output, topic.name)]
    return dict(_told(row) for row in rows if not row.is_deleted)


def _told(row: Session | Transition | Abandonment) -> tuple[str, tuple[Any, ...]]:
    match row:
        case Session():
            return row.session_id, (
                row.last_touchpoint_id,
                row.steps,
                row.orders_told,
                row.revenue_told,
            )
        case Transition():
            return row.transition_id, (row.from_phase, row.to_phase, row.kind, row.rule)
        case Abandonment():
            return row.abandonment_id, (row.kind, row.items, row.value, row.last_touchpoint_id)


@pytest.mark.parametrize("path", VOCABULARIES)
@given(parts=requests(), data=st.data())
def test_one_time_any_requests_any_arrival_give_what_the_senders_order_gives(
    path: str, parts: list[list[Said]], data: st.DataObject
) -> None:
    made = [
        touchpoint
        for number, part in enumerate(parts)
        for touchpoint in collected(
            path, VOCABULARIES[path](part), instant(NOON) + number * 20 * MILLISECOND
        )
    ]
    assert {each.occurred_at for each in made} == {HAPPENED}
    apart = [
        replace(each, occurred_at=HAPPENED + number * MILLISECOND, sequence=0)
        for number, each in enumerate(made)
    ]
    assert facts(data.draw(st.permutations(made))) == facts(apart)


def test_the_number_that_a_sender_counts_up_goes_before_the_order_in_the_request() -> None:
    batch = json.loads(segment([(1, "Order Completed"), (0, "Product Added")]))
    for call in batch["batch"]:
        call["sequence"] = call["properties"]["n"]
    made = collected("/v1/batch", msgspec.json.encode(batch), instant(NOON))
    assert [each.sequence for each in made] == [1, 0]
    kinds = [found[0] for found in facts(made).values()]
    assert "cart" not in kinds


@pytest.mark.parametrize("told", [-1, 2**53, "7", 1.5, True, None, [], {}])
def test_a_sequence_that_is_no_number_to_count_with_is_as_if_it_were_not_there(told: Any) -> None:
    batch = json.loads(segment([(0, "Product Added"), (1, "Order Completed")]))
    for call in batch["batch"]:
        call["sequence"] = told
    made = collected("/v1/batch", msgspec.json.encode(batch), instant(NOON))
    assert [each.sequence % 10_000 for each in made] == [0, 1]


@given(order=st.permutations(range(4)))
def test_without_any_order_a_cart_comes_before_its_checkout_and_its_order(order: list[int]) -> None:
    names = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
    [made] = [
        [
            replace(each, sequence=0)
            for each in collected("/v1/batch", segment(list(enumerate(names))), instant(NOON))
        ]
    ]
    found = facts([made[number] for number in order])
    assert not {"browse", "cart", "checkout"} & {fact[0] for fact in found.values()}
