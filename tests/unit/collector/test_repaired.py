"""What a call can do without costs it nothing: a clock, a decoration, nobody's address."""

import json
from typing import Any

import pytest

from pipeline.tracker.identifiers import read_identifiers
from schemas.codec import decode_touchpoint
from schemas.topics import RAW
from tests.support.vocabularies import NOON, Taken, send

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/146.0"
EVENT = {"type": "track", "event": "Order Completed", "anonymousId": "a-1"}


def posted(path: str, body: Any) -> Taken:
    return send("POST", path, json.dumps(body).encode(), AGENT)


def called(**fields: Any) -> Taken:
    return posted("/v1/batch", {"writeKey": "k", "batch": [EVENT | fields]})


UNSAID = ["", "null", "undefined", "Invalid Date"]
NO_CLOCK = [*UNSAID, 0, 1767268740000, "1767268740000", "2026-01-01 11:59:00", False, [], {}]
ELSEWHERE: dict[str, tuple[str, Any]] = {
    "posthog": (
        "/batch/",
        {"api_key": "k", "sent_at": "$", "batch": [{"event": "X", "distinct_id": "d"}]},
    ),
    "amplitude": (
        "/2/httpapi",
        {
            "api_key": "k",
            "client_upload_time": "$",
            "events": [{"event_type": "X", "device_id": "d", "time": 1767268740000}],
        },
    ),
    "segment": ("/v1/batch", {"writeKey": "k", "sentAt": "$", "batch": [EVENT, EVENT]}),
    "rudderstack": ("/beacon/v1/batch?writeKey=k", {"sentAt": "$", "batch": [EVENT, EVENT]}),
}


@pytest.mark.parametrize("clock", NO_CLOCK)
@pytest.mark.parametrize("vocabulary", ELSEWHERE)
def test_a_clock_that_cannot_be_read_costs_no_event(vocabulary: str, clock: Any) -> None:
    path, body = ELSEWHERE[vocabulary]
    told = {name: clock if value == "$" else value for name, value in body.items()}
    taken = posted(path, told)
    assert taken.collected.refused == []
    assert taken.touchpoints
    assert called(sentAt=clock).touchpoints


@pytest.mark.parametrize(
    "written",
    [
        *("2026-01-01T11:59Z", "2026-01-01 11:59:00+00", "2026-01-01T12:59:00,000+01:00"),
        *("20260101T115900Z", "2026-01-01 11:59:00 +0000", "2026-01-01t11:59:00.z"),
    ],
)
def test_every_form_of_iso_8601_with_a_zone_is_a_time(written: str) -> None:
    [made] = called(timestamp=written).touchpoints
    assert made["occurred_at"] == "2026-01-01T11:59:00Z"
    [made] = called(originalTimestamp=written, properties={"huge": 2**70}).touchpoints
    assert made["occurred_at"] == "2026-01-01T11:59:00Z"


@pytest.mark.parametrize("nothing", UNSAID)
def test_a_time_that_says_nothing_is_that_of_the_arrival(nothing: str) -> None:
    path, body = ELSEWHERE["posthog"]
    others = [
        posted(path, body | {"batch": [{"event": "X", "distinct_id": "d", "timestamp": nothing}]}),
        posted(
            "/mp/collect?measurement_id=G",
            {
                "client_id": "c",
                "timestamp_micros": nothing,
                "events": [{"name": "x"}],
            },
        ),
        send("GET", f"/matomo.php?idsite=3&_id=0123456789abcdef&cdt={nothing}"),
        send("GET", f"/i?e=pv&aid=k&duid=d&dtm={nothing}"),
    ]
    for taken in (called(timestamp=nothing), *others):
        [made] = taken.touchpoints
        assert made.get("occurred_at", f"{NOON:%FT%TZ}") == f"{NOON:%FT%TZ}"


@pytest.mark.parametrize("nothing", [False, True, [], {}, ["de", "en"], {"href": "x"}])
@pytest.mark.parametrize("field", ["userAgent", "locale"])
def test_a_decoration_that_is_no_text_costs_no_event(field: str, nothing: Any) -> None:
    [made] = called(context={field: nothing}).touchpoints
    kept = made.get("properties", {}).get("context", {})
    assert kept == ({field: nothing} if nothing else {})


@pytest.mark.parametrize("nothing", [False, [], {}, {"href": "x"}])
@pytest.mark.parametrize("field", ["url", "title", "referrer"])
def test_a_page_that_is_no_text_costs_no_event(field: str, nothing: Any) -> None:
    [made] = called(context={"page": {field: nothing}}).touchpoints
    assert field not in made


def test_a_title_may_be_a_number() -> None:
    [made] = called(context={"page": {"title": 404}}).touchpoints
    assert made["title"] == "404"


@pytest.mark.parametrize(
    "nobody", ["", "n/a", "-", "guest", "unknown", "k.A.", "none@none.com", "noreply@shop.example"]
)
def test_an_address_that_nobody_has_joins_nobody(nobody: str) -> None:
    for traits in ({"email": nobody}, {"E-Mail": f" {nobody.upper()} "}):
        [value] = called(traits=traits, userId=nobody).values(RAW.name)
        assert read_identifiers(decode_touchpoint(value), "a-1") == ()
