"""Jitsu's first version: flat events, of pages and of servers (`s2s`). PURE.

https://classic.jitsu.com/docs/sending-data/api names the fields; `@jitsu/sdk-js` sends them. The
token is the write key. Jitsu of today has Segment's calls (`jitsu`).
"""

from typing import Any

from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request, as_object, listed
from pipeline.collector.vocabularies.helpers import key_of, page, taken, without_nothing
from pipeline.collector.vocabularies.vocabulary import Events, Routes, Vocabulary, said

TYPES = {
    "page": "page",
    "page_view": "page",
    "pageview": "page",
    "identify": "identify",
    "user_identify": "identify",
}
"""Event types and their types at Segment; others become `track` by name."""

_PAGE = {"url": "url", "page_title": "title", "referer": "referrer"}
_CONTEXT = {"user_agent": "userAgent", "user_language": "locale"}
_OF_THE_DEVICE = (
    *("ids", "local_tz_offset", "doc_path", "doc_host", "doc_search", "doc_encoding", "src"),
    *("screen_resolution", "vp_size", "utm", "click_id"),
)
_LEFT_OUT = ("api_key", "source_ip")
_PEOPLE = {"anonymous_id": "anonymousId", "id": "userId"}


def _key(request: Request) -> str | None:
    told = request.parameters.get("token") or request.header("x-auth-token")
    return told or key_of(listed(request.json), "api_key")


def _events(request: Request) -> Events:
    return Events(listed(request.json), is_batch=isinstance(request.json, list))


def _call(told: Any) -> JsonObject:
    """Translate an event: what is neither of the device nor of the person is a property."""
    native = dict(as_object(told, "an event"))
    native |= as_object(native.pop("eventn_ctx", None) or {}, "`eventn_ctx`")
    for field in _LEFT_OUT:
        native.pop(field, None)
    user = dict(as_object(native.pop("user", None) or {}, "`user`"))
    event = native.pop("event_type", None)
    device = without_nothing(taken(native, {field: field for field in _OF_THE_DEVICE}))
    context = {"page": page(native, _PAGE), **taken(native, _CONTEXT), "jitsu": device}
    return {
        **taken(user, _PEOPLE),
        "type": TYPES.get(event, "track") if isinstance(event, str) else "track",
        "event": event,
        "messageId": native.pop("event_id", None),
        "timestamp": native.pop("utc_time", None),
        "traits": user or None,
        "properties": native,
        "context": without_nothing(context),
    }


_first = Vocabulary(_key, _events, _call, success=said({"status": "ok"}))

ROUTES: Routes = {("POST", path): _first for path in ("/api/v1/event", "/api/v1/s2s/event")}
