"""Matomo: the tracking API, with one event in the query or a form, or many in JSON. PURE.

matomo.js uses `sendBeacon`: an empty POST, with everything in the query.

https://developer.matomo.org/api-reference/tracking-api names the parameters. The site's id is the
write key. `cip` (an address) and `token_auth` (a secret) are not stored.
"""

import hashlib
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.collector.answers import PIXEL
from pipeline.collector.decoding import JsonObject, json_value
from pipeline.collector.request import Request, as_list, as_object, parameters_in
from pipeline.collector.vocabularies.helpers import (
    first_of,
    instant,
    key_of,
    page,
    taken,
    without_nothing,
)
from pipeline.collector.vocabularies.vocabulary import (
    Events,
    Routes,
    Vocabulary,
    said,
)
from pipeline.values.identifiers import identifier
from pipeline.values.money import Amount, read_amount
from schemas.codec import Refused, encode

_COMMON = {"uid": "userId"}
_DEVICES = ("_id", "cid")
_RANDOM = ("r", "rand")
_PAGE = {"url": "url", "action_name": "title", "urlref": "referrer"}
_CONTEXT = {"ua": "userAgent", "lang": "locale"}
_LEFT_OUT = ("cip", "token_auth", "idsite", "rec", "apiv", "send_image")
_EVENT = {"e_c": "category", "e_n": "label", "e_v": "value"}
_SEARCH = {"search": "query", "search_cat": "category", "search_count": "results"}
_ORDER = {
    "ec_id": "order_id",
    "revenue": "revenue",
    "ec_st": "subtotal",
    "ec_tx": "tax",
    "ec_sh": "shipping",
    "ec_dt": "discount",
}
_GOAL = {"idgoal": "goal_id", "revenue": "revenue"}
_CONTENT = {"c_n": "name", "c_p": "content", "c_t": "target", "c_i": "interaction"}
_VIEWED = {"_pks": "sku", "_pkn": "name", "_pkc": "category", "_pkp": "price"}
SIGNS = (
    ("search", "Products Searched", _SEARCH),
    ("idgoal", "goal", _GOAL),
    ("link", "link", {"link": "target"}),
    ("download", "download", {"download": "target"}),
    ("c_n", "content", _CONTENT),
    ("ping", "ping", {"ping": "ping"}),
    ("_pks", "Product Viewed", _VIEWED),
    ("_pkc", "Product List Viewed", _VIEWED),
)
"""Which parameter says what happened, the name of the event, and its parameters.

Where Segment has no name for an event, the name is not Segment's.
"""

_UNLIKE = ("cdo", "queuedtracking", "send_image", "token_auth")
"""Parameters that differ when an event is sent again."""

_ITEM = ("product_id", "name", "category", "price", "quantity")
_SECOND = timedelta(seconds=1)


def _parameters(request: Request) -> JsonObject:
    return parameters_in(request.query) if request.query else {}


def _key_of_get(request: Request) -> str | None:
    return _parameters(request).get("idsite")


def _key_of_post(request: Request) -> str | None:
    events = []
    for sent in _sent(request):
        with suppress(Refused):  # it is refused alone later, not with the others
            events.append(_event(sent))
    return key_of(events, "idsite")


def _get(request: Request) -> Events:
    return Events([(_parameters(request), request.received_at)])


def _post(request: Request) -> Events:
    events = [(sent, request.received_at) for sent in _sent(request)]
    return Events(events, is_batch=request.body.startswith(b"{"))


def _sent(request: Request) -> list[Any]:
    """Return the events of a POST: JSON with queries in `requests`, or one form.

    A part of the form may be in the query. What `sendBeacon` sends is entirely there.
    """
    if request.body.startswith(b"{"):
        return as_list(request.object.get("requests"), "`requests`")
    return [_parameters(request) | parameters_in(request.body.decode(errors="replace"))]


