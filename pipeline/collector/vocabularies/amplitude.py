"""Amplitude: the HTTP API of its SDKs. PURE.

https://amplitude.com/docs/apis/analytics/http-v2 names the fields. The API key is the write key.
Its SDKs read the status in the body (`code`), not the HTTP status. The old SDK (amplitude-js) sends
a form to the root, and clients of the API's first version send forms to `/httpapi` and `/identify`.
"""

from typing import Any

from pipeline.collector.answers import Answer
from pipeline.collector.decoding import JsonObject, json_value
from pipeline.collector.request import Request, as_list, as_object, listed, parameters_in
from pipeline.collector.vocabularies.helpers import (
    instant,
    page,
    taken,
    without_nothing,
)
from pipeline.collector.vocabularies.vocabulary import Events, Routes, Vocabulary, later, said
from schemas.codec import encode
from schemas.times import MILLISECOND

NAMES = {
    "[Amplitude] Page Viewed": "page",
    "$identify": "identify",
    "$groupidentify": "group",
}
"""Amplitude's own events and the types of Segment's calls; others become `track` by name."""

_COMMON = {"device_id": "anonymousId", "user_id": "userId", "insert_id": "messageId"}
_PAGE = {
    "[Amplitude] Page Location": "url",
    "[Amplitude] Page Title": "title",
    "referrer": "referrer",
}
_REVENUE = {
    "$productId": "product_id",
    "$price": "price",
    "$quantity": "quantity",
    "$revenue": "revenue",
    "$currency": "currency",
}
_OF_AN_EVENT = {"revenue": "revenue", "price": "price", "quantity": "quantity"} | {
    "productId": "product_id",
    "currency": "currency",
}
_OF_A_FORM = {"timestamp": "time", "uuid": "insert_id"}
_CONTEXT = {"user_agent": "userAgent", "language": "locale"}


def is_amplitudes(sent: Any) -> bool:
    """Distinguish a body of Amplitude from one of PostHog, which uses the same path."""
    return isinstance(sent, dict) and "events" in sent and "batch" not in sent


def _key(request: Request) -> str | None:
    key = request.object.get("api_key")
    return key if isinstance(key, str) else None


def _events(request: Request) -> Events:
    sent = request.object
    clock = sent.get("client_upload_time")
    listed = as_list(sent.get("events"), "`events`")
    return Events([(event, clock) for event in listed], is_batch=True)


def _form(request: Request) -> dict[str, str]:
    return parameters_in(request.body.decode(errors="replace"))


def _key_of_a_form(request: Request) -> str | None:
    return _form(request).get("client")


def _events_of_a_form(request: Request) -> Events:
    """Read what amplitude-js sends: `e` holds a list of events, or one."""
    form = _form(request)
    events = listed(json_value(form.get("e", "")))
    clock = instant(form.get("upload_time"), MILLISECOND)
    return Events([(event, clock) for event in events], is_batch=True)


def _call_of_a_form(event_and_clock: tuple[Any, Any]) -> JsonObject:
    told, clock = event_and_clock
    event = dict(as_object(told, "an event"))
    return _call(({_OF_A_FORM.get(name, name): said for name, said in event.items()}, clock))


def _key_of_the_first(request: Request) -> str | None:
    return _form(request).get("api_key")


def _events_of_the_first(request: Request) -> Events:
    """Read a form with one event or a list in `event`, or with profiles in `identification`."""
    form = _form(request)
    if said_who := form.get("identification"):
        profiles = listed(json_value(said_who))
        events = [as_object(each, "a profile") | {"event_type": "$identify"} for each in profiles]
    else:
        events = listed(json_value(form.get("event", "")))
    return Events([(event, None) for event in events], is_batch=True)


def _call(event_and_clock: tuple[Any, Any]) -> JsonObject:
    told, sent_at = event_and_clock
    native = dict(as_object(told, "an event"))
    native.pop("ip", None)
    event = native.pop("event_type", None)
    kind = NAMES.get(event, "track") if isinstance(event, str) else "track"
    properties = dict(as_object(native.pop("event_properties", None) or {}, "`event_properties`"))
    properties |= taken(properties, _REVENUE) | taken(native, _OF_AN_EVENT)
    common = taken(native, _COMMON)
    time = instant(native.pop("time", None), MILLISECOND)
    traits = _traits(native, properties)
    groups = native.pop("groups", None)
    context = {"page": page(properties, _PAGE), **taken(native, _CONTEXT), "amplitude": native}
    return {
        **common,
        "type": kind,
        "event": event,
        "timestamp": time,
        "sentAt": sent_at if time else None,
        "groupId": _group(groups),
        "traits": traits or None,
        "properties": properties,
        "context": without_nothing(context),
    }


def _traits(native: JsonObject, properties: JsonObject) -> JsonObject:
    """Take the user properties that are set; other operations stay in the properties."""
    told = dict(as_object(native.pop("user_properties", None) or {}, "`user_properties`"))
    traits: JsonObject = {}
    for operation in ("$setOnce", "$set"):
        traits |= as_object(told.pop(operation, None) or {}, f"`{operation}`")
    for name in [name for name in told if name.startswith("$")]:
        properties[name] = told.pop(name)
    return traits | told


def _group(groups: Any) -> str | None:
    """Return the first named group; all groups stay in the context."""
    if not isinstance(groups, dict) or not groups:
        return None
    first = next(iter(groups.values()))
    return str(first[0] if isinstance(first, list) and first else first)


def _in_its_words(answer: Answer, _query: str) -> Answer:
    """Put the status into the body as well."""
    said_later = later(answer)
    told = json_value(answer.body) | {"code": said_later.status}
    return Answer(said_later.status, encode(told), answer.headers)


BATCH = Vocabulary(_key, _events, _call, success=said({"code": 200}), wording=_in_its_words)

_FIRST = Vocabulary(
    _key_of_the_first, _events_of_the_first, _call, success=said({"code": 200}), wording=later
)
_FORM = Vocabulary(_key_of_a_form, _events_of_a_form, _call_of_a_form, success=said({"code": 200}))

ROUTES: Routes = {
    ("POST", "/2/httpapi"): BATCH,
    ("POST", "/"): _FORM,
    ("POST", "/httpapi"): _FIRST,
    ("POST", "/identify"): _FIRST,
}
"""PostHog also uses `POST /batch`: `shared_paths` distinguishes them."""
