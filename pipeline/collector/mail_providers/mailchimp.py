"""Mailchimp's audience webhooks. PURE.

Source: Mailchimp's "Synchronize Audience Data with Webhooks". There is no signature: a secret
stands in the URL, here as `?secret=`. Times are UTC and name no zone. Opens and clicks of
campaigns are not reported by webhook.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from pipeline.collector.mail_providers.delivery import (
    Delivery,
    MailEvent,
    Provider,
    form,
    is_equal,
    made_id,
    name_of,
)
from schemas.codec import Refused
from schemas.dead_letter import Reason

_NAMES = {
    "subscribe": "Newsletter Subscribed",
    "unsubscribe": "Unsubscribed",
    "cleaned": "Email Bounced",
    "profile": "Profile Updated",
    "upemail": "Email Address Changed",
}
_ABOUT_NOBODY = "campaign"


def _is_genuine(delivery: Delivery, secret: str) -> bool:
    return is_equal(dict(parse_qsl(delivery.query)).get("secret", ""), secret)


def _events(body: bytes) -> list[Any]:
    return [{_inner(name): value for name, value in form(body).items()}]


def _inner(name: str) -> str:
    """Give `email` for `data[email]`."""
    return name.removeprefix("data[").removesuffix("]")


def _read(said: Any) -> MailEvent | None:
    kind = said.get("type", "")
    if kind == _ABOUT_NOBODY:
        return None
    name, data = name_of(kind, _NAMES), {key: said.get(key, "") for key in _FIELDS}
    is_abuse = kind == "cleaned" and data["reason"] == "abuse"
    address = data["email"] or data["new_email"]
    return MailEvent(
        name="Email Marked as Spam" if is_abuse else name,
        at=_time(data["fired_at"]),
        address=address,
        event_id=made_id("mailchimp", kind, address, *data.values()),
        campaign_id=data["campaign_id"],
        list_id=data["list_id"],
    )


_FIELDS = ("fired_at", "email", "new_email", "list_id", "campaign_id", "reason")


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refused(Reason.INVALID_TIME, f"fired_at: {error}") from None


PROVIDER = Provider(_is_genuine, _events, _read)