def _event(sent: Any) -> JsonObject:
    """Return the parameters of one event of a bulk request: a query, or an object."""
    if isinstance(sent, str):
        return dict(parameters_in(sent.rpartition("?")[2]))
    return {
        name: value if isinstance(value, str | None) else str(value)
        for name, value in as_object(sent, "a request").items()
    }


def _call(sent_and_received: tuple[Any, datetime | None]) -> JsonObject:
    sent, received_at = sent_and_received
    native = _event(sent)
    message_id = _fingerprint(native)
    for field in _LEFT_OUT:
        native.pop(field, None)
    told = _told(native)
    device = first_of(native, _DEVICES)
    context = {"page": page(native, _PAGE), **taken(native, _CONTEXT), "matomo": native}
    return {
        **told,
        **taken(native, _COMMON),
        "messageId": message_id,
        "anonymousId": device,
        "timestamp": _timestamp(native, received_at),
        "context": without_nothing(context),
    }


def _told(native: JsonObject) -> JsonObject:
    """Say what happened, as the present parameters tell."""
    if native.get("idgoal") == "0":
        return _commerce(native)
    if action := native.pop("e_a", None):
        return _track(action, native, _EVENT)
    for parameter, name, fields in SIGNS:
        if native.get(parameter):
            return _track(name, native, fields)
    return {"type": "page"}


def _track(name: str, native: JsonObject, fields: dict[str, str]) -> JsonObject:
    return {"type": "track", "event": name, "properties": taken(native, fields)}


def _commerce(native: JsonObject) -> JsonObject:
    """Translate an order, or the whole cart, which Matomo sends each time that it changes.

    A cart with products becomes an addition; an empty cart becomes a removal.
    """
    del native["idgoal"]
    items = as_list(json_value(native.pop("ec_items", None) or "[]"), "`ec_items`")
    products = [dict(zip(_ITEM, as_list(item, "an item"), strict=False)) for item in items]
    is_order = bool(identifier(native.get("ec_id")))
    is_empty = not products and not _is_worth_something(native)
    cart = "Product Removed" if is_empty else "Product Added"
    call = _track("Order Completed" if is_order else cart, native, _ORDER)
    if products or not is_order:
        call["properties"]["products"] = products
    if not is_order:
        call["properties"]["is_whole_cart"] = True
    return call


def _is_worth_something(native: JsonObject) -> bool:
    worth = read_amount(native.get("revenue"))
    return worth is not None and worth != Amount()


def _timestamp(native: JsonObject, received_at: datetime | None) -> Any:
    """Read seconds since 1970, a date (in UTC if it names no zone), or how long ago it was."""
    told, ago = native.pop("cdt", None), native.pop("cdo", None)
    if not told and ago and received_at:
        return instant(f"-{ago}", _SECOND, received_at)
    if not isinstance(told, str) or told.isdigit():
        return instant(told, _SECOND)
    try:
        date = datetime.fromisoformat(told)
    except ValueError:
        return told
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _fingerprint(native: JsonObject) -> str | None:
    """Identify an event that has a random number: when sent again, it is the same event."""
    if not any(native.get(name) for name in _RANDOM):
        return None
    fixed = {name: native[name] for name in sorted(native) if name not in _UNLIKE}
    return hashlib.blake2b(encode(fixed), digest_size=16).hexdigest()


_from_page = Vocabulary(_key_of_get, _get, _call, success=PIXEL, is_cookieless=True)
_posted = Vocabulary(
    _key_of_post, _post, _call, success=said({"status": "success"}), is_cookieless=True
)

ROUTES: Routes = {
    (method, path): vocabulary
    for path in ("/matomo.php", "/piwik.php")
    for method, vocabulary in (("GET", _from_page), ("POST", _posted))
}

OWN_PATH = re.compile(r"(?:/[\w.-]+){1,4}(/(?:matomo|piwik)\.php)")
"""Matomo is often installed in a folder, whose path a page keeps when only its host changes."""
