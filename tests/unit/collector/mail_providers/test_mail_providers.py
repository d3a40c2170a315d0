"""Providers' webhooks: documented samples become touchpoints, what is not theirs is refused."""

import json
import re
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.arrival import Arrival
from pipeline.collector.collect import Collected
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.letters import Letters
from pipeline.collector.mail_providers.delivery import Delivery
from pipeline.collector.mail_providers.receive import PROVIDERS, Webhooks
from pipeline.importer.send import load_mapping
from pipeline.privacy.pseudonyms import Pseudonyms
from schemas.codec import Refused, decode_touchpoint, encode
from schemas.dead_letter import DeadLetter, Reason
from schemas.topics import DEAD_LETTERS, RAW
from schemas.touchpoint import Touchpoint
from tests.support.puffy import MAPPINGS
from tests.support.webhooks import (
    EXAMPLES,
    PUBLIC_URL,
    SECRETS,
    Request,
    example,
    instant,
    request,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

pseudonyms = Pseudonyms("s" * 32)
webhooks = Webhooks(
    {f"{provider}/shop": [secret] for provider, secret in SECRETS.items()},
    pseudonyms,
    32_768,
    1_000,
)


def received(provider: str, sent: Request, at: datetime = NOON, site: str = "shop") -> Collected:
    place = f"{provider}/{site}"
    url = f"{PUBLIC_URL}/v1/webhooks/{place}" + (f"?{sent.query}" if sent.query else "")
    delivery = Delivery(url, sent.query, sent.headers, sent.body, at)
    return webhooks.receive(place, delivery, Arrival(site, at))


def touchpoints(collected: Collected) -> list[Touchpoint]:
    values = [record.value for topic, record in collected.records if topic == RAW.name]
    return [decode_touchpoint(value) for value in values if value]


def letters(collected: Collected) -> list[DeadLetter]:
    values = [record.value for topic, record in collected.records if topic != RAW.name]
    return [msgspec.json.decode(value, type=DeadLetter) for value in values if value]


def properties(of: Touchpoint) -> Any:
    return msgspec.json.decode(of.properties)


def problem(provider: str, sent: Request, **more: Any) -> Problem:
    with pytest.raises(TurnedAway) as refused:
        received(provider, sent, **more)
    assert isinstance(refused.value.code, Problem)
    return refused.value.code


def sample(provider: str) -> Any:
    return example(next(path for path in EXAMPLES if path.parent.name == provider))[1]


# --- the golden examples --------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_golden_example(path: Path) -> None:
    provider, said, expected = example(path)
    collected = received(provider, request(provider, said, NOON))
    found = touchpoints(collected)
    assert collected.refused == []
    assert expected == [
        [
            each.touchpoint_id if wanted[0] else None,
            each.name,
            each.channel,
            wanted[3],
            *flags(each),
        ]
        for each, wanted in zip(found, expected, strict=True)
    ]
    assert [instant(wanted[3]) for wanted in expected] == [each.occurred_at for each in found]


def flags(of: Touchpoint) -> list[str]:
    return [name for name, told in properties(of).items() if name.startswith("is_machine") and told]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_address_of_anybody_and_no_ip_is_written(path: Path) -> None:
    provider, said, _expected = example(path)
    written = b"".join(
        record.value or b""
        for _topic, record in received(provider, request(provider, said, NOON)).records
    )
    for raw in (b"@", b"%40", b"255.255.255.255", b"10.20.10.30", b"188.2.95.4", b'"Ada"'):
        assert raw not in _MESSAGE_IDS.sub(b"", written)


_MESSAGE_IDS = re.compile(rb"@(?:example\.org|ismtpd-555|smtp-relay\.mailin\.fr)")
"""What stands behind the @ in the ids of messages, which are nobody's address."""


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_same_event_twice_has_one_id_and_different_events_have_different_ones(
    provider: str,
) -> None:
    said = [example(path)[1] for path in EXAMPLES if path.parent.name == provider]

    def ids(at: datetime) -> list[str]:
        sent = [request(provider, each, at) for each in said]
        return [t.touchpoint_id for each in sent for t in touchpoints(received(provider, each, at))]

    assert ids(NOON) == ids(NOON + DAY)
    # One event of Mandrill's sample stands there twice, apart from its user agent.
    assert len(ids(NOON)) - len(set(ids(NOON))) == (1 if provider == "mandrill" else 0)


# --- what they say --------------------------------------------------------------------------------


def test_the_hash_of_the_address_names_the_visitor_and_all_providers_name_the_same() -> None:
    said = {
        "RecordType": "Open",
        "Recipient": " Ada@Shop.example",
        "ReceivedAt": "2026-01-01T00:00Z",
    }
    said["ReceivedAt"] = "2026-01-01T00:00:00Z"
    [opened] = touchpoints(received("postmark", request("postmark", said, NOON)))
    email_hash = pseudonyms.email_hash("shop", "ada@shop.example")
    assert (f"em_{email_hash[:32]}", email_hash) == (
        opened.anonymous_id,
        properties(opened)["email_hash"],
    )


def test_a_provider_whose_clock_is_ahead_tells_nothing_of_the_future() -> None:
    said = sample("mailgun")
    said["event-data"]["timestamp"] = (NOON + timedelta(days=3)).timestamp()
    [told] = touchpoints(received("mailgun", request("mailgun", said, NOON)))
    assert (told.occurred_at, told.ts_adjusted) == (told.received_at, True)


def test_a_subscriber_is_the_visitor_that_the_signed_links_name() -> None:
    said = sample("mailgun")
    said["event-data"]["user-variables"] = {"subscriber_id": "s-1", "campaign_id": "spring"}
    [told] = touchpoints(received("mailgun", request("mailgun", said, NOON)))
    subscriber_id = pseudonyms.subscriber("shop", "s-1")
    assert subscriber_id == told.anonymous_id
    assert (subscriber_id, "s-1", "spring") == tuple(
        properties(told)[name] for name in ("subscriber_id", "recipient_id", "campaign_id")
    )


def test_what_has_no_place_of_its_own_stands_in_the_details() -> None:
    told = touchpoints(received("sendgrid", request("sendgrid", sample("sendgrid"), NOON)))
    assert ["cat facts"] == properties(told[0])["details"]["category"]
    assert "400 try again later" == properties(told[1])["details"]["response"]


def test_an_address_in_a_link_becomes_its_hash() -> None:
    told = touchpoints(received("sendgrid", request("sendgrid", sample("sendgrid"), NOON)))
    email_hash = pseudonyms.email_hash("shop", "example@test.com")
    [clicked] = [each for each in told if each.touchpoint_id == "sg-6=="]
    assert f"https://shop.example/a?mail={email_hash}" == clicked.url


def test_what_is_nested_deeper_than_anybody_reads_is_left_out() -> None:
    deep: Any = "example@test.com"
    for _ in range(50):
        deep = {"deeper": [deep]}
    sent = request("sendgrid", [sample("sendgrid")[0] | {"note": deep}], NOON)
    [told] = touchpoints(received("sendgrid", sent))
    assert b"nested too deeply" in bytes(told.properties)


def test_an_address_is_left_out_whatever_its_name_is_and_costs_no_more() -> None:
    private = {"a\n_ip": "203.0.113.7", "_ip" * 20_000 + "\n": "203.0.113.7"}
    sent = request("sendgrid", [sample("sendgrid")[0] | private], NOON)
    began = time.process_time()
    [told] = touchpoints(received("sendgrid", sent))
    assert time.process_time() - began < 1
    assert b"203.0.113.7" not in bytes(told.properties)


def test_a_delivery_of_more_events_than_a_batch_has_is_turned_away_as_a_whole() -> None:
    event = sample("sendgrid")[0]
    taken = received("sendgrid", request("sendgrid", [event] * 1_000, NOON))
    assert (1_000, []) == (taken.accepted, taken.refused)
    with pytest.raises(TurnedAway) as why:
        received("sendgrid", request("sendgrid", [event] * 1_001, NOON))
    assert Reason.TOO_LARGE == why.value.code


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"event": "new_kind"}, "unknown_type"),
        ({"email": None}, "missing_field"),
        ({"email": "nobody"}, "no_visitor_id"),
        ({"timestamp": 1e300}, "invalid_time"),
        ({"note": "x" * 40_000}, "too_large"),
        ({"event": [[[[[[[[[[[[["deep"]]]]]]]]]]]]]}, "invalid_field"),
    ],
)
def test_an_event_that_cannot_be_read_is_a_dead_letter_and_the_others_are_taken(
    event: dict[str, Any], reason: str
) -> None:
    good = sample("sendgrid")[0]
    said = [good, good | {"sg_event_id": "bad"} | event, good | {"sg_event_id": "next"}]
    collected = received("sendgrid", request("sendgrid", said, NOON))
    assert ["sg-1==", "next"] == [each.touchpoint_id for each in touchpoints(collected)]
    [letter] = letters(collected)
    assert (reason, 1, "collect") == (letter.reason, letter.position, letter.stage)
    assert "@test.com" not in letter.payload


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(_JSON)
def test_nothing_that_is_signed_breaks_it(said: Any) -> None:
    collected = received("brevo", request("brevo", said, NOON))
    assert len(said if isinstance(said, list) else [said]) == len(collected.refused)


