"""Mailgun's webhooks. PURE.

Source: Mailgun's "Webhook Payloads" and "Securing Webhooks": the body holds the HMAC-SHA256, in
hex, of timestamp and token. It does not cover the event itself: who can read one delivery can
send others with the same token until it is too old, so the URL must be https.
"""

import hashlib
import hmac
from typing import Any

import msgspec
from msgspec import Struct, field

from pipeline.collector.decoding import decoded
from pipeline.collector.mail_providers.delivery import (
    TOLERANCE,
    Delivery,
    MailEvent,
    Provider,
    is_equal,
    json_events,
    moment,
    name_of,
    shaped,
    word,
)
from pipeline.signed.signature import is_recent
from schemas.codec import Refused

_NAMES = {
    "accepted": "Email Sent",
    "delivered": "Email Delivered",
    "failed": "Email Bounced",
    "rejected": "Email Dropped",
    "opened": "Email Opened",
    "clicked": "Email Link Clicked",
    "complained": "Email Marked as Spam",
    "unsubscribed": "Unsubscribed",
}


class _Signature(Struct):
    timestamp: str
    token: str
    signature: str


class _Signed(Struct):
    signature: _Signature


_signed = msgspec.json.Decoder(_Signed)


class _Message(Struct):
    headers: Any = None


class _Client(Struct, rename="kebab"):
    user_agent: str = ""
    bot: str | None = None


class _Data(Struct, rename="kebab"):
    event: str
    timestamp: float
    recipient: str
    id: str = ""
    severity: str = ""
    url: str = ""
    message: _Message | None = None
    client_info: _Client | None = None
    user_variables: Any = None
    campaigns: list[Any] = []


class _Event(Struct):
    data: _Data = field(name="event-data")


def _is_genuine(delivery: Delivery, secret: str) -> bool:
    try:
        told = decoded(_signed, delivery.body).signature
    except Refused:
        return False
    signed = (told.timestamp + told.token).encode()
    expected = hmac.digest(secret.encode(), signed, hashlib.sha256).hex()
    return is_equal(told.signature, expected) and is_recent(told.timestamp, delivery.now, TOLERANCE)


def _read(said: Any) -> MailEvent:
    event = shaped(said, _Event).data
    headers = event.message.headers if event.message else None
    variables = event.user_variables
    campaigns = [word(each, "id") for each in event.campaigns]
    name = name_of(event.event, _NAMES)
    return MailEvent(
        name="Email Deferred" if event.severity == "temporary" else name,
        at=moment(event.timestamp),
        address=event.recipient,
        event_id=event.id,
        message_id=word(headers, "message-id"),
        subject=word(headers, "subject"),
        campaign_id=word(variables, "campaign_id") or next(iter(campaigns), ""),
        subscriber_id=word(variables, "subscriber_id"),
        url=event.url,
        user_agent=event.client_info.user_agent if event.client_info else "",
        is_machine=bool(event.client_info and event.client_info.bot),
    )


PROVIDER = Provider(_is_genuine, json_events, _read)
