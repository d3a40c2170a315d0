"""Google Analytics 4: the Measurement Protocol. PURE.

https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference has the
fields, https://developers.google.com/analytics/devguides/collection/ga4/reference/events the
events. The measurement id is the write key; the `api_secret` is neither checked nor stored.
"""

import hashlib
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Raw, Struct

from pipeline.collector.answers import Answer
from pipeline.collector.decoding import JsonObject, decoded
from pipeline.collector.request import Request, as_list, as_object
from pipeline.collector.vocabularies.helpers import (
    instant,
    page,
    put_products,
    renamed,
    taken,
    without_nothing,
)
from pipeline.collector.vocabularies.vocabulary import Events, Routes, Vocabulary
from schemas.codec import Refused, encode
from schemas.dead_letter import Reason

NAMES = {
    "add_payment_info": "Payment Info Entered",
    "add_shipping_info": "Checkout Step Completed",
    "add_to_cart": "Product Added",
    "add_to_wishlist": "Product Added to Wishlist",
    "begin_checkout": "Checkout Started",
    "login": "Signed In",
    "page_view": "Page Viewed",
    "purchase": "Order Completed",
    "refund": "Order Refunded",
    "remove_from_cart": "Product Removed",
    "screen_view": "Screen Viewed",
    "search": "Products Searched",
    "select_item": "Product Clicked",
    "select_promotion": "Promotion Clicked",
    "share": "Product Shared",
    "sign_up": "Signed Up",
    "view_cart": "Cart Viewed",
    "view_item": "Product Viewed",
    "view_item_list": "Product List Viewed",
    "view_promotion": "Promotion Viewed",
    "view_search_results": "Products Searched",
}
"""GA4's event names and their names at Segment."""

_TYPES = {"page_view": "page", "screen_view": "screen"}
_PARAMETERS = {
    "affiliation": "affiliation",
    "item_list_id": "list_id",
    "payment_type": "payment_method",
    "search_term": "query",
    "shipping_tier": "shipping_method",
    "transaction_id": "order_id",
}
_ITEM = {
    "index": "position",
    "item_brand": "brand",
    "item_category": "category",
    "item_id": "product_id",
    "item_name": "name",
    "item_variant": "variant",
}
_PAGE = {"page_location": "url", "page_title": "title", "page_referrer": "referrer"}
_CAMPAIGN = {
    "source": "source",
    "medium": "medium",
    "campaign": "name",
    "term": "term",
    "content": "content",
}
_OF_ALL = {
    "client_id": "anonymousId",
    "app_instance_id": "anonymousId",
    "user_id": "userId",
    "timestamp_micros": "timestamp",
}
_MICROSECOND = timedelta(microseconds=1)
_LARGEST_COMMON = 8_192
_MOST_FIELDS = 256
"""The limit of what all events of a request share, because each event gets a copy."""


class _Apart(Struct):
    events: Raw


_apart = msgspec.json.Decoder(_Apart)


def _key(request: Request) -> str | None:
    parameters = request.parameters
    return parameters.get("measurement_id") or parameters.get("firebase_app_id")


def _events(request: Request) -> Events:
    sent = dict(request.object)
    events = sent.pop("events", None)
    if isinstance(events, dict) and "name" in events:  # ga4mp sends a late event so
        events = [events]
    events = as_list(events, "`events`")
    common = len(request.body) - len(decoded(_apart, request.body).events)
    if common > _LARGEST_COMMON or len(sent) > _MOST_FIELDS:
        detail = f"{_LARGEST_COMMON} bytes and {_MOST_FIELDS} fields at most beside `events`"
        raise Refused(Reason.TOO_LARGE, detail)
    sent.pop("ip_override", None)
    return Events([(sent, event, index) for index, event in enumerate(events)], is_batch=True)


def call(told: tuple[JsonObject, Any, int]) -> JsonObject:
    """Translate an event, given what its request shares, the event, and its index."""
    event = as_object(told[1], "an event")
    sent, native = dict(told[0]), dict(event)
    properties = dict(as_object(native.pop("params", {}), "`params`"))
    kind = native.pop("name", None)
    name = NAMES.get(kind, kind) if isinstance(kind, str) else kind
    common = taken(sent, _OF_ALL) | taken(native, {"timestamp_micros": "timestamp"})
    context = {
        "page": page(properties, _PAGE),
        "locale": properties.pop("language", None),
        "userAgent": sent.pop("user_agent", None),
        "campaign": taken(properties, _CAMPAIGN) if kind == "campaign_details" else None,
    }
    items = as_list(properties.pop("items", []), "`items`")
    properties.update(taken(properties, _PARAMETERS))
    put_products(str(name), properties, renamed(items, _ITEM, "an item"))
    return common | {
        "type": _TYPES.get(str(kind), "track"),
        "event": name,
        "messageId": _fingerprint(told[0], event, told[2]),
        "timestamp": instant(common.get("timestamp"), _MICROSECOND),
        "traits": _traits(sent.pop("user_properties", None)),
        "properties": properties,
        "context": without_nothing(context | {"ga4": sent | native}),
    }


def _traits(given: Any) -> JsonObject | None:
    if given is None:
        return None
    traits = as_object(given, "`user_properties`")
    return {
        name: told.get("value") if isinstance(told, dict) else told for name, told in traits.items()
    }


def _fingerprint(sent: JsonObject, event: JsonObject, index: int) -> str | None:
    """Identify an event that has a time: sent again at the same place of the same request, it is
    the same event. An event without a time is new whenever it comes.
    """
    if not any(each.get("timestamp_micros") for each in (sent, event)):
        return None
    numbered = encode(sent | {"event": event, "index": index})
    return hashlib.blake2b(numbered, digest_size=16).hexdigest()


_ga4 = Vocabulary(_key, _events, call, success=Answer(204))

ROUTES: Routes = {("POST", "/mp/collect"): _ga4}
