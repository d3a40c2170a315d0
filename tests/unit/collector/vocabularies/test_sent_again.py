"""What SDKs do when something fails, or is not as usual: in every vocabulary the same."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from pipeline.collector.answers import Answer
from pipeline.collector.vocabularies.routes import vocabulary_of
from tests.support.vocabularies import send

_AT = "2026-01-01T11:59:00Z"
_MS = 1767268740000
WITHOUT_ID: dict[str, tuple[str, Any]] = {
    "segment": (
        "/v1/batch",
        {"batch": [{"type": "track", "event": "X", "anonymousId": "a", "timestamp": _AT}]},
    ),
    "rudderstack": (
        "/beacon/v1/batch?writeKey=k",
        {"batch": [{"type": "page", "userId": "u", "originalTimestamp": _AT}]},
    ),
    "snowplow": (
        "/com.snowplowanalytics.snowplow/tp2",
        {"data": [{"aid": "k", "e": "pv", "duid": "a", "dtm": str(_MS)}]},
    ),
    "posthog": (
        "/batch/",
        {"api_key": "k", "batch": [{"event": "X", "distinct_id": "u", "timestamp": _AT}]},
    ),
    "umami": (
        "/api/batch",
        [{"type": "event", "payload": {"website": "w", "id": "u", "timestamp": _MS // 1000}}],
    ),
    "ga4": (
        "/mp/collect?measurement_id=G",
        {"client_id": "c", "timestamp_micros": _MS * 1000, "events": [{"name": "X"}]},
    ),
    "matomo": ("/matomo.php", {"requests": [f"?idsite=3&_id=a&cdt={_MS // 1000}"]}),
    "jitsu": ("/api/s/batch", {"batch": [{"type": "page", "userId": "u", "timestamp": _AT}]}),
    "mixpanel": (
        "/import",
        [{"event": "X", "properties": {"distinct_id": "u", "time": _MS, "token": "k"}}],
    ),
    "amplitude": (
        "/2/httpapi",
        {"api_key": "k", "events": [{"user_id": "u", "event_type": "X", "time": _MS}]},
    ),
}
"""An event of each vocabulary, with a time of its own and no id."""

_IDS = {
    "segment": "messageId",
    "rudderstack": "messageId",
    "snowplow": "eid",
    "posthog": "uuid",
} | {
    "jitsu": "messageId",
    "amplitude": "insert_id",
}
_LISTS = {"segment": "batch", "rudderstack": "batch", "snowplow": "data", "posthog": "batch"} | {
    "ga4": "events",
    "matomo": "requests",
    "umami": "",
    "mixpanel": "",
    "jitsu": "batch",
    "amplitude": "events",
}


@pytest.mark.parametrize("sdk", WITHOUT_ID)
@pytest.mark.parametrize("empty", ["", "null", "00000000-0000-0000-0000-000000000000", None])
def test_an_event_without_an_id_that_is_sent_again_later_is_the_same(
    sdk: str, empty: str | None
) -> None:
    path, body = WITHOUT_ID[sdk]

    def ids(later: timedelta, *, again: bool = False) -> list[str]:
        content = json.loads(json.dumps(body))
        [events] = [content] if isinstance(content, list) else [content.get(_LISTS[sdk])]
        if field := _IDS.get(sdk):
            events[0][field] = empty
        if again:
            events.append(events[0])
        taken = send("POST", path, json.dumps(content).encode(), later=later)
        return [each["touchpoint_id"] for each in taken.touchpoints]

    [first] = ids(timedelta())
    assert [first] == ids(timedelta(seconds=7))
    twice = ids(timedelta(seconds=9), again=True)
    assert (first, 2) == (twice[0], len({*twice}))


def test_what_differs_is_never_the_same_without_an_id() -> None:
    event = {"type": "track", "event": "X", "anonymousId": "a", "timestamp": _AT}
    others: list[dict[str, Any]] = [
        {"event": "Y"},
        {"anonymousId": "b"},
        {"userId": "u"},
        {"timestamp": "2026-01-01T11:59:00.001Z"},
        {"properties": {"a": 1}},
        {"context": {"page": {"url": "https://shop.example/"}}},
        {"traits": {"a": 1}},
    ]
    content = json.dumps({"batch": [event, *(event | other for other in others)]}).encode()
    taken = send("POST", "/v1/batch", content)
    assert 8 == len({each["touchpoint_id"] for each in taken.touchpoints})


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/import", "//v1/import/", "/v1/batch/", "/v1//track", "/mp/collect/", "//e/"),
        *("/matomo.php/", "//api/send", "/beacon/v1/batch/", "/i/v0/e/"),
    ],
)
def test_a_slash_too_many_leads_nowhere_else(path: str) -> None:
    assert vocabulary_of("POST", path)


def test_an_import_of_segments_servers_is_a_batch() -> None:
    content = b'{"batch": [{"type": "track", "event": "X", "userId": "u"}], "writeKey": "wk_1"}'
    taken = send("POST", "//v1/import/", content)
    assert ("wk_1", 1) == (taken.key, taken.collected.accepted)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/matomo.php", b"idsite=3&rec=1&uid=u-1"),
        ("/api/send", b'{"type": "event", "payload": {"website": "w", "id": "u-1"}}'),
        ("/com.snowplowanalytics.snowplow/tp2", b'{"data": [{"aid": "k", "e": "pv", "uid": "u"}]}'),
        ("/e/", b'{"api_key": "k", "event": "X", "distinct_id": "u-1"}'),
    ],
)
def test_a_login_without_cookies_keeps_the_device_in_every_vocabulary(
    path: str, content: bytes
) -> None:
    page = {"origin": "https://shop.example"}
    [made] = send("POST", path, content, "Mozilla/5.0", headers=page).touchpoints
    assert made["anonymous_id"].startswith("day-")
    assert made["user_id"]
    [of_a_server] = send("POST", path, content, "Mozilla/5.0").touchpoints
    assert "anonymous_id" not in of_a_server


_MIXPANEL = {"event": "X", "properties": {"token": "m", "distinct_id": "u", "mp_lib": "web"}}
_OPENPANEL = {"type": "track", "payload": {"name": "X", "profileId": "u"}}
_CAPTURE = {"event": "X", "properties": {"token": "p", "distinct_id": "u", "$lib": "web"}}


@pytest.mark.parametrize(
    ("path", "body", "key", "fields"),
    [
        ("/track", _MIXPANEL, "m", {"mp_lib": "web"}),
        ("/track/", [_MIXPANEL, _MIXPANEL], "m", {"mp_lib": "web"}),
        ("/track", {"event": "X", "properties": {"token": "m", "distinct_id": "u"}}, "m", None),
        ("/track", _OPENPANEL, "o", None),
        ("/track", _CAPTURE, "p", {"$lib": "web"}),
        ("/track/", [_CAPTURE], "p", {"$lib": "web"}),
        ("/track", {"api_key": "p", "event": "X", "distinct_id": "u"}, "p", None),
        ("/batch", {"api_key": "p", "batch": [{"event": "X", "distinct_id": "u"}]}, "p", None),
        ("/batch", {"api_key": "a", "events": [{"event_type": "X", "user_id": "u"}]}, "a", None),
    ],
)
@pytest.mark.parametrize("is_form", [False, True])
def test_nobodys_event_is_told_in_anothers_words(
    path: str, body: Any, key: str, fields: dict[str, Any] | None, *, is_form: bool
) -> None:
    told = json.dumps(body)
    if is_form and key in {"m", "p"} and path != "/batch":
        told = f"data={quote(told)}"
    headers = {"openpanel-client-id": "o"}
    taken = send("POST", path, told.encode(), headers=headers)
    assert (key, []) == (taken.key, taken.collected.refused)
    assert {("X", "u", str(fields or {}))} == {
        (each["name"], each["user_id"], str(each.get("properties", {})))
        for each in taken.touchpoints
    }


def answered(path: str, status: int, query: str = "") -> tuple[int, Any]:
    """Give what an SDK hears when we say `status`."""
    vocabulary = vocabulary_of("POST", path)
    assert vocabulary
    said = vocabulary.success if status < 400 else Answer(status, b'{"error":"x"}')
    heard = vocabulary.wording(said, query)
    return heard.status, json.loads(heard.body) if heard.body else None


@pytest.mark.parametrize(
    ("path", "status", "query", "expected"),
    [
        ("/e/", 429, "", (503, {"error": "x"})),
        ("/batch/", 429, "", (503, {"error": "x", "code": 503})),
        ("/v1/batch", 429, "", (429, {"error": "x"})),
        ("/track", 200, "", (200, 1)),
        ("/track", 429, "verbose=1", (503, {"error": "x"})),
        ("/2/httpapi", 200, "", (200, {"code": 200})),
        ("/2/httpapi", 400, "", (400, {"error": "x", "code": 400})),
        ("/2/httpapi", 429, "", (503, {"error": "x", "code": 503})),
        ("/batch", 200, "", (200, {"status": 1, "code": 200})),
    ],
)
def test_an_answer_is_what_the_sdk_understands(
    path: str, status: int, query: str, expected: tuple[int, Any]
) -> None:
    assert expected == answered(path, status, query)


_ONE = json.dumps(_MIXPANEL)


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("/track", f"data={quote(_ONE)}", 1),
        ("/track?verbose=1&ip=1", f"data={quote(_ONE)}", {"status": 1, "error": None}),
        ("/track", f"data={quote(_ONE)}&verbose=1&ip=0", {"status": 1, "error": None}),
        ("/track", f"verbose=1&data={quote(_ONE)}", {"status": 1, "error": None}),
        ("/import?strict=1", f"[{_ONE}]", 1),
        ("/track", json.dumps(_OPENPANEL), {}),
        ("/track", json.dumps(_CAPTURE), {"status": 1}),
    ],
)
def test_success_is_said_as_the_request_asks_for_it(path: str, content: str, expected: Any) -> None:
    headers = {"openpanel-client-id": "o"}
    answer = send("POST", path, content.encode(), headers=headers).answer
    assert (200, expected) == (answer.status, json.loads(answer.body))


def test_an_old_capture_that_is_sent_again_keeps_its_time() -> None:
    """Its offset counts back from the first sending, the clock in the query from the last."""
    event = {"event": "X", "uuid": "p-1", "offset": 1_000} | {
        "properties": {"distinct_id": "d", "token": "p", "$time": _MS / 1000}
    }
    times = set()
    for seconds in (0, 20):
        query = f"_={_MS + 1_000 + 1_000 * seconds}&retry_count=1"
        sent = send("POST", f"/e/?{query}", json.dumps([event]).encode())
        times |= {each["occurred_at"] for each in sent.touchpoints}
    assert {_AT} == times
