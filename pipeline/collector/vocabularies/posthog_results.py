"""PostHog's newer capture API: a batch whose answer says what became of each event. PURE.

The SDKs of servers send to it if they are set up with `capture_mode="v1"`. The token is a Bearer
token, or `api_key` in the body; the clock of the device is in a header. Properties with a special
meaning have become `options` and fields. What is refused is named in no answer's `results`, so
that nobody sends it again.
"""

from typing import Any

from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request, as_list, as_object
from pipeline.collector.vocabularies import posthog
from pipeline.collector.vocabularies.helpers import key_of
from pipeline.collector.vocabularies.vocabulary import Events, Routes, Vocabulary, later, said
from pipeline.values.times import moment

_BEARER = "bearer "
_CLOCK = "posthog-request-timestamp"
_FIELDS = ("session_id", "window_id")


def _key(request: Request) -> str | None:
    told = request.authorization or ""
    if told.lower().startswith(_BEARER):
        return told[len(_BEARER) :].strip()
    return key_of([request.object], "api_key")


def _events(request: Request) -> Events:
    events = as_list(request.object.get("batch"), "`batch`")
    ids = (event.get("uuid") for event in events if isinstance(event, dict))
    results = {each: {"result": "ok"} for each in ids if isinstance(each, str)}
    return Events(
        events, moment(request.header(_CLOCK)), is_batch=True, success=said({"results": results})
    )


def _call(told: Any) -> JsonObject:
    sent = dict(as_object(told, "an event"))
    options = as_object(sent.pop("options", None) or {}, "`options`")
    special = options | {field: sent.pop(field) for field in _FIELDS if field in sent}
    properties = as_object(sent.get("properties") or {}, "`properties`")
    sent["properties"] = properties | {f"${name}": value for name, value in special.items()}
    return posthog.call((sent, None))


RESULTS = Vocabulary(_key, _events, _call, success=said({"results": {}}), wording=later)

ROUTES: Routes = {("POST", "/i/v1/analytics/events"): RESULTS}
