"""Umami: page views and events of its tracker and of @umami/node, single and in batches. PURE.

Its first version sends the same to `/api/collect`.

https://umami.is/docs/api/sending-stats names the fields. The website id is the write key. If a
tracker keeps no id, its browser is a daily visitor (`cookieless`).
"""

from datetime import timedelta
from urllib.parse import urljoin

from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request, as_list, as_object
from pipeline.collector.vocabularies.helpers import (
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

_COMMON = {"vid": "anonymousId", "id": "userId"}
TYPES = {
    "event": "page",
    "pageview": "page",
    "identify": "identify",
    "performance": "track",
    "error": "track",
}
"""Umami's types and their types at Segment, for events without a name."""

_OF_AN_EVENT = {"name": "name", "event_name": "name", "event_value": "name"} | {
    "data": "data",
    "event_data": "data",
}
"""The first version has other names: `event_value`, later `event_name` and `event_data`."""

_PAGE = {"url": "url", "title": "title", "referrer": "referrer"}
_CONTEXT = {"language": "locale", "userAgent": "userAgent"}
_SECOND = timedelta(seconds=1)


def _key(request: Request) -> str | None:
    sent = request.json
    events = sent if isinstance(sent, list) else [as_object(sent, "the body")]
    return key_of((each.get("payload") for each in events if isinstance(each, dict)), "website")


def _single(request: Request) -> Events:
    return Events([request.object])


def _batch(request: Request) -> Events:
    return Events(as_list(request.json, "the body"), is_batch=True)


def _call(sent: JsonObject) -> JsonObject:
    event = as_object(sent, "an event")
    kind, native = event.get("type"), dict(as_object(event.get("payload"), "`payload`"))
    for field in ("website", "ip"):
        native.pop(field, None)
    common = taken(native, _COMMON)
    told = taken(native, _OF_AN_EVENT)
    name, properties = told.get("name"), dict(as_object(told.get("data") or {}, "`data`"))
    timestamp = instant(native.pop("timestamp", None), _SECOND)
    context = {"page": _page(native), **taken(native, _CONTEXT), "umami": native}
    return common | {
        "type": TYPES.get(str(kind), kind) if name is None else "track",
        "event": name or kind,
        "timestamp": timestamp,
        "properties": properties,
        "context": without_nothing(context),
    }


def _page(native: JsonObject) -> JsonObject:
    """Return the page with complete addresses: older trackers send paths, and the host apart."""
    told = page(native, _PAGE)
    host = native.get("hostname")
    if isinstance(host, str) and host:
        for field in ("url", "referrer"):
            if isinstance(told.get(field), str) and told[field].startswith("/"):
                told[field] = _joined(host, told[field])
    return told


def _joined(host: str, path: str) -> str:
    try:
        return urljoin(f"https://{host}", path)
    except ValueError:
        return path


_answer = said({"cache": "", "disabled": False})

_one = Vocabulary(_key, _single, _call, success=_answer, is_cookieless=True)

ROUTES: Routes = {
    ("POST", "/api/send"): _one,
    ("POST", "/api/collect"): _one,
    ("POST", "/api/batch"): Vocabulary(_key, _batch, _call, success=_answer, is_cookieless=True),
}