@pytest.mark.parametrize("provider", PROVIDERS)
@given(data=st.data())
def test_no_part_of_an_event_may_be_anything_else_and_break_it(
    provider: str, data: st.DataObject
) -> None:
    sent = request(provider, sample(provider), NOON)
    [event, *_] = PROVIDERS[provider].events(sent.body)
    inner = event["event-data"] if "event-data" in event else event.get("msg", event)
    inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(
        st.text() if provider == "mailchimp" else _JSON  # a form has nothing but texts
    )
    try:
        told = PROVIDERS[provider].read(event)
    except Refused:
        return
    assert told is None or told.name


def test_the_log_of_a_mail_tool_and_the_providers_have_the_same_names() -> None:
    """So the funnel from mail to click is one, wherever its touchpoints come from."""
    names = {rule.name for rule in load_mapping(MAPPINGS / "yammer.toml").events}
    told = {name for path in EXAMPLES for _, name, *_ in example(path)[2]}
    assert names == {"Email Sent", "Email Opened", "Email Link Clicked"} & told


# --- what is not theirs ---------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_not_signed_is_refused(provider: str) -> None:
    sent = request(provider, sample(provider), NOON)
    body = sent.body.replace(b'"signature": "', b'"signature": "0')
    assert Problem.BAD_SIGNATURE == problem(provider, Request("", {}, body))


