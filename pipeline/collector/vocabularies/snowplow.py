"""Snowplow: the tracker protocol, as GET with one event or as POST with many. PURE.

https://docs.snowplow.io/docs/events/going-deeper/event-parameters/ names the parameters, Iglu
Central (https://github.com/snowplow/iglu-central) the schemas. The app id is the write key.
"""

import base64
import binascii
import re
from collections import defaultdict
from typing import Any

from pipeline.collector.answers import PIXEL
from pipeline.collector.decoding import JsonObject, json_value
from pipeline.collector.request import Request, as_list, as_object
from pipeline.collector.vocabularies.helpers import (
    ONE_PRODUCT,
    first_of,
    instant,
    key_of,
    page,
    put_products,
    renamed,
    taken,
    without_nothing,
)
from pipeline.collector.vocabularies.vocabulary import Events, Routes, Vocabulary
from pipeline.values.identifiers import identifier
from schemas.codec import Refused
from schemas.dead_letter import Reason
from schemas.times import MILLISECOND

NAMES = {
    "add_to_cart": "Product Added",
    "checkout_step": "Checkout Step Completed",
    "list_click": "Product Clicked",
    "list_view": "Product List Viewed",
    "product_view": "Product Viewed",
    "promo_click": "Promotion Clicked",
    "promo_view": "Promotion Viewed",
    "refund": "Order Refunded",
    "remove_from_cart": "Product Removed",
    "screen_view": "Screen Viewed",
    "site_search": "Products Searched",
    "transaction": "Order Completed",
}
"""Actions of Snowplow's e-commerce schemas and names of other schemas, as Segment names them."""

_ACTIONS = {
    "add": "Product Added",
    "checkout": "Checkout Started",
    "checkout_option": "Checkout Step Completed",
    "click": "Product Clicked",
    "detail": "Product Viewed",
    "purchase": "Order Completed",
    "refund": "Order Refunded",
    "remove": "Product Removed",
}
"""The same for the schema `action` of Google's older enhanced e-commerce."""

_COMMON = {"eid": "messageId", "uid": "userId"}
_NETWORKS = ("nuid", "tnuid")
_PAGE = {"url": "url", "page": "title", "refr": "referrer"}
_CONTEXT = {"ua": "userAgent", "lang": "locale"}
_STRUCTURED = {"se_ca": "category", "se_la": "label", "se_pr": "property", "se_va": "value"}
_ORDER = {
    "tr_id": "order_id",
    "tr_af": "affiliation",
    "tr_tt": "revenue",
    "tr_tx": "tax",
    "tr_sh": "shipping",
    "tr_cu": "currency",
    "tr_ci": "city",
    "tr_st": "state",
    "tr_co": "country",
}
_ITEM = {
    "ti_id": "order_id",
    "ti_sk": "sku",
    "ti_nm": "name",
    "ti_ca": "category",
    "ti_pr": "price",
    "ti_qu": "quantity",
    "ti_cu": "currency",
}
_PRODUCT = {"id": "product_id", "unitPrice": "price"}
_PRODUCTS = ("product", "productFieldObject")
_ENTITIES = {
    "transaction": {"transaction_id": "order_id", "discount_code": "coupon"},
    "refund": {"transaction_id": "order_id", "refund_amount": "revenue"},
    "cart": {"total_value": "cart_value"},
    "checkout_step": {},
    "actionFieldObject": {"id": "order_id"},
    "promotion": {"id": "promotion_id"},
}
"""Entities that describe the event itself, and the names of their fields at Segment."""

_TYPED = ("snowplow_ecommerce_action", "action")
"""Schemas whose `type` says what happened; without one, the name of the schema does."""

_LEFT_OUT = ("ip", "aid", "e")
_SCHEMA = re.compile(r"iglu:[\w.-]+/([\w-]+)/jsonschema/[\d-]+")


def _key_of_get(request: Request) -> str | None:
    return request.parameters.get("aid")


def _key_of_post(request: Request) -> str | None:
    return key_of(as_list(request.object.get("data"), "`data`"), "aid")


def _parameters(request: Request) -> Events:
    return Events([request.parameters])


def _payload(request: Request) -> Events:
    events = as_list(request.object.get("data"), "`data`")
    return Events(events, is_batch=True)


def _call(sent: JsonObject) -> JsonObject:
    native = dict(as_object(sent, "an event"))
    kind = native.get("e")
    entities = _entities(native)
    told = _READERS.get(str(kind), _unknown)(native, entities)
    for field in _LEFT_OUT:
        native.pop(field, None)
    clock, sent_at, truth = (native.pop(field, None) for field in ("dtm", "stm", "ttm"))
    common = taken(native, _COMMON)
    device = _device(native, entities)
    context = {
        "page": page(native, _PAGE),
        **taken(native, _CONTEXT),
        "snowplow": native
        | {name: each if each[1:] else each[0] for name, each in entities.items()},
    }
    return {
        "type": "track",
        **told,
        **common,
        "anonymousId": device,
        "timestamp": instant(clock if truth is None else truth, MILLISECOND),
        "sentAt": instant(sent_at, MILLISECOND) if truth is None else None,
        "context": without_nothing(context),
    }


