"""Mixpanel: events and profiles of its SDKs, as forms or JSON, in the query or the body. PURE.

https://developer.mixpanel.com/reference/track-event and /profile-set name the fields. The project's
token is the write key. Group profiles (`/groups`) concern no visitor: they have no path here.
"""

import re
from datetime import timedelta
from typing import Any

from pipeline.collector.answers import Answer
from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request, as_object, listed, parameters_in
from pipeline.collector.vocabularies.helpers import (
    instant,
    json_or_base64,
    key_of,
    not_base64,
    page,
    without_nothing,
)
from pipeline.collector.vocabularies.vocabulary import Events, Routes, Vocabulary, later
from schemas.times import MILLISECOND

NAMES = {
    "$mp_web_page_view": "page",
    "$identify": "identify",
    "$create_alias": "alias",
    "$merge": "alias",
}
"""Mixpanel's own events and the types of Segment's calls; others become `track` by name."""

_PAGE = {"$current_url": "url", "current_page_title": "title", "$referrer": "referrer"}
_RESERVED = {
    "$email": "email",
    "$name": "name",
    "$phone": "phone",
    "$avatar": "avatar",
    "$first_name": "first_name",
    "$last_name": "last_name",
    "$created": "created_at",
}
_FORM = re.compile(rb"\w+=")
_ONE = Answer(200, b"1")
VERBOSE = Answer(200, b'{"status":1,"error":null}')
"""The answer on success, if `verbose=1` is in the query or the form."""

_DEVICE = "$device:"
_FIRST_MILLISECOND = 100_000_000_000
"""A larger number counts milliseconds: as seconds, it would mean the year 5138."""


def _key(request: Request) -> str | None:
    events = _listed(request)
    properties = [each.get("properties") for each in events if isinstance(each, dict)]
    return key_of(properties, "token") or key_of(events, "$token")


def _events(request: Request) -> Events:
    is_verbose = "verbose=1" in (request.query + "&" + _form(request)).split("&")
    return Events(
        _listed(request),
        is_batch=isinstance(_sent(request), list),
        success=VERBOSE if is_verbose else None,
    )


def _listed(request: Request) -> list[Any]:
    return listed(_sent(request))


def _form(request: Request) -> str:
    """Return the body if it is a form."""
    is_form = _FORM.match(request.body) is not None
    return request.body.decode(errors="replace") if is_form else ""


def _sent(request: Request) -> Any:
    """Read the content: JSON, or JSON or its base64 in the field `data` of a form or the query."""
    if request.body and not _FORM.match(request.body):
        return request.json
    try:
        form = request.body.decode() or request.query
    except UnicodeDecodeError as error:
        raise not_base64(error) from None
    return json_or_base64(parameters_in(form).get("data", ""))


def _call(told: Any) -> JsonObject:
    sent = as_object(told, "an event")
    return _profile(dict(sent)) if "$token" in sent else _event(sent)


def _event(sent: JsonObject) -> JsonObject:
    properties = dict(as_object(sent.get("properties") or {}, "`properties`"))
    properties.pop("token", None)
    properties.pop("ip", None)
    event = sent.get("event")
    kind = NAMES.get(event, "track") if isinstance(event, str) else "track"
    context = {"page": page(properties, _PAGE), "locale": properties.pop("$locale", None)}
    return {
        **_people(kind, properties),
        "type": kind,
        "event": event,
        "messageId": properties.pop("$insert_id", None),
        "timestamp": _time(properties.pop("time", None)),
        "properties": properties,
        "context": without_nothing(context),
    }


def _people(kind: str, properties: JsonObject) -> JsonObject:
    """Distinguish device and user; `distinct_id` is either, with a prefix if it is a device."""
    name = properties.pop("distinct_id", None)
    device, user = properties.pop("$device_id", None), properties.pop("$user_id", None)
    if isinstance(name, str) and name.startswith(_DEVICE):
        device, name = device or name.removeprefix(_DEVICE), None
    if kind == "identify":
        user = user or properties.pop("$identified_id", None)
        device = (
            device or properties.pop("$anon_id", None) or properties.pop("$anon_distinct_id", None)
        )
    if kind == "alias":
        return _alias(device, name, properties)
    return {"anonymousId": device, "userId": user or (name if name != device else None)}


def _alias(device: Any, name: Any, properties: JsonObject) -> JsonObject:
    merged = properties.pop("$distinct_ids", None) or properties.pop("distinct_ids", None)
    if isinstance(merged, list) and len(merged) == 2:  # noqa: PLR2004 - two become one
        return {"userId": merged[0], "previousId": merged[1]}
    alias = properties.pop("alias", None)
    return {"anonymousId": device, "userId": alias or name, "previousId": name or device}


def _profile(sent: JsonObject) -> JsonObject:
    """Translate what is set on a user; what is added or appended stays in the properties."""
    for field in ("$token", "$ip", "$ignore_time"):
        sent.pop(field, None)
    traits: JsonObject = {}
    for field in ("$set_once", "$set"):
        traits |= as_object(sent.pop(field, None) or {}, f"`{field}`")
    people = {
        "distinct_id": sent.pop("$distinct_id", None),
        "$device_id": sent.pop("$device_id", None),
        "$user_id": sent.pop("$user_id", None),
    }
    return {
        **_people("profile", people),
        "type": "identify",
        "timestamp": _time(sent.pop("$time", None)),
        "traits": {_RESERVED.get(name, name): value for name, value in traits.items()} or None,
        "properties": sent,
    }


def _time(told: Any) -> Any:
    """Read seconds or milliseconds since 1970."""
    is_fine = isinstance(told, int | float) and abs(told) >= _FIRST_MILLISECOND
    return instant(told, MILLISECOND if is_fine else timedelta(seconds=1))


TRACK = Vocabulary(_key, _events, _call, success=_ONE, wording=later)
_FROM_QUERY = Vocabulary(_key, _events, _call, success=_ONE, wording=later)

ROUTES: Routes = {
    **{("GET", path): _FROM_QUERY for path in ("/track", "/engage")},
    **{("POST", path): TRACK for path in ("/import", "/engage")},
}
"""PostHog and OpenPanel also use `POST /track`: `shared_paths` distinguishes them."""