@pytest.mark.parametrize("provider", ["sendgrid", "mandrill"])
def test_a_body_that_was_changed_is_refused(provider: str) -> None:
    sent = request(provider, sample(provider), NOON)
    assert Problem.BAD_SIGNATURE == problem(provider, sent._replace(body=sent.body + b" "))


@pytest.mark.parametrize(
    ("provider", "sent"),
    [
        ("mailchimp", Request("secret=wrong", {}, b"type=campaign")),
        ("postmark", Request("", {"authorization": "Basic cG9zdG1hcms6bm8="}, b"{}")),
        ("postmark", Request("", {"authorization": "Basic ä"}, b"{}")),
        ("brevo", Request("", {"authorization": "Bearer wrong"}, b"{}")),
        ("mailgun", Request("", {}, b"\xff")),
        ("mandrill", Request("", {"x-mandrill-signature": "x"}, b"\xff=1")),
        ("sendgrid", Request("", {"x-twilio-email-event-webhook-timestamp": "x"}, b"[]")),
    ],
)
def test_a_wrong_or_broken_secret_is_refused(provider: str, sent: Request) -> None:
    assert Problem.BAD_SIGNATURE == problem(provider, sent)


@pytest.mark.parametrize(("bot", "is_machine"), [("apple", True), ("", None), (None, None)])
def test_mailguns_word_for_a_bot_makes_an_open_that_of_a_machine(
    bot: str | None, is_machine: bool | None
) -> None:
    [path] = [path for path in EXAMPLES if path.stem == "opened_5"]
    said = json.loads(path.read_text())["body"]
    said["event-data"]["client-info"]["bot"] = bot
    [told] = touchpoints(received("mailgun", request("mailgun", said, NOON)))
    assert is_machine == json.loads(bytes(told.properties)).get("is_machine_open")


@pytest.mark.parametrize("provider", ["sendgrid", "mailgun"])
def test_a_signature_is_good_for_a_day_and_not_a_second_longer(provider: str) -> None:
    sent = request(provider, sample(provider), NOON)
    assert touchpoints(received(provider, sent, at=NOON + DAY))
    assert Problem.BAD_SIGNATURE == problem(provider, sent, at=NOON + DAY + timedelta(seconds=1))
    assert Problem.BAD_SIGNATURE == problem(provider, sent, at=NOON - DAY - timedelta(seconds=1))


def test_brevos_bearer_token_is_accepted_too() -> None:
    sent = Request("", {"authorization": f"Bearer {SECRETS['brevo']}"}, b"[]")
    assert [] == received("brevo", sent).records


