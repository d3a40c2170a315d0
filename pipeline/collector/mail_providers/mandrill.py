"""Mandrill's (Mailchimp Transactional's) webhooks. PURE.

Source: Mailchimp's "Webhooks" and "Authenticating webhook requests": base64 of the HMAC-SHA1 over
the URL exactly as it was entered there, and every field of the form, name and value, sorted by
name.
"""

import base64
import hashlib
import hmac
from typing import Any

from msgspec import Struct, field

from pipeline.collector.mail_providers.delivery import (
    Delivery,
    MailEvent,
    Provider,
    form,
    is_equal,
    json_events,
    made_id,
    moment,
    name_of,
    shaped,
    word,
)
from schemas.codec import Refused
from schemas.dead_letter import Reason

_NAMES = {
    "send": "Email Sent",
    "deferral": "Email Deferred",
    "delivered": "Email Delivered",
    "hard_bounce": "Email Bounced",
    "soft_bounce": "Email Bounced",
    "reject": "Email Dropped",
    "open": "Email Opened",
    "click": "Email Link Clicked",
    "spam": "Email Marked as Spam",
    "unsub": "Unsubscribed",
}


class _Message(Struct):
    email: str
    subject: str = ""
    metadata: Any = None


class _Event(Struct):
    event: str
    ts: float
    msg: _Message
    id: str = field(name="_id", default="")
    url: str = ""
    user_agent: str | None = None


def _is_genuine(delivery: Delivery, secret: str) -> bool:
    try:
        fields = form(delivery.body)
    except Refused:
        return False
    told = delivery.url + "".join(name + fields[name] for name in sorted(fields))
    expected = hmac.digest(secret.encode(), told.encode(), hashlib.sha1)
    claimed = delivery.headers.get("x-mandrill-signature") or ""
    return is_equal(claimed, base64.b64encode(expected).decode())


def _events(body: bytes) -> list[Any]:
    events = form(body).get("mandrill_events")
    if events is None:
        raise Refused(Reason.MISSING_FIELD, "no `mandrill_events` in the form")
    return json_events(events.encode())


def _read(said: Any) -> MailEvent:
    event = shaped(said, _Event)
    return MailEvent(
        name=name_of(event.event, _NAMES),
        at=moment(event.ts),
        address=event.msg.email,
        event_id=made_id("mandrill", event.event, event.id, event.ts, event.url),
        message_id=event.id,
        subject=event.msg.subject,
        campaign_id=word(event.msg.metadata, "campaign_id"),
        subscriber_id=word(event.msg.metadata, "subscriber_id"),
        url=event.url,
        user_agent=event.user_agent or "",
    )


PROVIDER = Provider(_is_genuine, _events, _read)
