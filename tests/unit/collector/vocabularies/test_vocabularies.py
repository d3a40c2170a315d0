"""What each company's SDKs send, and the touchpoints it becomes: the golden examples."""

import json
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collector.answers import STATUSES
from pipeline.collector.arrival import Arrival
from pipeline.collector.collect import Collected
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.request import Request
from pipeline.collector.vocabularies.routes import ROUTES, set_up, vocabulary_of
from schemas.codec import Refused, decode_touchpoint
from schemas.dead_letter import DeadLetter, Reason
from schemas.topics import DEAD_LETTERS, RAW
from tests.support.vocabularies import send, sent

LIMITS = Limits(bytes=32_768, depth=8, age=timedelta(days=30))
FOLDER = Path(__file__).parents[4] / "schemas" / "examples"
VOCABULARIES = (
    *("rudderstack", "jitsu", "snowplow", "posthog", "plausible", "umami", "ga4", "gtag", "matomo"),
    *("mixpanel", "amplitude", "openpanel", "june", "pixels"),
)
EXAMPLES = [path for name in VOCABULARIES for path in sorted((FOLDER / name).glob("*.json"))]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_golden_example(path: Path) -> None:
    example = json.loads(path.read_text())
    taken = sent(example["request"])
    found = {
        "key": taken.key,
        "status": taken.answer.status,
        "touchpoints": taken.touchpoints,
        "refused": [[index, why.reason] for index, why in taken.collected.refused],
    }
    assert example["expected"] == found


def test_every_vocabulary_has_examples_of_what_it_takes_and_of_what_it_refuses() -> None:
    seen = {
        (path.parent.name, bool(json.loads(path.read_text())["expected"]["refused"]))
        for path in EXAMPLES
    }
    assert {(name, refused) for name in VOCABULARIES for refused in (False, True)} == seen


@pytest.mark.parametrize(
    ("method", "path", "content", "reason"),
    [
        ("POST", "/e/", b"{", Reason.NOT_JSON),
        ("POST", "/e/", b"7", Reason.NOT_AN_OBJECT),
        ("POST", "/e/", b"data=e", Reason.NOT_JSON),
        ("POST", "/batch/", b'{"batch": 7}', Reason.INVALID_FIELD),
        ("POST", "/api/event", b"[7]", Reason.NOT_AN_OBJECT),
        ("POST", "/api/send", b"7", Reason.NOT_AN_OBJECT),
        ("POST", "/com.snowplowanalytics.snowplow/tp2", b'{"data": {}}', Reason.INVALID_FIELD),
        ("POST", "/matomo.php", b'{"requests": {}}', Reason.INVALID_FIELD),
        ("GET", "/i?" + "a=1&" * 600, b"", Reason.TOO_LARGE),
        ("POST", "/api/event", b"[" * 100_000, Reason.TOO_DEEP),
    ],
)
def test_a_request_that_shows_no_key_is_refused_for_a_documented_reason(
    method: str, path: str, content: bytes, reason: Reason
) -> None:
    with pytest.raises(Refused) as why:
        send(method, path, content)
    assert reason == why.value.reason


@pytest.mark.parametrize(
    ("path", "content", "key"),
    [
        ("/com.snowplowanalytics.snowplow/tp2", {"data": [7, {"aid": "k", "e": "pv"}]}, "k"),
        ("/e/", [7, {"event": "X", "distinct_id": "u", "properties": {"token": "k"}}], "k"),
        ("/batch/", {"api_key": "k", "batch": [7, {"event": "X", "distinct_id": "u"}]}, "k"),
        ("/api/batch", [7, {"type": "event", "payload": {"website": "k", "id": "u"}}], "k"),
        ("/matomo.php", {"requests": [7, "?idsite=3&_id=a"]}, "3"),
        ("/mp/collect?measurement_id=k", {"client_id": "c", "events": [7, {"name": "X"}]}, "k"),
    ],
)
def test_a_first_event_that_is_broken_hides_neither_the_key_nor_the_others(
    path: str, content: object, key: str
) -> None:
    taken = send("POST", path, json.dumps(content).encode(), "Mozilla/5.0")
    assert (key, 1) == (taken.key, taken.collected.accepted)
    assert 0 == taken.collected.refused[0][0]


@pytest.mark.parametrize("levels", range(20, 900, 59))
def test_an_event_that_is_too_deep_harms_no_other_in_its_batch(levels: int) -> None:
    deep = "[" * levels + "]" * levels
    events = [
        f'{{"event": "X", "distinct_id": "u", "properties": {{"a": {value}}}}}'
        for value in (deep, "1")
    ]
    content = f'{{"api_key": "wk_1", "batch": [{", ".join(events)}]}}'.encode()
    collected = send("POST", "/batch/", content).collected
    assert [(0, Reason.TOO_DEEP)] == [(index, why.reason) for index, why in collected.refused]
    assert 1 == collected.accepted


