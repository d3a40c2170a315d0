"""SendGrid's event webhook. PURE.

Source: Twilio's "Event Webhook Reference" and "Getting Started with the Event Webhook Security
Features": ECDSA over P-256 and SHA-256 of the timestamp's header and the body; the public key
is the base64 that SendGrid shows. Custom arguments stand beside SendGrid's own fields.
"""

import base64
import binascii
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from pipeline.collector.mail_providers.delivery import (
    TOLERANCE,
    Delivery,
    MailEvent,
    Provider,
    json_events,
    moment,
    name_of,
    shaped,
    word,
)
from pipeline.signed.signature import is_recent

_NAMES = {
    "processed": "Email Sent",
    "deferred": "Email Deferred",
    "delivered": "Email Delivered",
    "dropped": "Email Dropped",
    "bounce": "Email Bounced",
    "open": "Email Opened",
    "click": "Email Link Clicked",
    "spamreport": "Email Marked as Spam",
    "unsubscribe": "Unsubscribed",
    "group_unsubscribe": "Unsubscribed",
    "group_resubscribe": "Newsletter Subscribed",
}


class _Event(Struct):
    event: str
    email: str
    timestamp: float
    sg_event_id: str
    sg_message_id: str = ""
    sg_machine_open: bool = False
    useragent: str = ""
    url: str = ""


def _is_genuine(delivery: Delivery, secret: str) -> bool:
    timestamp = delivery.headers.get("x-twilio-email-event-webhook-timestamp") or ""
    claimed = delivery.headers.get("x-twilio-email-event-webhook-signature") or ""
    if not is_recent(timestamp, delivery.now, TOLERANCE):
        return False
    try:
        signed = base64.b64decode(claimed, validate=True)
        _public_key(secret).verify(signed, timestamp.encode() + delivery.body, ec.ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def _public_key(secret: str) -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(base64.b64decode(secret))
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("not the key of an elliptic curve")  # noqa: TRY004 - caught as one
    return key


def _read(said: Any) -> MailEvent:
    event = shaped(said, _Event)
    return MailEvent(
        name=name_of(event.event, _NAMES),
        at=moment(event.timestamp),
        address=event.email,
        event_id=event.sg_event_id,
        message_id=event.sg_message_id,
        campaign_id=word(said, "campaign_id") or word(said, "singlesend_id"),
        subscriber_id=word(said, "subscriber_id"),
        url=event.url,
        user_agent=event.useragent,
        is_machine=event.sg_machine_open,
    )


PROVIDER = Provider(_is_genuine, json_events, _read)
