"""Who may send: a known write key, from an allowed origin."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.limits.gate import Gate, key_name, preflight
from pipeline.collector.request import Request
from pipeline.collector.vocabularies.segment import write_key
from schemas.codec import Refused
from schemas.dead_letter import Reason
from schemas.write_key import WriteKey

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)

gate = Gate({"wk_1": WriteKey(site="shop")}, ["https://shop.example"])


def basic(credentials: bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(credentials).decode()}"


@pytest.mark.parametrize("authorization", [basic(b"wk_1:"), basic(b"wk_1:x", "basic")])
def test_the_user_name_of_basic_authentication_is_the_write_key(authorization: str) -> None:
    assert "wk_1" == write_key(Request(authorization=authorization))


@pytest.mark.parametrize("authorization", [None, ""])
def test_without_authorization_the_body_has_the_write_key(authorization: str | None) -> None:
    body = b'{"batch": [], "writeKey": "wk_1"}'
    assert "wk_1" == write_key(Request(body=body, authorization=authorization))


@pytest.mark.parametrize("authorization", [basic(b"\xff:"), "Basic !", "Bearer wk_2"])
def test_another_authorization_names_no_key_but_the_body_may(authorization: str) -> None:
    """Segment's SDKs send a token of OAuth beside the key."""
    assert not write_key(Request(body=b"{}", authorization=authorization))
    assert "wk_1" == write_key(Request(body=b'{"writeKey": "wk_1"}', authorization=authorization))


def test_basic_authentication_may_leave_out_the_padding() -> None:
    assert "wk_1" == write_key(Request(authorization=basic(b"wk_1:").rstrip("=")))


def test_a_key_may_be_in_a_header_or_in_the_query() -> None:
    headers = {"x-write-key": "wk_1"}
    assert "wk_1" == write_key(Request(body=b"{}", headers=headers))
    assert "wk_1" == write_key(Request(body=b"{}", query="writeKey=wk_1"))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"writeKey": 1}', Reason.INVALID_FIELD),
        (b"{", Reason.NOT_JSON),
        (b'{"writeKey": "wk_2"}', Problem.UNKNOWN_WRITE_KEY),
    ],
)
def test_who_shows_no_key_is_turned_away(body: bytes, code: Problem | Reason) -> None:
    assert "wk_1" == key_name(Request(body=b'{"writeKey": "wk_1"}'), write_key)
    with pytest.raises(TurnedAway) as why:
        gate.sender(key_name(Request(body=body), write_key), None, NOW)
    assert code == why.value.code


@pytest.mark.parametrize(
    ("body", "reason"), [(b'{"writeKey": 1}', Reason.INVALID_FIELD), (b"{", Reason.NOT_JSON)]
)
def test_a_body_that_cannot_be_read_has_no_key(body: bytes, reason: Reason) -> None:
    with pytest.raises(Refused) as why:
        write_key(Request(body=body))
    assert reason == why.value.reason


def test_a_known_write_key_names_its_site() -> None:
    sender = gate.sender("wk_1", None, NOW)
    assert ("wk_1", "shop") == (sender.name, sender.key.site)


@pytest.mark.parametrize("key", ["wk_2", "", None])
def test_without_a_known_write_key_nobody_gets_in(key: str | None) -> None:
    with pytest.raises(TurnedAway) as why:
        gate.sender(key, None, NOW)
    assert Problem.UNKNOWN_WRITE_KEY == why.value.code


def test_without_a_list_every_origin_may_send() -> None:
    headers = dict(Gate({}, []).allow("https://any.example"))
    assert "https://any.example" == headers["access-control-allow-origin"]


@pytest.mark.parametrize(
    "asked",
    [
        "authorization,content-type,x-retry-count",
        "content-type, rsa-retry-attempt, rsa-retry-reason, rsa-since-first-attempt",
        "x-write-key",
        "traceparent",
    ],
)
def test_a_page_may_send_whatever_headers_it_asks_for(asked: str) -> None:
    allowed = dict(preflight(asked))["access-control-allow-headers"]
    assert asked.replace(" ", "").split(",") == allowed.replace(" ", "").split(",")


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        (None, ""),
        ("", ""),
        ("X-A", "x-a"),
        ("a b, x\ny, c", "c"),
        ("x" * 65, ""),
        (",".join(f"x-{n}" for n in range(99)), ", ".join(f"x-{n}" for n in range(64))),
    ],
)
def test_what_a_page_asks_for_is_answered_within_a_limit(asked: str | None, allowed: str) -> None:
    assert allowed == dict(preflight(asked))["access-control-allow-headers"]


def test_a_page_can_read_when_to_come_again() -> None:
    assert "retry-after" == dict(Gate({}, []).allow("https://a.b"))["access-control-expose-headers"]


def test_a_sender_that_is_no_browser_names_no_origin_and_needs_no_headers() -> None:
    assert [] == gate.allow(None)


@pytest.mark.parametrize("origin", ["https://shop.example.evil", "http://shop.example", "null"])
def test_an_origin_is_allowed_only_as_it_is_written(origin: str) -> None:
    with pytest.raises(TurnedAway):
        gate.allow(origin)


def test_a_key_is_accepted_until_its_time_is_over_and_then_refused_with_a_reason_of_its_own() -> (
    None
):
    gate = Gate({"old": WriteKey(site="shop", not_after=NOW), "new": WriteKey(site="shop")}, [])
    assert "shop" == gate.sender("old", None, NOW).key.site
    with pytest.raises(TurnedAway) as why:
        gate.sender("old", None, NOW + timedelta(microseconds=1))
    assert Problem.KEY_EXPIRED == why.value.code
    assert "shop" == gate.sender("new", None, NOW + timedelta(days=1)).key.site


class TestOriginsOfAKey:
    gate = Gate(
        {
            "own": WriteKey(site="own", origins=frozenset({"https://own.example"})),
            "any": WriteKey(site="any"),
        },
        ["https://shop.example"],
    )

    @pytest.mark.parametrize(
        ("key", "origin"),
        [
            ("own", "https://own.example"),
            ("any", "https://shop.example"),
            ("own", None),
            ("any", None),
        ],
    )
    def test_its_own_pages_may_use_it_and_servers(self, key: str, origin: str | None) -> None:
        self.gate.allow(origin)
        assert key == self.gate.sender(key, origin, NOW).name

    @pytest.mark.parametrize(
        ("key", "origin"), [("own", "https://shop.example"), ("any", "https://own.example")]
    )
    def test_the_pages_of_another_key_may_not_but_can_read_why(self, key: str, origin: str) -> None:
        assert self.gate.allow(origin)
        with pytest.raises(TurnedAway) as why:
            self.gate.sender(key, origin, NOW)
        assert Problem.ORIGIN_NOT_ALLOWED == why.value.code

    def test_a_page_of_no_key_hears_nothing(self) -> None:
        with pytest.raises(TurnedAway):
            self.gate.allow("https://evil.example")


@pytest.mark.parametrize("told", ["shop", {"site": "shop"}])
def test_the_site_alone_is_enough_for_a_key(told: object) -> None:
    assert WriteKey(site="shop") == WriteKey.model_validate(told)


@pytest.mark.parametrize(
    "told",
    [
        {"site": "shop", "origins": ["shop.example"]},
        {"site": "shop", "not_after": "2026-01-01T00:00:00"},
        {"site": "shop", "events_per_second": -1},
        {"site": "shop", "event_per_day": 7},
        {"origins": []},
        7,
    ],
    ids=str,
)
def test_what_a_key_cannot_be_is_refused(told: object) -> None:
    with pytest.raises(ValidationError):
        WriteKey.model_validate(told)
