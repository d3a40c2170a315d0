"""What a request to the collector goes through, from its bytes to the answer, without a server.

Each function takes any bytes. It returns if they are taken, or refused as documented; whatever
else comes out of it is a finding.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from pipeline.collector.answers import STATUSES, TurnedAway, outcome, refusal
from pipeline.collector.arrival import Arrival, browser
from pipeline.collector.beacon.script import Script
from pipeline.collector.body import unpacked
from pipeline.collector.collect import Collected, collect
from pipeline.collector.cookieless import DailyVisitors
from pipeline.collector.decoding import json_value
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.limits.gate import Gate, Sender, key_name
from pipeline.collector.mail_providers.delivery import Delivery
from pipeline.collector.mail_providers.receive import PROVIDERS, Webhooks
from pipeline.collector.newsletter.follow import Followed, Newsletter
from pipeline.collector.newsletter.links import (
    BadLink,
    Link,
    sign,
    with_visitor,
)
from pipeline.collector.request import Request
from pipeline.collector.server_api import ServerApi
from pipeline.collector.vocabularies import segment
from pipeline.collector.vocabularies.routes import is_known, set_up, vocabulary_of
from pipeline.collector.vocabularies.vocabulary import Routes, Vocabulary
from pipeline.privacy.addresses import truncated_ip
from pipeline.privacy.pseudonyms import Pseudonyms
from pipeline.signed.signature import SIGNATURE, TIMESTAMP, signature
from schemas.codec import Refused, decode_touchpoint, encode
from schemas.dead_letter import DeadLetter
from schemas.topics import RAW
from schemas.write_key import WriteKey
from tests.fuzz import messages
from tests.support import webhooks as providers
from tests.support.examples import FOLDER

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LARGEST_BODY = 500_000
LARGEST_RECORD = 1_000_000
"""Kafka refuses a larger one for ever."""

_LONGEST_BATCH = 1_000
_SECRET = "k" * 32
_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"


class _Open(Gate):
    """Lets everybody in who has a key, so that the way behind it is tried."""

    def sender(self, name: str | None, _origin: str | None, _now: datetime) -> Sender:
        """Give the only key there is."""
        return Sender(name or "", WriteKey(site="shop"))


_intake = Intake(Limits(bytes=32_768, depth=8, age=timedelta(days=30)))
_pseudonyms = Pseudonyms("s" * 32)
_newsletter = Newsletter([_SECRET], _pseudonyms, {"shop": ["shop.example"]})
_servers = ServerApi({"shop": [_SECRET]}, _pseudonyms)
_webhooks = Webhooks(
    {f"{name}/shop": [secret] for name, secret in providers.SECRETS.items()},
    _pseudonyms,
    32_768,
    _LONGEST_BATCH,
)
_gate = _Open({}, ["https://shop.example"])
_script = Script("/v1/batch")
_letters = msgspec.json.Decoder(DeadLetter)


# --- tracking calls -------------------------------------------------------------------------------


def speak(routes: Routes, data: bytes) -> None:
    """Send a request to one of `routes`: the first, unless it names another."""
    message = messages.read(data)
    found = routes.get((message.method, message.path))
    _take(found or next(iter(routes.values())), message)


def examples_of(*vocabularies: str) -> Iterator[bytes]:
    for name in vocabularies:
        for path in sorted((FOLDER / name).glob("*.json")):
            yield messages.of_example(json.loads(path.read_bytes())["request"])


def _take(vocabulary: Vocabulary, message: messages.Message) -> None:
    with suppress(TurnedAway):
        encoding = message.headers.get("content-encoding")
        content = unpacked(message.body, encoding, LARGEST_BODY) if message.body else b""
        request = Request(message.query, content, message.headers.get("authorization"))
        _gate.sender(key_name(request, vocabulary.key), None, NOON)
        _look_at(collect(request, vocabulary, _arrival(message, vocabulary), _intake, 1_000))


def _arrival(message: messages.Message, vocabulary: Vocabulary) -> Arrival:
    user_agent = browser(message.headers.get("user-agent"))
    arrival = Arrival("shop", NOON, user_agent, "192.0.2.0")
    if vocabulary.is_cookieless:
        arrival.daily_visitor = DailyVisitors(partial(bytes, 32)).name(arrival)
    return arrival


def _look_at(collected: Collected) -> None:
    """Whatever is written can be read again by the tracker, and Kafka takes it."""
    for topic, record in collected.records:
        value = record.value or b""
        assert len(value) < LARGEST_RECORD
        if topic == RAW.name:
            decode_touchpoint(value)
        else:
            _letters.decode(value).raw()
    accepted, refused = collected.accepted, collected.refused
    assert outcome(collected.is_batch, accepted, refused, segment.BATCH.success).status in {
        200,
        *STATUSES.values(),
    }


def ask(data: bytes) -> None:
    """Ask what SDKs ask before they send, and what a path is for."""
    message = messages.read(data)
    if told := set_up(message.path, message.headers.get("host", "")):
        assert told.status == 200
    is_known(message.path)
    if vocabulary := vocabulary_of(message.method, message.path):
        _take(vocabulary, message)


# --- bodies and headers ---------------------------------------------------------------------------


def unpack(data: bytes) -> None:
    """Unpack a body, whose encoding stands in the first line, and read it as JSON."""
    encoding, _, body = data.partition(b"\n")
    with suppress(TurnedAway, Refused):
        content = unpacked(body, encoding.decode("ascii", "ignore") or None, LARGEST_BODY)
        assert len(content) <= LARGEST_BODY
        json_value(content)


def present_headers(data: bytes) -> None:
    """Read every header that something is made of; the client's address stands in `client`."""
    headers = messages.read(data).headers
    Request(authorization=headers.get("authorization")).user_name  # noqa: B018 - it is a property
    truncated_ip(headers.get("client", ""))
    _script.answer(headers.get("if-none-match"), headers.get("accept-encoding"))
    with suppress(TurnedAway):
        _gate.allow(headers.get("origin"))
    refusal(next(iter(STATUSES)), headers.get("host", ""))
    for place in _webhooks.secrets:
        message = messages.Message("POST", "", headers.get("query", ""), headers, b"[]")
        with suppress(TurnedAway):
            _look_at(_webhooks.receive(place, _delivery(place, message), Arrival("shop", NOON)))
    with suppress(TurnedAway):
        _servers.authenticate("shop", headers, b"{}", NOON)


