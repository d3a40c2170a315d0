"""OpenPanel: events and profiles of its SDKs. PURE.

https://openpanel.dev/docs/api/track names the fields. The client's id is the write key. A browser
has no own id: it is a daily visitor (`cookieless`).
"""

from typing import Any
from urllib.parse import urljoin

from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request, as_object
from pipeline.collector.vocabularies.helpers import page, taken, without_nothing
from pipeline.collector.vocabularies.vocabulary import Events, Vocabulary, said

TYPES = {
    "track": "track",
    "identify": "identify",
    "alias": "alias",
    "group": "group",
    "assign_group": "group",
    "increment": "identify",
    "decrement": "identify",
}
"""OpenPanel's types and their types at Segment."""

NAMES = {"screen_view": "page"}
"""Events that correspond to a type of Segment."""

_PAGE = {"__path": "url", "__title": "title", "__referrer": "referrer"}
_TOLD = {"__revenue": "revenue"}
_TRAITS = ("firstName", "lastName", "email", "avatar")


def is_openpanels(sent: Any) -> bool:
    """Distinguish a body of OpenPanel from others that are sent to the same path."""
    return isinstance(sent, dict) and "type" in sent and "payload" in sent


def _key(request: Request) -> str | None:
    return request.header("openpanel-client-id")


def _events(request: Request) -> Events:
    return Events([request.object])


def _call(sent: JsonObject) -> JsonObject:
    told = sent.get("type")
    payload = dict(as_object(sent.get("payload"), "`payload`"))
    properties = dict(as_object(payload.pop("properties", None) or {}, "`properties`"))
    name = payload.pop("name", None) if told == "track" else None
    kind = NAMES.get(str(name)) or TYPES.get(str(told), told)
    traits = taken(payload, {field: field for field in _TRAITS})
    if kind == "identify":
        traits, properties = traits | properties, {}
    people, group = _people(str(kind), payload, properties), _group(payload)
    context = {"page": _page(properties), "openpanel": payload}
    return {
        **people,
        "type": kind,
        "event": name,
        "timestamp": properties.pop("__timestamp", None),
        "groupId": group,
        "traits": traits or None,
        "properties": taken(properties, _TOLD) | properties,
        "context": without_nothing(context),
    }


def _people(kind: str, payload: JsonObject, properties: JsonObject) -> JsonObject:
    profile = payload.pop("profileId", None)
    device = properties.pop("__deviceId", None)
    if kind == "alias":
        return {"userId": profile, "previousId": payload.pop("alias", None)}
    return {"anonymousId": device, "userId": profile}


def _group(payload: JsonObject) -> str | None:
    groups = payload.pop("groupIds", None) or payload.pop("groups", None)
    first = groups[0] if isinstance(groups, list) and groups else payload.pop("id", None)
    return first if isinstance(first, str) else None


def _page(properties: JsonObject) -> JsonObject:
    """Return the page with a complete address: apps send only a path."""
    told, origin = page(properties, _PAGE), properties.pop("__origin", None)
    if isinstance(told.get("url"), str) and isinstance(origin, str):
        told["url"] = urljoin(origin, told["url"])
    return told


TRACK = Vocabulary(_key, _events, _call, success=said({}), is_cookieless=True)
"""Mixpanel and PostHog also use `POST /track`: `shared_paths` distinguishes them."""
