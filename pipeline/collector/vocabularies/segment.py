"""Segment's tracking API and event names: all other vocabularies are translated to them. PURE.

https://segment.com/docs/connections/spec/ names events and fields. Nothing is translated here:
the bytes of a call go to `intake` unchanged.
"""

import re
from collections.abc import Collection
from functools import partial
from typing import Any, get_args

import msgspec
from msgspec import Raw, Struct

from pipeline.collector.answers import Answer
from pipeline.collector.decoding import decoded
from pipeline.collector.request import Request
from pipeline.collector.vocabularies.vocabulary import (
    Events,
    Routes,
    SetUp,
    Vocabulary,
    said,
)
from pipeline.values.times import moment
from schemas.fields import Channel
from schemas.touchpoint import TouchpointType

NAMES = {
    "page": "Page Viewed",
    "screen": "Screen Viewed",
    "identify": "Identified",
    "alias": "Aliased",
    "group": "Grouped",
}
"""The names of calls that have none of their own; `track` names its event."""

_CHANNELS: dict[object, Channel] = {channel: channel for channel in get_args(Channel)}

_SHOP = frozenset(
    {
        "Products Searched",
        "Product List Viewed",
        "Product List Filtered",
        "Promotion Viewed",
        "Promotion Clicked",
        "Product Clicked",
        "Product Viewed",
        "Product Added",
        "Product Removed",
        "Cart Viewed",
        "Checkout Started",
        "Checkout Step Viewed",
        "Checkout Step Completed",
        "Payment Info Entered",
        "Order Completed",
        "Order Updated",
        "Order Refunded",
        "Order Cancelled",
        "Coupon Entered",
        "Coupon Applied",
        "Coupon Denied",
        "Coupon Removed",
        "Product Added to Wishlist",
        "Product Removed from Wishlist",
        "Wishlist Product Added to Cart",
        "Product Shared",
        "Cart Shared",
        "Product Reviewed",
    }
)

_MAIL = frozenset(
    {
        "Email Bounced",
        "Email Delivered",
        "Email Link Clicked",
        "Email Marked as Spam",
        "Email Opened",
        "Unsubscribed",
    }
)

# A mail of a campaign or a list is a newsletter; other mails are order mails and the like.
_CAMPAIGN = ("campaign_id", "campaign_name", "list_id", "list_name")


SPECIFIED = frozenset({*NAMES.values(), *_SHOP, *_MAIL})
"""All names in Segment's specification."""


def is_commerce(name: str) -> bool:
    """Tell whether the name is one of Segment's shop events, which may have a price."""
    return name in _SHOP


def told_channel(word: object) -> Channel | None:
    """Return the channel that `word` names, if it is one of ours, in any case."""
    return _CHANNELS.get(word.strip().casefold()) if isinstance(word, str) else None


def usual_channel(kind: TouchpointType, name: str, properties: Collection[str]) -> Channel:
    """Return where a touchpoint of this name happens if the sender does not say."""
    if name in _SHOP:
        return "shop"
    if name in _MAIL:
        return "newsletter" if any(word in properties for word in _CAMPAIGN) else "email"
    return "app" if kind == "screen" else "website"


class _Batch(Struct, rename="camel", gc=False):
    batch: list[Raw]
    sent_at: Any = None


class _Keyed(Struct, rename="camel", gc=False):
    write_key: str | None = None


_batches = msgspec.json.Decoder(_Batch)
_keyed = msgspec.json.Decoder(_Keyed)


def write_key(request: Request) -> str | None:
    """Find the write key: the user name of Basic authentication, else `writeKey` in the body.

    Senders that were set up by hand have it in `X-Write-Key`, or in the query.
    """
    if name := request.user_name:
        return name
    told = decoded(_keyed, request.body).write_key
    return told or request.header("x-write-key") or request.parameters.get("writeKey")


def single(request: Request) -> Events:
    """Return the body, which is one call."""
    return Events([request.body])


def batch(request: Request) -> Events:
    """Split the body into its calls; a `sentAt` that cannot be read costs none of them."""
    sent = decoded(_batches, request.body)
    return Events([bytes(call) for call in sent.batch], moment(sent.sent_at), is_batch=True)


BATCH = Vocabulary(write_key, batch)

ROUTES: Routes = {
    **{
        ("POST", f"/v1/{word}"): Vocabulary(write_key, single, kind=kind)
        for kind in get_args(TouchpointType)
        for word in (kind, kind[0])
    },
    **{("POST", f"/v1/{word}"): BATCH for word in ("batch", "b", "import")},
    # June's clients send Segment's calls to paths of its own.
    **{
        ("POST", f"/sdk/{kind}"): Vocabulary(write_key, single, kind=kind)
        for kind in get_args(TouchpointType)
    },
    ("POST", "/sdk/batch"): BATCH,
}


def _settings(integration: str, key: str, host: str) -> Answer:
    """Name only one integration: for a second one, the SDK requests code from Segment's servers."""
    tool = {"apiKey": key, "apiHost": f"{host}/v1", "type": "server"}
    return said({"integrations": {integration: tool}, "plan": {}, "edgeFunction": {}})


SET_UP = [
    SetUp(re.compile("/v1/projects/([^/]+)/settings"), partial(_settings, "Segment.io")),
    SetUp(
        re.compile("/customerio/v1/projects/([^/]+)/settings"),
        partial(_settings, "Customer.io Data Pipelines"),
    ),
]