def many_headers() -> Iterator[bytes]:
    basic = providers.request("brevo", {}, NOON).headers["authorization"]
    for headers in (
        {"authorization": basic, "client": "192.0.2.7:80", "origin": "https://shop.example"},
        {"authorization": "Bearer x", "client": "[2001:db8::1]:80", "if-none-match": 'W/"1"'},
        {TIMESTAMP: str(int(NOON.timestamp())), SIGNATURE: "v1=00", "query": "secret=a"},
        *(providers.request(name, {}, NOON).headers for name in PROVIDERS),
    ):
        yield messages.written("GET", "/", headers)


# --- newsletter links -----------------------------------------------------------------------------


def follow(data: bytes) -> None:
    """Follow a link whose token is made up."""
    _follow(messages.read(data))


def follow_signed(data: bytes) -> None:
    """Follow a link of any content, signed with the right key: the path is that content."""
    message = messages.read(data)
    with suppress(msgspec.MsgspecError, BadLink):
        link = msgspec.json.decode(message.path, type=Link)
        token = sign(link, [_SECRET])
        if link.purpose == "click":  # the others lead to no page of a shop
            with_visitor(link.url, "nl_1", ["shop.example"])
        signed = messages.Message(message.method, token, "", message.headers, message.body)
        _follow(signed)


def _follow(message: messages.Message) -> None:
    arrival = Arrival("", NOON, ip="192.0.2.0")
    with suppress(TurnedAway):
        followed = _newsletter.follow(
            message.method, message.path, message.headers, arrival, message.body
        )
        _see(followed)


def _see(followed: Followed) -> None:
    for name, value in followed.answer.headers:
        assert value.isprintable(), name
        assert value.isascii(), name
    if followed.touchpoint:
        decode_touchpoint(encode(followed.touchpoint))


def links() -> Iterator[bytes]:
    for method, purpose, url in (
        ("GET", "click", "https://shop.example/p?a=1&ts_link=x#y"),
        ("GET", "open", ""),
        ("GET", "unsubscribe", ""),
        ("POST", "unsubscribe", ""),
    ):
        content = msgspec.json.encode([purpose, "shop", "spring", "s-1", 4_070_908_800, url])
        form = b"List-Unsubscribe=One-Click"
        yield messages.written(method, content.decode(), {"user-agent": _FIREFOX}, form)
    part = (
        b'--x\r\ncontent-disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--'
    )
    yield messages.written("POST", content.decode(), {}, part)


def tokens() -> Iterator[bytes]:
    link = Link("open", "shop", "spring", "s-1", 4_070_908_800)
    yield messages.written("GET", sign(link, [_SECRET]), {"user-agent": _FIREFOX})
    yield messages.written("GET", sign(link, ["x" * 32]), {"sec-purpose": "prefetch"})


# --- webhooks and servers -------------------------------------------------------------------------


def report(provider: str, data: bytes) -> None:
    """Receive a webhook of `provider` with any body, signed as it signs."""
    sent = providers.signed(provider, data, NOON)
    message = messages.Message("POST", "", sent.query, sent.headers, sent.body)
    place = f"{provider}/shop"
    with suppress(TurnedAway):
        _look_at(_webhooks.receive(place, _delivery(place, message), Arrival("shop", NOON)))


def reports(provider: str) -> Iterator[bytes]:
    for path in providers.EXAMPLES:
        name, said, _ = providers.example(path)
        if name == provider:
            yield providers.request(provider, said, NOON).body


def _delivery(place: str, message: messages.Message) -> Delivery:
    url = f"{providers.PUBLIC_URL}/v1/webhooks/{place}"
    return Delivery(url, message.query, message.headers, message.body, NOON)


def serve(data: bytes) -> None:
    """Take a server's call with any body, signed."""
    now = str(int(NOON.timestamp()))
    headers = {TIMESTAMP: now, SIGNATURE: signature(_SECRET, now, data)}
    with suppress(TurnedAway):
        _gate.sender(key_name(Request(body=data), segment.write_key), None, NOON)
        _servers.authenticate("shop", headers, data, NOON)
        named = Request(body=_servers.named(data, "shop"))
        _look_at(collect(named, segment.BATCH, Arrival("shop", NOON), _intake, _LONGEST_BATCH))


def server_calls() -> Iterator[bytes]:
    calls = [
        {"type": "track", "event": "Order Completed", "properties": {"customer_id": 7}},
        {"type": "identify", "traits": {"email": "ada@shop.example", "subscriber_id": "s-1"}},
        {"type": "track", "event": "Call", "channel": "phone", "anonymousId": "a"},
        {"type": "track", "event": "Call", "properties": {"email_hash": "a" * 64}, "context": {}},
    ]
    yield msgspec.json.encode({"writeKey": "wk", "batch": calls})
