"""Brevo's transactional and marketing webhooks, single and batched. PURE.

Source: Brevo's "Transactional webhooks", "Marketing webhooks" and "Secure webhook calls". There is
no signature: user and password stand in the URL, or a token comes as `Authorization: Bearer`. Of
its clocks only `ts_epoch` (milliseconds) is surely UTC; `ts_event` stands in where it is missing.
"""

from typing import Any

from msgspec import Struct, field

from pipeline.collector.decoding import json_value
from pipeline.collector.mail_providers.delivery import (
    Delivery,
    MailEvent,
    Provider,
    is_basic,
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
    "request": "Email Sent",
    "deferred": "Email Deferred",
    "delivered": "Email Delivered",
    "soft_bounce": "Email Bounced",
    "hard_bounce": "Email Bounced",
    "invalid_email": "Email Bounced",
    "blocked": "Email Dropped",
    "error": "Email Dropped",
    "opened": "Email Opened",
    "unique_opened": "Email Opened",
    "proxy_open": "Email Opened",
    "unique_proxy_open": "Email Opened",
    "click": "Email Link Clicked",
    "spam": "Email Marked as Spam",
    "complaint": "Email Marked as Spam",
    "unsubscribe": "Unsubscribed",
    "unsubscribed": "Unsubscribed",
}
_BY_PROXY = frozenset({"proxy_open", "unique_proxy_open"})
"""Loaded by a privacy proxy such as Apple Mail's."""

_FIRST_MILLISECOND = 100_000_000_000
"""A larger number of seconds since 1970 would be beyond the year 5138."""


class _Event(Struct):
    event: str
    email: str
    ts_epoch: float = 0
    ts_event: float = 0
    message_id: str = field(name="message-id", default="")
    subject: str = ""
    camp_id: str | int = ""
    link: str = ""
    url: str = field(name="URL", default="")
    custom: Any = field(name="X-Mailin-custom", default="")


def _is_genuine(delivery: Delivery, secret: str) -> bool:
    scheme, _, token = (delivery.headers.get("authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return is_equal(token, secret)
    return is_basic(delivery, secret)


def _read(said: Any) -> MailEvent:
    event = shaped(said, _Event)
    custom, link = _custom(event.custom), event.link or event.url
    told = ("brevo", event.event, event.message_id, event.camp_id, event.email, link)
    seconds = event.ts_epoch or event.ts_event
    if not seconds:
        raise Refused(Reason.MISSING_FIELD, "neither ts_epoch nor ts_event")
    return MailEvent(
        name=name_of(event.event, _NAMES),
        at=moment(seconds / 1000 if seconds >= _FIRST_MILLISECOND else seconds),
        address=event.email,
        event_id=made_id(*told, seconds),
        message_id=event.message_id,
        subject=event.subject,
        campaign_id=word(custom, "campaign_id") or str(event.camp_id),
        subscriber_id=word(custom, "subscriber_id"),
        url=link,
        is_machine=event.event in _BY_PROXY,
    )


def _custom(said: Any) -> Any:
    """Read what the sender had put into the header X-Mailin-custom, if it is JSON."""
    try:
        return json_value(said) if isinstance(said, str) else None
    except Refused:
        return None


PROVIDER = Provider(_is_genuine, json_events, _read)
