"""Postmark's webhooks. PURE.

Source: Postmark's "Webhooks overview" and its pages for open, click, delivery, bounce, spam
complaint and subscription change. There is no signature: user and password stand in the URL and
come as basic authentication.
"""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from pipeline.collector.mail_providers.delivery import (
    MailEvent,
    Provider,
    is_basic,
    json_events,
    made_id,
    name_of,
    shaped,
    word,
)
from schemas.codec import Refused
from schemas.dead_letter import Reason

_NAMES = {
    "Delivery": "Email Delivered",
    "Bounce": "Email Bounced",
    "Open": "Email Opened",
    "Click": "Email Link Clicked",
    "SpamComplaint": "Email Marked as Spam",
    "SubscriptionChange": "Unsubscribed",
}
_CAUSES = {
    "Transient": "Email Deferred",
    "SpamComplaint": "Email Marked as Spam",
    "SpamNotification": "Email Marked as Spam",
    "Unsubscribe": "Unsubscribed",
    "Subscribe": "Newsletter Subscribed",
    "HardBounce": "Email Bounced",
}
"""The type of a bounce, or the reason of a suppression, where it says more."""

_TRANSACTIONAL = frozenset({"", "outbound"})

_Time = Annotated[datetime, Meta(tz=True)] | None


class _Event(Struct, rename="pascal"):
    record_type: str
    message_id: str = field(name="MessageID", default="")
    bounce_id: int | None = field(name="ID", default=None)
    recipient: str = ""
    email: str = ""
    type: str = ""
    suppression_reason: str | None = None
    suppress_sending: bool = True
    delivered_at: _Time = None
    bounced_at: _Time = None
    received_at: _Time = None
    changed_at: _Time = None
    subject: str = ""
    user_agent: str = ""
    original_link: str = ""
    message_stream: str = ""
    metadata: Any = None


def _read(said: Any) -> MailEvent:
    event = shaped(said, _Event)
    at = event.delivered_at or event.bounced_at or event.received_at or event.changed_at
    if at is None:
        raise Refused(Reason.MISSING_FIELD, "no time: DeliveredAt, BouncedAt, ReceivedAt, ...")
    address = event.email or event.recipient
    stream, link = event.message_stream, event.original_link
    made = made_id("postmark", event.record_type, event.message_id, address, at, link)
    return MailEvent(
        name=_name(event),
        at=at,
        address=address,
        event_id=f"postmark-{event.bounce_id}" if event.bounce_id else made,
        message_id=event.message_id,
        subject=event.subject,
        campaign_id=word(event.metadata, "campaign_id"),
        list_id="" if stream in _TRANSACTIONAL else stream,
        subscriber_id=word(event.metadata, "subscriber_id"),
        url=link,
        user_agent=event.user_agent,
    )


def _name(event: _Event) -> str:
    if not event.suppress_sending:
        return "Newsletter Subscribed"
    cause = event.type if event.record_type == "Bounce" else event.suppression_reason or ""
    return _CAUSES.get(cause) or name_of(event.record_type, _NAMES)


PROVIDER = Provider(is_basic, json_events, _read)
