"""Messy input of the same kinds, for all vocabularies: nothing may harm its neighbours."""

import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from schemas.dead_letter import Reason
from schemas.topics import DEAD_LETTERS
from tests.support.vocabularies import Taken, send

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/146.0"


class Sender(NamedTuple):
    """How a vocabulary writes events that have a text, each as JSON, and a visitor."""

    path: str
    body: Callable[[list[str], str], str]


def _snowplow(texts: list[str], visitor: str) -> str:
    unstructured = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"

    def packed(text: str) -> str:
        event = f'{{"schema":"iglu:a/word/jsonschema/1-0-0","data":{{"a":{text}}}}}'
        outer = f'{{"schema":"{unstructured}","data":{event}}}'
        return base64.urlsafe_b64encode(outer.encode("utf-8", "replace")).decode()

    events = [f'{{"e":"ue","aid":"k","duid":{visitor},"ue_px":"{packed(text)}"}}' for text in texts]
    return f'{{"data":[{",".join(events)}]}}'


def _listed(opening: str, event: str, closing: str) -> Callable[[list[str], str], str]:
    def body(texts: list[str], visitor: str) -> str:
        events = (event.replace("$text", t).replace("$visitor", visitor) for t in texts)
        return opening.replace("$visitor", visitor) + ",".join(events) + closing

    return body


SENDERS = {
    "segment": Sender(
        "/v1/batch",
        _listed(
            '{"writeKey":"k","batch":[',
            '{"type":"track","event":"word","anonymousId":$visitor,"properties":{"a":$text}}',
            "]}",
        ),
    ),
    "rudderstack": Sender(
        "/beacon/v1/batch?writeKey=k",
        _listed(
            '{"batch":[',
            '{"type":"track","event":"word","anonymousId":$visitor,"properties":{"a":$text}}',
            "]}",
        ),
    ),
    "posthog": Sender(
        "/batch/",
        _listed(
            '{"api_key":"k","batch":[',
            '{"event":"word","distinct_id":$visitor,"properties":{"a":$text}}',
            "]}",
        ),
    ),
    "umami": Sender(
        "/api/batch",
        _listed(
            "[",
            '{"type":"event","payload":'
            '{"website":"k","vid":$visitor,"name":"word","data":{"a":$text}}}',
            "]",
        ),
    ),
    "ga4": Sender(
        "/mp/collect?measurement_id=k",
        _listed(
            '{"client_id":$visitor,"events":[',
            '{"name":"word","params":{"a":$text}}',
            "]}",
        ),
    ),
    "matomo": Sender(
        "/matomo.php",
        _listed(
            '{"requests":[',
            '{"idsite":"k","_id":$visitor,"e_a":"word","e_c":$text}',
            "]}",
        ),
    ),
    "snowplow": Sender("/com.snowplowanalytics.snowplow/tp2", _snowplow),
}
"""The vocabularies that have several events in a request; Plausible has none."""


def posted(name: str, texts: list[str], visitor: str = '"v-1"') -> Taken:
    path, body = SENDERS[name]
    content = body(texts, visitor).encode("utf-8", "surrogatepass")
    return send("POST", path, content, AGENT)