def test_two_secrets_are_accepted_while_one_replaces_the_other() -> None:
    both = Webhooks({"mailchimp/shop": ["new-secret", "old-secret"]}, pseudonyms, 32_768, 1)
    for secret in ("new-secret", "old-secret"):
        delivery = Delivery("", f"secret={secret}", {}, b"type=campaign", NOON)
        assert [] == both.receive("mailchimp/shop", delivery, Arrival("shop", NOON)).records


@pytest.mark.parametrize("place", ["sendgrid/blog", "sendgrid", "", "unknown/shop"])
def test_a_webhook_that_nobody_has_set_up_is_not_found(place: str) -> None:
    with pytest.raises(TurnedAway) as refused:
        webhooks.secrets_of(place)
    assert Problem.NOT_FOUND == refused.value.code


def test_sendgrids_own_sample_is_genuine() -> None:
    """The key, the signature and the body are those of SendGrid's libraries."""
    key = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62"
        "gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
    )
    event = {
        "email": "hello@world.com",
        "event": "dropped",
        "reason": "Bounced Address",
        "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
        "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-"
        "9.0",
        "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
        "timestamp": 1600112492,
    }
    header = "x-twilio-email-event-webhook-"
    headers = {
        f"{header}timestamp": "1600112502",
        f"{header}signature": "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0"
        "JuG+luQAbPIqHh89M15TluLtEZtM=",
    }
    body = json.dumps([event], sort_keys=True, separators=(",", ":")).encode() + b"\r\n"
    then = datetime.fromtimestamp(1600112503, UTC)
    is_genuine = PROVIDERS["sendgrid"].is_genuine
    assert is_genuine(Delivery("", "", headers, body, then), key)
    assert not is_genuine(Delivery("", "", headers, body[:-2], then), key)
    assert not is_genuine(Delivery("", "", headers, body, then), SECRETS["sendgrid"])


def _places(said: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = said.items() if isinstance(said, dict) else enumerate(said) if _is_list(said) else ()
    for name, part in parts:
        yield (*way, name)
        yield from _places(part, (*way, name))


def _is_list(said: Any) -> bool:
    return isinstance(said, list)


def _with(said: Any, way: tuple[Any, ...], *parts: Any) -> Any:
    """Put a part in the place at the end of `way`, or none."""
    copy = deepcopy(said)
    inner = copy
    for name in way[:-1]:
        inner = inner[name]
    del inner[way[-1]]
    if parts and isinstance(inner, dict):
        inner[way[-1]] = parts[0]
    return copy


def _read(provider: str, event: Any) -> object:
    try:
        return PROVIDERS[provider].read(event)
    except Refused:
        return "refused"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_field_with_nothing_in_it_is_as_if_it_were_not_there(path: Path) -> None:
    provider, said, _ = example(path)
    empty: list[Any] = [""] if provider == "mailchimp" else [None, "", [], {}]  # it sends forms
    for event in PROVIDERS[provider].events(request(provider, said, NOON).body):
        for way in _places(event):
            absent = _read(provider, _with(event, way))
            if absent != "refused":
                for nothing in empty:
                    assert _read(provider, _with(event, way, nothing)) == absent, (way, nothing)


STRICT = replace(webhooks, largest=1)
"""Refuses every event."""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_letter_of_an_event_becomes_the_touchpoint_that_it_would_have_been(path: Path) -> None:
    provider, said, _ = example(path)
    place, sent = f"{provider}/shop", request(provider, said, NOON)
    url = f"{PUBLIC_URL}/v1/webhooks/{place}"
    delivery = Delivery(url, sent.query, sent.headers, sent.body, NOON)
    arrival = Arrival("shop", NOON, path=f"/v1/webhooks/{place}")
    expected = touchpoints(webhooks.receive(place, delivery, arrival))
    refused = STRICT.receive(place, delivery, arrival)
    letters = [
        msgspec.json.decode(record.value or b"", type=DeadLetter)
        for topic, record in refused.records
        if topic == DEAD_LETTERS.name
    ]
    intake = Intake(Limits(bytes=32_768, depth=8, age=DAY))
    reader = Letters(intake, webhooks)
    found = [one for letter in letters for one in reader.read(letter, letter.raw())]
    assert [_told(one) for one in found] == [_told(one) for one in expected]
    assert len(letters) == len(expected)


def _told(touchpoint: Touchpoint) -> dict[str, Any]:
    """Leave out ids that look like an address or are made of one, and the details."""
    told: dict[str, Any] = json.loads(encode(touchpoint))
    del told["touchpoint_id"], told["properties"]["details"]
    told["properties"].pop("email_id", None)
    return told
