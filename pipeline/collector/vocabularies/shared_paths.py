"""Paths that several companies use: the content of a request decides whose it is. PURE.

`/track` is used by Mixpanel, OpenPanel and old SDKs of PostHog; `/batch` by Amplitude and PostHog.
An event is never translated by another company's vocabulary.
"""

from collections.abc import Callable
from typing import Any

from pipeline.collector.answers import Answer
from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request
from pipeline.collector.vocabularies import amplitude, mixpanel, openpanel, posthog
from pipeline.collector.vocabularies.vocabulary import Events, Routes, Vocabulary, Wording
from schemas.codec import Refused

_OWNERS = {
    "amplitude": amplitude.BATCH,
    "mixpanel": mixpanel.TRACK,
    "openpanel": openpanel.TRACK,
    "posthog": posthog.CAPTURE,
}

Owner = Callable[[Request], str]


def _of_track(request: Request) -> str:
    if posthog.is_posthogs(request):
        return "posthog"
    return "openpanel" if openpanel.is_openpanels(_json(request)) else "mixpanel"


def _of_batch(request: Request) -> str:
    return "amplitude" if amplitude.is_amplitudes(_json(request)) else "posthog"


def _json(request: Request) -> Any:
    """Return the body if it is JSON; its vocabulary deals with anything else."""
    try:
        return request.json
    except Refused:
        return None


def _shared(owner: Owner, success: Answer, wording: Wording) -> Vocabulary:
    def key(request: Request) -> str | None:
        return _OWNERS[owner(request)].key(request)

    def events(request: Request) -> Events:
        found = owner(request)
        sent = _OWNERS[found].events(request)
        listed = [(found, event) for event in sent.events]
        success = sent.success or _OWNERS[found].success
        return Events(listed, sent.sent_at, sent.is_batch, success)

    return Vocabulary(key, events, _call, success=success, wording=wording, is_cookieless=True)


def _call(owner_and_event: tuple[str, Any]) -> JsonObject:
    owner, event = owner_and_event
    translate = _OWNERS[owner].call
    call: JsonObject = translate(event) if translate else event
    return call


ROUTES: Routes = {
    ("POST", "/track"): _shared(_of_track, mixpanel.TRACK.success, mixpanel.TRACK.wording),
    ("POST", "/batch"): _shared(_of_batch, posthog.CAPTURE.success, amplitude.BATCH.wording),
}
