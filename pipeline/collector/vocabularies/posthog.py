"""PostHog: captures of posthog-js and of server SDKs, and what they ask first. PURE.

https://posthog.com/docs/api/capture names the fields. PostHog's shop events already have Segment's
names. Feature flags, recordings and surveys are not supported: the answers say so, and the SDKs
accept that. The project's token is the write key. A browser in `cookieless_mode` is a daily visitor
(`cookieless`).
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.collector.answers import Answer
from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request, as_list, as_object, parameters_in
from pipeline.collector.vocabularies.helpers import (
    instant,
    json_or_base64,
    key_of,
    page,
    taken,
    without_nothing,
)
from pipeline.collector.vocabularies.vocabulary import (
    Events,
    Routes,
    SetUp,
    Vocabulary,
    later,
    said,
)
from schemas.codec import Refused, encode
from schemas.times import MILLISECOND

NAMES = {
    "$pageview": "page",
    "$screen": "screen",
    "$identify": "identify",
    "$set": "identify",
    "$create_alias": "alias",
    "$groupidentify": "group",
}
"""PostHog's own events and the types of Segment's calls; others become `track` by name."""

_PAGE = {"$current_url": "url", "title": "title", "$title": "title", "$referrer": "referrer"}
_CONTEXT = {"$raw_user_agent": "userAgent", "$browser_language": "locale"}
_LEFT_OUT = ("token", "$ip")
_KNOWN = (
    *("event", "properties", "uuid", "distinct_id", "$set", "$set_once"),
    *("timestamp", "offset", "sent_at", "api_key", "token", "ip", "batch"),
)
"""The fields of an event besides its properties that this file handles."""

_COOKIELESS = "$posthog_cookieless"
"""The `distinct_id` of everybody in `cookieless_mode`: it names nobody."""

_SECOND = timedelta(seconds=1)


def _key(request: Request) -> str | None:
    body = _body(request)
    return _token([body]) or _token(_listed(body))


def _token(events: list[Any]) -> str | None:
    properties = (each.get("properties") for each in events if isinstance(each, dict))
    return key_of(events, "api_key") or key_of([*events, *properties], "token")


def _events(request: Request) -> Events:
    body = _body(request)
    sent_at = body.get("sent_at") if isinstance(body, dict) else None
    if sent_at is None and request.query:
        sent_at = instant(request.parameters.get("_"), MILLISECOND)
    is_batch = isinstance(body, list) or "batch" in body
    return Events([(event, sent_at) for event in _listed(body)], is_batch=is_batch)


def _listed(body: Any) -> list[Any]:
    if isinstance(body, list):
        return body
    sent = as_object(body, "the body")
    return as_list(sent["batch"], "`batch`") if "batch" in sent else [sent]


def _body(request: Request) -> Any:
    """Read the body: JSON, or a form with JSON in `data`, as a page sends it when it is left."""
    if not request.body.startswith(b"data="):
        return request.json
    form = parameters_in(request.body.decode(errors="replace"))
    return json_or_base64(form.get("data", ""))


def call(event_and_clock: tuple[Any, Any]) -> JsonObject:
    """Translate an event, and the clock of the device when it was sent."""
    told, sent_at = event_and_clock
    sent = as_object(told, "an event")
    properties = dict(as_object(sent.get("properties") or {}, "`properties`"))
    event = sent.get("event")
    kind = NAMES.get(event, "track") if isinstance(event, str) else "track"
    traits = _traits(sent, properties)
    for field in _LEFT_OUT:
        properties.pop(field, None)
    context = {
        "page": page(properties, _PAGE),
        **taken(properties, _CONTEXT),
        "posthog": {field: value for field, value in sent.items() if field not in _KNOWN},
    }
    return {
        **_people(kind, sent, properties),
        "type": kind,
        "event": event,
        "messageId": sent.get("uuid") or properties.get("$insert_id"),
        "timestamp": _timestamp(sent, properties, sent_at),
        "sentAt": sent_at,
        "groupId": properties.get("$group_key"),
        "traits": traits or None,
        "properties": properties,
        "context": without_nothing(context),
    }


def _traits(sent: JsonObject, properties: JsonObject) -> JsonObject:
    """Take the person's traits out of the properties and of the event.

    `$set` overrides `$set_once`.
    """
    told = ((each, field) for field in ("$set_once", "$set") for each in (properties, dict(sent)))
    found: JsonObject = {}
    for source, field in told:
        if isinstance(source.get(field), dict):
            found |= source.pop(field)
    return found


def _people(kind: str, sent: JsonObject, properties: JsonObject) -> JsonObject:
    """Distinguish device and person: `distinct_id` is either; the fields next to it say which."""
    name = sent.get("distinct_id") or properties.get("distinct_id")
    properties.pop("distinct_id", None)
    device = properties.pop("$device_id", None) or properties.pop("$anon_distinct_id", None)
    if name in (_COOKIELESS, _group_of(kind, properties)):
        return {"anonymousId": device}
    if kind == "alias":
        alias = properties.pop("alias", None) or name
        return {"anonymousId": device, "userId": alias, "previousId": name}
    if properties.get("$process_person_profile") is False and device is None:
        return {"anonymousId": name}
    return {"anonymousId": device, "userId": name if name != device else None}


def _group_of(kind: str, properties: JsonObject) -> str | None:
    """Return what server SDKs write in place of a user when an event describes only a group."""
    told = f"${properties.get('$group_type')}_{properties.get('$group_key')}"
    return told if kind == "group" else None


def _timestamp(sent: JsonObject, properties: JsonObject, sent_at: Any) -> Any:
    """Return the time of an event; older SDKs send the milliseconds between event and sending."""
    timestamp, offset = sent.get("timestamp"), sent.get("offset")
    if timestamp or not isinstance(offset, int | float):
        return timestamp
    if isinstance(clock := properties.get("$time"), int | float):  # a retry counts back from here
        return instant(clock, _SECOND)
    try:
        clock = datetime.fromisoformat(sent_at) if isinstance(sent_at, str) else sent_at
        if not isinstance(clock, datetime):
            return timestamp
        return instant(-offset, MILLISECOND, clock.astimezone(UTC))
    except (OverflowError, ValueError):  # the year 1 has no hour before it
        return sent_at


CAPTURE = Vocabulary(
    _key, _events, call, success=said({"status": 1}), is_cookieless=True, wording=later
)
"""posthog-js drops events that are answered with 429."""

ROUTES: Routes = {("POST", path): CAPTURE for path in ("/e", "/capture", "/i/v0/e")}
"""Others also use `POST /batch` and `POST /track`: `shared_paths` distinguishes them."""


def is_posthogs(request: Request) -> bool:
    """Distinguish a capture from Mixpanel's events, which look similar."""
    try:
        body = _body(request)
        first = next((each for each in _listed(body) if isinstance(each, dict)), {})
    except Refused:
        return False
    if "event" not in first:
        return False
    properties = first.get("properties")
    names = properties.keys() if isinstance(properties, dict) else frozenset()
    is_named = isinstance(body, dict) and "api_key" in body
    return is_named or "$lib" in names or bool(first.keys() - {"event", "properties"})


