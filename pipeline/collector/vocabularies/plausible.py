"""Plausible: the events API, as its old tracker, its new tracker and servers use it. PURE.

https://plausible.io/docs/events-api names the fields; the trackers shorten them to a letter. The
domain is the write key. There are no ids: a browser is a daily visitor (`cookieless`).
"""

from typing import Any

from pipeline.collector.answers import Answer
from pipeline.collector.decoding import JsonObject, json_value
from pipeline.collector.request import Request, as_object
from pipeline.collector.vocabularies.helpers import page, taken, without_nothing
from pipeline.collector.vocabularies.vocabulary import Events, Routes, Vocabulary

NAMES = {
    "pageview": "Page Viewed",
    "Woo Add to Cart": "Product Added",
    "Woo Complete Purchase": "Order Completed",
    "Woo Remove from Cart": "Product Removed",
    "Woo Start Checkout": "Checkout Started",
}
"""Plausible's page view and the goals of its shop plug-in, with their names at Segment."""

_LETTERS = {
    "name": "n",
    "url": "u",
    "domain": "d",
    "referrer": "r",
    "screen_width": "w",
    "hash_mode": "h",
    "props": "p",
    "meta": "p",
    "m": "p",
    "revenue": "$",
}
_PAGE = {"u": "url", "r": "referrer"}


def _key(request: Request) -> str | None:
    sent = request.object
    domain = sent.get("d") or sent.get("domain")
    return domain if isinstance(domain, str) else None


def _events(request: Request) -> Events:
    return Events([request.object])


def _call(sent: JsonObject) -> JsonObject:
    native = {_LETTERS.get(field, field): value for field, value in sent.items()}
    event = native.pop("n", None)
    name = NAMES.get(event, event) if isinstance(event, str) else event
    properties = _object(native.pop("p", None), "the props")
    properties.update(taken(_object(native.pop("$", None), "the revenue"), _REVENUE))
    return {
        "type": "page" if event == "pageview" else "track",
        "event": name,
        "properties": properties,
        "context": without_nothing({"page": page(native, _PAGE), "plausible": native}),
    }


_REVENUE = {"amount": "revenue", "currency": "currency"}


def _object(value: Any, what: str) -> JsonObject:
    """Read an object; older trackers send it as text."""
    if isinstance(value, str):
        value = json_value(value)
    return dict(as_object(value, what)) if value is not None else {}


_plausible = Vocabulary(
    _key,
    _events,
    _call,
    success=Answer(202, b"ok", [("content-type", "text/plain")]),
    is_cookieless=True,
)

ROUTES: Routes = {("POST", "/api/event"): _plausible}
