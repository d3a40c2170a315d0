"""Who may send: a known write key, from an allowed origin."""

import base64

import pytest

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.gate import Gate
from pipeline.collector.request import Request
from pipeline.collector.vocabularies.segment import write_key
from schemas.codec import Refused
from schemas.dead_letter import Reason

gate = Gate({"wk_1": "shop"}, ["https://shop.example"])


def basic(credentials: bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(credentials).decode()}"


@pytest.mark.parametrize("authorization", [basic(b"wk_1:"), basic(b"wk_1:x", "basic")])
def test_the_user_name_of_basic_authentication_is_the_write_key(authorization: str) -> None:
    assert "wk_1" == write_key(Request(authorization=authorization))


@pytest.mark.parametrize("authorization", [None, ""])
def test_without_authorization_the_body_has_the_write_key(authorization: str | None) -> None:
    body = b'{"batch": [], "writeKey": "wk_1"}'
    assert "wk_1" == write_key(Request(body=body, authorization=authorization))


@pytest.mark.parametrize("authorization", [basic(b"\xff:"), "Basic !", "Bearer wk_1"])
def test_another_authorization_names_no_key_whatever_the_body_says(authorization: str) -> None:
    body = b'{"writeKey": "wk_1"}'
    assert not write_key(Request(body=body, authorization=authorization))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"writeKey": 1}', Reason.INVALID_FIELD),
        (b"{", Reason.NOT_JSON),
        (b'{"writeKey": "wk_2"}', Problem.UNKNOWN_WRITE_KEY),
    ],
)
def test_who_shows_no_key_is_turned_away(body: bytes, code: Problem | Reason) -> None:
    assert "shop" == gate.site_of(Request(body=b'{"writeKey": "wk_1"}'), write_key)
    with pytest.raises(TurnedAway) as why:
        gate.site_of(Request(body=body), write_key)
    assert code == why.value.code


@pytest.mark.parametrize(
    ("body", "reason"), [(b'{"writeKey": 1}', Reason.INVALID_FIELD), (b"{", Reason.NOT_JSON)]
)
def test_a_body_that_cannot_be_read_has_no_key(body: bytes, reason: Reason) -> None:
    with pytest.raises(Refused) as why:
        write_key(Request(body=body))
    assert reason == why.value.reason


def test_a_known_write_key_names_its_site() -> None:
    assert "shop" == gate.site("wk_1")


@pytest.mark.parametrize("key", ["wk_2", "", None])
def test_without_a_known_write_key_nobody_gets_in(key: str | None) -> None:
    with pytest.raises(TurnedAway) as why:
        gate.site(key)
    assert Problem.UNKNOWN_WRITE_KEY == why.value.code


def test_without_a_list_every_origin_may_send() -> None:
    headers = dict(Gate({}, []).allow("https://any.example"))
    assert "https://any.example" == headers["access-control-allow-origin"]


def test_a_sender_that_is_no_browser_names_no_origin_and_needs_no_headers() -> None:
    assert [] == gate.allow(None)


@pytest.mark.parametrize("origin", ["https://shop.example.evil", "http://shop.example", "null"])
def test_an_origin_is_allowed_only_as_it_is_written(origin: str) -> None:
    with pytest.raises(TurnedAway):
        gate.allow(origin)