def test_a_path_that_a_snowplow_tracker_chose_is_its_own_but_only_with_a_vendor() -> None:
    assert vocabulary_of("POST", "/com.example/fruit")
    assert vocabulary_of("POST", "/example/fruit") is None
    assert vocabulary_of("GET", "/com.example/fruit") is None


def test_a_pixel_is_answered_with_a_gif_that_nobody_keeps() -> None:
    answer = send("GET", "/i?e=pv&aid=wk_1&duid=d-1").answer
    assert (200, b"GIF89a") == (answer.status, answer.body[:6])
    assert {"content-type": "image/gif", "cache-control": "no-store"} == dict(answer.headers)


def test_the_same_event_sent_again_has_the_same_id_and_another_has_not() -> None:
    event = {"name": "purchase", "timestamp_micros": 1767268800000000}

    def ids(*events: object) -> list[str]:
        content = json.dumps({"client_id": "c-1", "events": events}).encode()
        taken = send("POST", "/mp/collect?measurement_id=G-1", content)
        return [each["touchpoint_id"] for each in taken.touchpoints]

    first, second = ids(event, event)
    assert first != second
    assert [first, second] == ids(event, event)


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/matomo.php", b'{"requests": ["?idsite=3&cdt=x&token_auth=s3&cip=203.0.113.7"]}'),
        ("POST", "/api/send", b'{"type": 1, "payload": {"website": "w", "ip": "203.0.113.7"}}'),
        ("POST", "/e/", b'{"api_key": "k", "properties": {"$ip": "203.0.113.7"}}'),
        ("POST", "/v1/track", b'{"writeKey": "k", "context": {"ip": "203.0.113.7"}}'),
        ("GET", "/i?aid=k&ip=203.0.113.7", b""),
    ],
)
def test_a_dead_letter_keeps_no_address_and_no_secret(
    method: str, path: str, content: bytes
) -> None:
    [letter] = send(method, path, content).values(DEAD_LETTERS.name)
    assert b"203.0.113.7" not in letter
    assert b"s3" not in letter


def test_the_dead_letter_of_a_translated_event_can_be_read_again_as_segments_call() -> None:
    event = {"name": "purchase", "params": {"transaction_id": "o-1"}, "timestamp_micros": 1}
    content = json.dumps({"client_id": "c-1", "events": [event]}).encode()
    [value] = send("POST", "/mp/collect?measurement_id=G-1", content).values(DEAD_LETTERS.name)
    letter = msgspec.json.decode(value, type=DeadLetter)
    patient = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=36_500)))
    read = patient.touchpoint(letter.raw(), Arrival(letter.site, letter.at))
    assert (Reason.TIME_OUT_OF_RANGE, "Order Completed", "c-1") == (
        letter.reason,
        read.name,
        read.anonymous_id,
    )
    assert {"order_id": "o-1"} == json.loads(bytes(read.properties))


@pytest.mark.parametrize(
    ("common", "less"),
    [
        ({f"field_{number}": 0 for number in range(256)}, {"field_1": 0}),
        ({"note": "x" * 8_192}, {"note": "x" * 4_096}),
    ],
    ids=["fields", "bytes"],
)
def test_what_events_of_google_have_in_common_is_bounded(
    common: dict[str, Any], less: dict[str, Any]
) -> None:
    def sent_with(shared: dict[str, Any]) -> Collected:
        content = json.dumps({"client_id": "c-1", "events": [{"name": "X"}]} | shared).encode()
        return send("POST", "/mp/collect?measurement_id=G-1", content).collected

    [(_, why)] = sent_with(common).refused
    assert (Reason.TOO_LARGE, True) == (why.reason, "beside `events`" in why.detail)
    assert 1 == sent_with(less).accepted


def test_many_events_of_google_do_not_each_hold_what_they_have_in_common() -> None:
    common = {f"field_{number}": 0 for number in range(200)}
    request = Request("", json.dumps({"events": [0] * 2_000} | common).encode())
    tracemalloc.start()
    ROUTES["POST", "/mp/collect"].events(request)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000


