"""Google Analytics 4 as gtag.js sends it, to `/g/collect`: parameters, one event a line. PURE.

Server-side tag managers and first-party set-ups receive it on the site's own host. Google documents
only the result; the parameters are known from watching a browser. An event becomes one of the
Measurement Protocol, and `ga4` translates it. The measurement id is the write key.
"""

import hashlib
import re
from typing import Any

from pipeline.collector.answers import Answer
from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request, parameters_in
from pipeline.collector.vocabularies import ga4
from pipeline.collector.vocabularies.helpers import taken
from pipeline.collector.vocabularies.vocabulary import Events, Routes, Vocabulary
from schemas.codec import Refused, encode
from schemas.dead_letter import Reason

_OF_ALL = {"cid": "client_id", "uid": "user_id"}
_PARAMETERS = {
    "dl": "page_location",
    "dt": "page_title",
    "dr": "page_referrer",
    "ul": "language",
    "cu": "currency",
    "sid": "session_id",
    "sct": "session_number",
    "_et": "engagement_time_msec",
}
_LEFT_OUT = ("tid", "_uip")
_ITEM = re.compile(r"pr\d{1,3}")
_BETWEEN = re.compile(r"(?<!~)~(?!~)")
_ITEM_WORDS = {
    "id": "item_id",
    "nm": "item_name",
    "br": "item_brand",
    "va": "item_variant",
    "ca": "item_category",
    "c2": "item_category2",
    "c3": "item_category3",
    "c4": "item_category4",
    "c5": "item_category5",
    "pr": "price",
    "qt": "quantity",
    "lp": "index",
    "ln": "item_list_name",
    "li": "item_list_id",
    "cp": "coupon",
    "ds": "discount",
    "af": "affiliation",
    "lo": "location_id",
    "pi": "promotion_id",
    "pn": "promotion_name",
    "cn": "creative_name",
    "cs": "creative_slot",
}
_NUMBERS = ("price", "quantity", "discount", "index")
_DENIED = re.compile(r"G1[01-]0")
"""Values of consent mode's `gcs` that deny analytics, which is the last digit."""


def _key(request: Request) -> str | None:
    return _common(request).get("tid")


def _common(request: Request) -> dict[str, str]:
    return request.parameters if request.query else {}


def _events(request: Request) -> Events:
    common = _common(request)
    try:
        lines = request.body.decode().splitlines()
    except UnicodeDecodeError:
        raise Refused(Reason.INVALID_FIELD, "the body is not UTF-8") from None
    return Events(
        [(common, line, index) for index, line in enumerate(lines or [""])], is_batch=bool(lines)
    )


def _call(told: tuple[dict[str, str], str, int]) -> JsonObject:
    common, line, index = told
    native: JsonObject = common | (parameters_in(line) if line else {})
    message_id = _fingerprint(native, index)
    for name in _LEFT_OUT:
        native.pop(name, None)
    consent = native.get("gcs")
    event = {"name": native.pop("en", None), "params": _parameters(native)}
    call = ga4.call((_sender(native), event, index))
    if isinstance(consent, str) and _DENIED.fullmatch(consent):
        call["context"]["consent"] = {"categoryPreferences": {"analytics": False}}
    return call | {"messageId": message_id}


def _parameters(native: JsonObject) -> JsonObject:
    """Take the parts of the event: its own parameters, the page, and the items."""
    found = taken(native, _PARAMETERS)
    for name in [name for name in native if name.startswith(("ep.", "epn."))]:
        kind, _, own = name.partition(".")
        found[own] = _number(native.pop(name)) if kind == "epn" else native.pop(name)
    items = sorted(
        (name for name in native if _ITEM.fullmatch(name)), key=lambda name: int(name[2:])
    )
    if items:
        found["items"] = [_item(native.pop(name)) for name in items]
    return found


def _sender(native: JsonObject) -> JsonObject:
    """Take the parts of the user; the rest belongs to the request."""
    traits = {
        name.partition(".")[2]: native.pop(name)
        for name in [name for name in native if name.startswith(("up.", "upn."))]
    }
    sender = taken(native, _OF_ALL) | native
    return sender | ({"user_properties": traits} if traits else {})


def _item(written: str) -> JsonObject:
    """Read `idchair~nmOak chair~pr119.9~qt2`; custom fields come as `k0colour~v0red`."""
    parts = {part[:2]: part[2:].replace("~~", "~") for part in _BETWEEN.split(written)}
    own = {word: value for key, value in parts.items() if (word := _ITEM_WORDS.get(key))}
    custom = {
        value: parts.get(f"v{key[1]}", "")
        for key, value in parts.items()
        if re.fullmatch(r"k\d", key)
    }
    return custom | {
        word: _number(value) if word in _NUMBERS else value for word, value in own.items()
    }


def _number(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def _fingerprint(native: JsonObject, index: int) -> str | None:
    """Identify an event by the random number of its page (`_p`) and its number there (`_s`)."""
    if not native.get("_p"):
        return None
    return hashlib.blake2b(encode([native, index]), digest_size=16).hexdigest()


ROUTES: Routes = {
    (method, "/g/collect"): Vocabulary(
        _key, _events, _call, success=Answer(204), is_cookieless=True
    )
    for method in ("GET", "POST")
}