def _device(native: JsonObject, entities: "_Entities") -> Any:
    """Return the device id: a browser's cookie, a mobile installation, else the network's id."""
    if device := first_of(native, ("duid",)):
        return device
    sessions = (session.get("userId") for session in entities.get("client_session", ()))
    return next(filter(identifier, sessions), None) or first_of(native, _NETWORKS)


def _page_view(_native: JsonObject, _entities: "_Entities") -> JsonObject:
    return {"type": "page"}


def _page_ping(_native: JsonObject, _entities: "_Entities") -> JsonObject:
    return {"event": "page_ping"}


def _structured(native: JsonObject, _entities: "_Entities") -> JsonObject:
    return {"event": native.pop("se_ac", None), "properties": taken(native, _STRUCTURED)}


def _order(native: JsonObject, _entities: "_Entities") -> JsonObject:
    return {"event": NAMES["transaction"], "properties": taken(native, _ORDER)}


def _item(native: JsonObject, _entities: "_Entities") -> JsonObject:
    return {"event": "transaction_item", "properties": taken(native, _ITEM)}


def _self_describing(native: JsonObject, entities: "_Entities") -> JsonObject:
    outer = _json(native, "ue_pr", "ue_px")
    if outer is None:
        raise Refused(Reason.MISSING_FIELD, "a self-describing event has `ue_pr` or `ue_px`")
    inner = as_object(as_object(outer, "the event").get("data"), "the event's `data`")
    schema = _schema_name(inner)
    properties = dict(as_object(inner.get("data", {}), f"the `data` of {schema}"))
    action = str(properties.pop("type", "") or schema) if schema in _TYPED else schema
    name = (_ACTIONS if schema == "action" else NAMES).get(action, action)
    properties.setdefault("schema", inner["schema"])
    if name in ONE_PRODUCT:
        [properties] = renamed([properties], {"unitPrice": "price"}, "the product")
    if action == "screen_view":
        return {"type": "screen", "properties": properties}
    for entity, fields in _ENTITIES.items():
        if len(entities.get(entity, ())) == 1:
            [told] = renamed(entities.pop(entity), fields, f"the {entity}")
            properties = told | properties
    products = [each for entity in _PRODUCTS for each in entities.pop(entity, [])]
    put_products(name, properties, renamed(products, _PRODUCT, "the product"))
    if action == "checkout_step" and str(properties.get("step")) == "1":
        name = "Checkout Started"
    return {"event": name, "properties": properties}


def _unknown(_native: JsonObject, _entities: "_Entities") -> JsonObject:
    raise Refused(Reason.UNKNOWN_TYPE, f"`e` is one of {', '.join(_READERS)}")


_READERS = {
    "pv": _page_view,
    "pp": _page_ping,
    "se": _structured,
    "tr": _order,
    "ti": _item,
    "ue": _self_describing,
}

_Entities = dict[str, list[JsonObject]]


def _entities(native: JsonObject) -> _Entities:
    """Take the entities out of an event, by the name of their schema."""
    outer = _json(native, "co", "cx")
    found: _Entities = defaultdict(list)
    if outer is not None:
        for entity in as_list(as_object(outer, "the entities").get("data"), "the entities"):
            name = _schema_name(as_object(entity, "an entity"))
            found[name].append(as_object(entity.get("data"), f"the entity {name}"))
    return found


def _schema_name(described: JsonObject) -> str:
    match = _SCHEMA.fullmatch(str(described.get("schema")))
    if match is None:
        raise Refused(Reason.INVALID_FIELD, "a `schema` is iglu:vendor/name/jsonschema/version")
    return match[1]


def _json(native: JsonObject, plain: str, packed: str) -> Any:
    """Take the JSON of a parameter, which is plain text or base64."""
    text, coded = native.pop(plain, None), native.pop(packed, None)
    if isinstance(text, str):
        return json_value(text)
    if not isinstance(coded, str):
        return None
    try:
        return json_value(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)))
    except (binascii.Error, ValueError) as error:
        raise error if isinstance(error, Refused) else _no_base64(packed) from None


def _no_base64(parameter: str) -> Refused:
    return Refused(Reason.NOT_JSON, f"`{parameter}` is not base64")


_post = Vocabulary(_key_of_post, _payload, _call, is_cookieless=True)

ROUTES: Routes = {
    ("GET", "/i"): Vocabulary(_key_of_get, _parameters, _call, success=PIXEL, is_cookieless=True),
    ("POST", "/com.snowplowanalytics.snowplow/tp2"): _post,
}

OWN_PATH = re.compile(r"/[\w-]+(?:\.[\w-]+)+/[\w-]+")
"""A custom path of a tracker's `postPath`, vendor and version, which ad blockers do not know."""

OWN = _post