class TestSetUp:
    def told(self, path: str) -> Any:
        answer = set_up(path, "collect.example")
        assert answer is not None
        return answer.body

    @pytest.mark.parametrize(
        ("path", "integration"),
        [
            ("/v1/projects/wk_1/settings", "Segment.io"),
            ("/customerio/v1/projects/wk_1/settings", "Customer.io Data Pipelines"),
        ],
    )
    def test_segments_client_learns_where_to_send_and_of_nothing_else(
        self, path: str, integration: str
    ) -> None:
        tool = {"apiKey": "wk_1", "apiHost": "collect.example/v1", "type": "server"}
        assert {integration: tool} == json.loads(self.told(path))["integrations"]

    def test_posthog_learns_that_there_are_no_flags_and_no_recordings(self) -> None:
        script = self.told("/array/phc_1/config.js").partition(b"=")[2]
        told = json.loads(self.told("/array/phc_1/config"))
        assert {"phc_1": {"config": told, "siteApps": []}} == json.loads(script)
        assert (False, False) == (told["hasFeatureFlags"], told["sessionRecording"])
        assert {} == json.loads(self.told("/flags/"))["flags"]

    def test_rudderstack_learns_that_its_source_has_no_destinations(self) -> None:
        assert [] == json.loads(self.told("/sourceConfig/"))["source"]["destinations"]

    @pytest.mark.parametrize("path", ["/array/<script>/config.js", "/v1/projects//settings", "/"])
    def test_nobody_else_is_told_anything(self, path: str) -> None:
        assert set_up(path, "collect.example") is None


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Name every place of a JSON value: what holds it, and the index or key there."""
    if isinstance(value, dict | list):
        for place in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, place
            yield from places(value[place])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


def survives(method: str, path: str, content: bytes) -> None:
    """Send something; whatever becomes of it must be a touchpoint of the contract or a refusal."""
    try:
        taken = send(method, path, content)
    except Refused as why:
        assert why.reason in STATUSES  # noqa: PT017 - either is right
        return
    for made in taken.values(RAW.name):
        decode_touchpoint(made)
    assert {why.reason for _, why in taken.collected.refused} <= set(STATUSES)


@given(st.sampled_from(EXAMPLES), st.data(), anything)
def test_a_golden_example_with_anything_in_a_place_is_touchpoints_or_refused(
    path: Path, data: st.DataObject, value: Any
) -> None:
    request = json.loads(path.read_text())["request"]
    if "body" in request:
        holder, place = data.draw(st.sampled_from(list(places(request["body"]))))
        holder[place] = value
        survives(request["method"], request["path"], json.dumps(request["body"]).encode())
    else:
        where, _, query = request["path"].partition("?")
        names = [each.partition("=")[0] for each in query.split("&")]
        name = data.draw(st.sampled_from(names))
        damaged = f"{query}&{quote(name)}={quote(str(value))}"
        survives(request["method"], f"{where}?{damaged}", request.get("text", "").encode())


@given(st.sampled_from(sorted(ROUTES)), anything | st.binary())
def test_whatever_comes_is_touchpoints_or_refused(route: tuple[str, str], value: Any) -> None:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    query = quote(content) if route[0] == "GET" else "writeKey=k&measurement_id=G-1"
    survives(route[0], f"{route[1]}?{query}", content)


@pytest.mark.parametrize(
    ("clock", "occurred_at"),
    [
        ("2026-01-01T13:00:00+00:00", "2026-01-01T11:59:58Z"),
        ("0001-01-01T00:00:00+01:00", "2026-01-01T12:00:00Z"),
        ("noon", "2026-01-01T12:00:00Z"),
    ],
)
def test_posthogs_newer_api_has_the_clock_in_a_header_and_names_each_event(
    clock: str, occurred_at: str
) -> None:
    event = {"event": "X", "uuid": "e-1", "distinct_id": "u", "timestamp": "2026-01-01T12:59:58Z"}
    content = json.dumps({"api_key": "wk_1", "batch": [event]}).encode()
    headers = {"posthog-request-timestamp": clock}
    taken = send("POST", "/i/v1/analytics/events", content, headers=headers, reads=Intake(LIMITS))
    assert occurred_at == taken.touchpoints[0]["occurred_at"]
    assert {"results": {"e-1": {"result": "ok"}}} == json.loads(taken.answer.body or b"")


def test_posthogs_newer_api_names_the_events_that_are_refused_and_why() -> None:
    """Without `results` its SDKs take a success for broken, and report the whole batch."""
    good = {"event": "X", "uuid": "e-1", "distinct_id": "u"}
    bad = {"uuid": "e-2", "distinct_id": "u"}
    refused = {"e-2": {"result": "drop", "details": "missing_field"}}
    for batch, results in (
        ([good, bad, 7], {"e-1": {"result": "ok"}} | refused),
        ([bad], refused),
    ):
        content = json.dumps({"api_key": "wk_1", "batch": batch}).encode()
        answer = send("POST", "/i/v1/analytics/events", content).answer
        assert (200, {"results": results}) == (answer.status, json.loads(answer.body))
