"""Calls of servers: only signed ones, and about the person that they name."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.server_api import ServerApi
from pipeline.privacy.pseudonyms import Pseudonyms
from pipeline.signed.signature import SIGNATURE, TIMESTAMP, is_recent, is_signed, signature

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECRETS = ["n" * 32, "o" * 32]
SALT = "s" * 32

api = ServerApi({"shop": SECRETS}, Pseudonyms(SALT))


def headers(secret: str = SECRETS[0], body: bytes = b"{}", at: datetime = NOON) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    return {TIMESTAMP: timestamp, SIGNATURE: signature(secret, timestamp, body)}


def is_turned_away(site: str = "shop", body: bytes = b"{}", **more: Any) -> bool:
    try:
        api.authenticate(site, headers(**more), body, NOON)
    except TurnedAway as why:
        return why.code is Problem.BAD_SIGNATURE
    return False


def named(**call: Any) -> Any:
    [told] = json.loads(api.named(json.dumps({"batch": [call]}).encode(), "shop"))["batch"]
    return told


# --- the signature --------------------------------------------------------------------------------


def test_the_signature_is_an_hmac_sha256_of_time_and_body() -> None:
    expected = hmac.new(b"secret", b"1767268800.{}", hashlib.sha256).hexdigest()
    assert f"v1={expected}" == signature("secret", "1767268800", b"{}")


def test_both_secrets_are_accepted_while_one_replaces_the_other() -> None:
    assert [False, False, True] == [is_turned_away(secret=s) for s in (*SECRETS, "x" * 32)]


def test_a_signature_of_another_body_or_site_is_none() -> None:
    assert is_turned_away(body=b"{} ")
    assert is_turned_away(site="blog")


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_signature_is_good_for_five_minutes_and_not_a_second_longer(sign: int) -> None:
    assert not is_turned_away(at=NOON + sign * 5 * MINUTE)
    assert is_turned_away(at=NOON + sign * (5 * MINUTE + timedelta(seconds=1)))


def test_the_time_cannot_be_changed_alone() -> None:
    old = headers(at=NOON - 10 * MINUTE)
    fresh = old | {TIMESTAMP: str(int(NOON.timestamp()))}
    with pytest.raises(TurnedAway):
        api.authenticate("shop", fresh, b"{}", NOON)


@pytest.mark.parametrize("missing", [TIMESTAMP, SIGNATURE])
def test_without_one_of_the_headers_nothing_is_signed(missing: str) -> None:
    told = headers()
    del told[missing]
    with pytest.raises(TurnedAway):
        api.authenticate("shop", told, b"{}", NOON)


@given(st.text())
def test_no_text_is_a_time_or_a_signature_by_chance(text: str) -> None:
    assert not is_recent(text, NOON) or abs(int(text) - NOON.timestamp()) <= 300
    assert not is_signed(SECRETS, "1", b"", text)


# --- who it is about ------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["traits", "properties"])
def test_a_customers_number_is_the_user(part: str) -> None:
    assert "17" == named(**{part: {"customer_id": 17}})["userId"]


def test_an_address_is_hashed_with_the_salt_and_not_kept() -> None:
    told = named(properties={"email": " Ada@Shop.example "})
    message = b"shop\0email\0ada@shop.example"
    email_hash = hmac.new(SALT.encode(), message, hashlib.sha256).hexdigest()
    assert {"email_hash": email_hash} == told["properties"]
    assert f"em_{email_hash[:32]}" == told["anonymousId"]


HASHED = Pseudonyms(SALT).email_hash("shop", "ada@shop.example")


@pytest.mark.parametrize("name", ["email", "Email", "EMAIL", "e-mail", "E-Mail", "emailAddress"])
@pytest.mark.parametrize(
    "address", ["ada@shop.example", "mailto:Ada@shop.example", "Ada L. <ada@shop.example>"]
)
def test_an_address_is_the_same_person_however_it_is_written(name: str, address: str) -> None:
    told = named(properties={name: address})
    assert told["properties"] == {"email_hash": HASHED}


@pytest.mark.parametrize(
    "call",
    [
        {"context": {"traits": {"email": "ada@shop.example", "customer_id": "c-17"}}},
        {"userId": "undefined", "traits": {"email": "ada@shop.example", "customer_id": "c-17"}},
        {"anonymousId": "null", "traits": {"email_hash": HASHED.upper(), "customer_id": "c-17"}},
        {
            "userId": "",
            "anonymousId": 0,
            "properties": {"email_hash": HASHED, "customer_id": "c-17"},
        },
    ],
)
def test_who_is_meant_is_read_wherever_it_is_told(call: dict[str, Any]) -> None:
    told = named(**call)
    assert (told["userId"], told["anonymousId"]) == ("c-17", f"em_{HASHED[:32]}")


def test_a_subscribers_number_is_the_visitor_of_the_newsletters_links() -> None:
    told = named(traits={"subscriber_id": "s-1", "email_hash": "0" * 64})
    subscriber_id = Pseudonyms(SALT).subscriber("shop", "s-1")
    assert subscriber_id == told["anonymousId"]
    assert (subscriber_id, "s-1") == (
        told["traits"]["subscriber_id"],
        told["traits"]["recipient_id"],
    )


def test_two_identifiers_join_in_one_call() -> None:
    told = named(properties={"customer_id": "c-17", "email_hash": "0" * 64})
    assert ("c-17", "em_" + "0" * 32) == (told["userId"], told["anonymousId"])


def test_what_a_call_says_itself_is_left_alone() -> None:
    told = named(userId="u", anonymousId="a", properties={"customer_id": 1, "subscriber_id": 2})
    assert ("u", "a") == (told["userId"], told["anonymousId"])


@pytest.mark.parametrize(
    "properties", [{"email_hash": "ada@shop.example"}, {"email_hash": 7}, {"customer_id": True}, {}]
)
def test_what_names_nobody_names_nobody(properties: dict[str, Any]) -> None:
    assert {"userId", "anonymousId"}.isdisjoint(named(properties=properties))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"channel": "store"}, "store"),
        ({"channel": "server"}, None),
        ({"channel": "store", "context": {"channel": "phone"}}, "phone"),
        ({"channel": "store", "context": "broken"}, None),
    ],
)
def test_a_channel_of_ours_is_taken(call: dict[str, Any], expected: str | None) -> None:
    context = named(**call).get("context")
    assert expected == (context.get("channel") if isinstance(context, dict) else None)


@pytest.mark.parametrize("payload", [b"", b"[]", b'"x"', b"\xff", b'{"batch":1}', b'{"batch":[1]}'])
def test_what_is_no_batch_of_calls_stays_as_it_is(payload: bytes) -> None:
    assert payload == api.named(payload, "shop")
