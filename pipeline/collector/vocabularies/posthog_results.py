"""PostHog's newer capture API: a batch whose answer says what became of each event. PURE.

The SDKs of servers send to it if they are set up with `capture_mode="v1"`. The token is a Bearer
token, or `api_key` in the body; the clock of the device is in a header. Properties with a special
meaning have become `options` and fields. An event that is refused is a `drop`, with the reason: its
SDK reports it and does not send it again.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from pipeline.collector.answers import Answer
from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request, as_list, as_object
from pipeline.collector.vocabularies import posthog
from pipeline.collector.vocabularies.helpers import key_of
from pipeline.collector.vocabularies.vocabulary import Events, Routes, Vocabulary, later, said
from pipeline.values.times import moment
from schemas.codec import Refused

_BEARER = "bearer "
_CLOCK = "posthog-request-timestamp"
_OK = {"result": "ok"}
_FIELDS = ("session_id", "window_id")


def _key(request: Request) -> str | None:
    told = request.authorization or ""
    if told.lower().startswith(_BEARER):
        return told[len(_BEARER) :].strip()
    return key_of([request.object], "api_key")


def _events(request: Request) -> Events:
    events = as_list(request.object.get("batch"), "`batch`")
    sent_at = moment(request.header(_CLOCK))
    return Events(events, sent_at, is_batch=True, outcome=partial(_results, events))


def _results(events: list[Any], refused: Sequence[tuple[int, Refused]]) -> Answer:
    """Say of each event that has an id what became of it."""
    drops = {index: {"result": "drop", "details": why.reason} for index, why in refused}
    ids = (event.get("uuid") if isinstance(event, dict) else None for event in events)
    named = ((index, each) for index, each in enumerate(ids) if isinstance(each, str))
    return said({"results": {each: drops.get(index, _OK) for index, each in named}})


def _call(told: Any) -> JsonObject:
    sent = dict(as_object(told, "an event"))
    options = as_object(sent.pop("options", None) or {}, "`options`")
    special = options | {field: sent.pop(field) for field in _FIELDS if field in sent}
    properties = as_object(sent.get("properties") or {}, "`properties`")
    sent["properties"] = properties | {f"${name}": value for name, value in special.items()}
    return posthog.call((sent, None))


RESULTS = Vocabulary(_key, _events, _call, success=said({"results": {}}), wording=later)

ROUTES: Routes = {("POST", "/i/v1/analytics/events"): RESULTS}
