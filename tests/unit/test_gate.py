"""Who may send: a known write key, from an allowed origin."""

import base64

import pytest

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.gate import Gate
from schemas.dead_letter import Reason

gate = Gate({"wk_1": "shop"}, ["https://shop.example"])


def basic(credentials: bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(credentials).decode()}"


@pytest.mark.parametrize("authorization", [basic(b"wk_1:"), basic(b"wk_1:x", "basic")])
def test_the_user_name_of_basic_authentication_names_the_site(authorization: str) -> None:
    assert "shop" == gate.site(authorization, b"")


@pytest.mark.parametrize("authorization", [None, ""])
def test_without_authorization_the_body_names_the_site(authorization: str | None) -> None:
    assert "shop" == gate.site(authorization, b'{"batch": [], "writeKey": "wk_1"}')


@pytest.mark.parametrize(
    ("authorization", "payload", "code"),
    [
        (basic(b"wk_2:"), b'{"writeKey": "wk_1"}', Problem.UNKNOWN_WRITE_KEY),
        (basic(b"\xff:"), b"{}", Problem.UNKNOWN_WRITE_KEY),
        ("Basic !", b"{}", Problem.UNKNOWN_WRITE_KEY),
        ("Bearer wk_1", b"{}", Problem.UNKNOWN_WRITE_KEY),
        (None, b"{}", Problem.UNKNOWN_WRITE_KEY),
        (None, b'{"writeKey": null}', Problem.UNKNOWN_WRITE_KEY),
        (None, b'{"writeKey": 1}', Reason.INVALID_FIELD),
        (None, b"{", Reason.NOT_JSON),
    ],
)
def test_without_a_known_write_key_nobody_gets_in(
    authorization: str | None, payload: bytes, code: Problem | Reason
) -> None:
    with pytest.raises(TurnedAway) as why:
        gate.site(authorization, payload)
    assert code == why.value.code


def test_without_a_list_every_origin_may_send() -> None:
    headers = dict(Gate({}, []).allow("https://any.example"))
    assert "https://any.example" == headers["access-control-allow-origin"]


def test_a_sender_that_is_no_browser_names_no_origin_and_needs_no_headers() -> None:
    assert [] == gate.allow(None)


@pytest.mark.parametrize("origin", ["https://shop.example.evil", "http://shop.example", "null"])
def test_an_origin_is_allowed_only_as_it_is_written(origin: str) -> None:
    with pytest.raises(TurnedAway):
        gate.allow(origin)