def said(touchpoint: dict[str, Any]) -> Any:
    properties = touchpoint["properties"]
    return properties.get("a", properties.get("category"))


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.parametrize(
    ("bad", "kept"),
    [
        ('"cut \\ud83d"', "cut \ufffd"),
        ('"\\ude00"', "\ufffd"),
        ('"bytes \ud83d"', None),
        ("1e400", "1e400"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("9" * 5000, None),
        ('"two\nlines"', "two lines"),
        ('"\\u001b[2J\\u0000"', " [2J "),
    ],
    ids=["half", "other half", "half as bytes", "huge", "nan", "inf", "digits", "raw", "escape"],
)
def test_a_text_or_number_that_json_has_not_is_repaired_and_its_neighbours_live(
    name: str, bad: str, kept: str | None
) -> None:
    taken = posted(name, ['"before"', bad, '"after"'])
    first, mended, last = taken.touchpoints
    assert ("k", "before", "after") == (taken.key, said(first), said(last))
    assert kept is None or kept == said(mended) or kept.strip() == said(mended)


@pytest.mark.parametrize("name", SENDERS)
def test_what_cannot_be_repaired_is_one_dead_letter(name: str) -> None:
    # Matomo's parameters are texts, however deep.
    bad = '"' + "x" * 40_000 + '"' if name == "matomo" else "[" * 20 + "]" * 20
    taken = posted(name, ['"before"', bad, '"after"'])
    assert ["before", "after"] == [said(touchpoint) for touchpoint in taken.touchpoints]
    assert [1] == [index for index, _ in taken.collected.refused]
    assert 1 == len(taken.values(DEAD_LETTERS.name))


PLACEHOLDERS = [
    *('"undefined"', '"null"', '"None"', '"NaN"', '"0"', "0", '"[object Object]"', '"NULL"'),
    *('"00000000-0000-0000-0000-000000000000"', r'"\\N"', '"  "', "false", "0.0", '"{{uid}}"'),
]


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.parametrize("visitor", PLACEHOLDERS)
def test_a_word_that_means_nobody_is_no_visitor(name: str, visitor: str) -> None:
    taken = posted(name, ['"x"'], visitor)
    if taken.touchpoints:  # a daily visitor, where the vocabulary knows such
        [touchpoint] = taken.touchpoints
        assert touchpoint["anonymous_id"].startswith("day-")
        assert "user_id" not in touchpoint
    else:
        assert [Reason.NO_VISITOR_ID] == [why.reason for _, why in taken.collected.refused]


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.parametrize("visitor", ["123", "123.0", '"123"', '"123.0"', '" 123\\n"'])
def test_a_number_is_one_visitor_however_it_is_written(name: str, visitor: str) -> None:
    [touchpoint] = posted(name, ['"x"'], visitor).touchpoints
    assert "123" in (touchpoint.get("anonymous_id"), touchpoint.get("user_id"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/track", {"event": "X", "anonymousId": "a", "properties": [], "context": []}),
        ("/v1/identify", {"userId": "a", "traits": []}),
        ("/mp/collect", {"client_id": "c", "events": [{"name": "X", "params": []}]}),
        ("/mp/collect", {"client_id": "c", "user_properties": [], "events": [{"name": "X"}]}),
        ("/api/event", {"n": "X", "u": "https://shop.example/", "d": "shop", "p": []}),
        ("/api/event", {"n": "X", "u": "https://shop.example/", "d": "shop", "$": []}),
        ("/api/event", {"n": "X", "u": "https://shop.example/", "d": "shop", "p": "[]"}),
        ("/e/", {"api_key": "k", "event": "X", "distinct_id": "u", "properties": []}),
        ("/api/send", {"type": "event", "payload": {"website": "w", "name": "X", "data": []}}),
    ],
)
def test_phps_empty_object_is_an_empty_object(path: str, body: dict[str, Any]) -> None:
    taken = send("POST", path, json.dumps(body).encode(), AGENT)
    assert [] == taken.collected.refused
    assert 1 == len(taken.touchpoints)


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("GET", "/matomo.php?idsite=k&_id=a&action_name=M%F6bel", b""),
        ("POST", "/matomo.php", b"idsite=k&_id=a&action_name=M\xf6bel"),
        ("GET", "/i?aid=k&e=pv&duid=a&page=M%F6bel", b""),
    ],
)
def test_a_query_that_is_no_utf_8_is_repaired(method: str, path: str, content: bytes) -> None:
    [touchpoint] = send(method, path, content).touchpoints
    assert "M\ufffdbel" == touchpoint["title"]


def test_a_query_joined_as_html_writes_it_is_read() -> None:
    query = f"idsite=k&amp;_id=a&amp;url={quote('https://shop.example/')}"
    taken = send("GET", f"/matomo.php?{query}")
    assert ("k", "a") == (taken.key, taken.touchpoints[0]["anonymous_id"])


def test_a_referrer_without_the_page_that_it_led_to_brings_nobody() -> None:
    params = {"page_referrer": "https://shop.example/cart"}
    event = {"client_id": "c", "events": [{"name": "purchase", "params": params}]}
    [alone] = send("POST", "/mp/collect", json.dumps(event).encode()).touchpoints
    assert "referrer" not in alone
    assert "https://shop.example/cart" == alone["properties"]["page_referrer"]
    params["page_location"] = "https://shop.example/thanks"
    [both] = send("POST", "/mp/collect", json.dumps(event).encode()).touchpoints
    assert "https://shop.example/cart" == both["referrer"]