# No entry for `surveys`: with `false`, the SDK loads a script only to show none.
_CONFIG: JsonObject = {
    "supportedCompression": ["gzip", "gzip-js", "base64"],
    "hasFeatureFlags": False,
    "sessionRecording": False,
    "heatmaps": False,
    "captureDeadClicks": False,
    "capturePerformance": False,
    "autocaptureExceptions": False,
    "autocapture_opt_out": False,
    "defaultIdentifiedOnly": True,
    "siteApps": [],
    "toolbarParams": {},
    "isAuthenticated": False,
}
_FLAGS: JsonObject = {
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
}


def _config(_key: str, _host: str) -> Answer:
    return said(_CONFIG)


def _script(key: str, _host: str) -> Answer:
    told = encode({key: {"config": _CONFIG, "siteApps": []}})
    return Answer(
        200, b"window._POSTHOG_REMOTE_CONFIG=" + told, [("content-type", "text/javascript")]
    )


def _flags(_key: str, _host: str) -> Answer:
    return said(_CONFIG | _FLAGS)


SET_UP = [
    SetUp(re.compile(r"/array/([\w-]+)/config\.js"), _script),
    SetUp(re.compile(r"/array/([\w-]+)/config"), _config),
    SetUp(re.compile("/(?:flags|decide)()"), _flags),
]
