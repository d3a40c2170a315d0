"""What other companies' SDKs send and ask, as the OpenAPI document describes it. PURE.

Paths and successes are those of `routes`; here is what one sees in no route: an example, and the
words that a vocabulary may refuse a request with. What single events of a batch are refused with
stands in its outcome.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.collector.answers import STATUSES, Answer, Problem, refusal
from pipeline.collector.openapi.document import (
    FORM,
    JSON,
    Operation,
    Said,
)
from pipeline.collector.vocabularies import (
    amplitude,
    jitsu,
    mixpanel,
    openpanel,
    pixels,
    posthog,
    segment,
)
from pipeline.collector.vocabularies.routes import ROUTES
from pipeline.collector.vocabularies.vocabulary import Vocabulary
from schemas.calls import CallBatch, Outcome
from schemas.dead_letter import Reason

_KEY = "wk_live_4f1c"

OF_A_BODY: tuple[Problem | Reason, ...] = (
    Reason.NOT_JSON,
    Reason.TOO_LARGE,
    Problem.BROKEN_GZIP,
    Problem.TOO_SLOW,
    Problem.UNSUPPORTED_ENCODING,
)
"""What a body may be refused with before anybody reads it; an empty one is `not_json`."""

_OF_ALL = (
    *(Problem.UNKNOWN_WRITE_KEY, Problem.KEY_EXPIRED, Problem.ORIGIN_NOT_ALLOWED),
    *(Problem.TOO_MANY_REQUESTS, Problem.QUOTA_EXCEEDED, Problem.UNAVAILABLE),
)
_OF_AN_OBJECT = (Reason.NOT_AN_OBJECT, Reason.INVALID_FIELD, Reason.TOO_DEEP)
_OF_AN_EVENT = (Reason.MISSING_FIELD, Reason.NO_VISITOR_ID, Reason.TOO_MANY_NAMES)
_OF_A_TIME = (Reason.INVALID_TIME, Reason.TIME_OUT_OF_RANGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """A vocabulary; `refusals` are those that not every request may get."""

    summary: str
    refusals: tuple[Reason, ...]
    examples: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: type[CallBatch] | None = None
    takes_batches: bool = False
    headers: tuple[str, ...] = ()
    successes: tuple[Answer, ...] = ()
    of_a_body: tuple[Problem | Reason, ...] = OF_A_BODY


_MATOMO = {"idsite": _KEY, "rec": "1", "_id": "a-1", "action_name": "Cart"}
_MATOMO_REFUSES = (
    *(Reason.INVALID_FIELD, Reason.NO_VISITOR_ID, Reason.TOO_MANY_NAMES),
    *(*_OF_A_TIME, Reason.TOO_DEEP),
)
_UMAMI = {
    "type": "event",
    "payload": {"website": _KEY, "id": "u-1", "url": "https://shop.example/cart"},
}

_MIXPANEL = {"event": "X", "properties": {"token": _KEY, "distinct_id": "u-1"}}
_GTAG = {"v": "2", "tid": _KEY, "cid": "a-1", "en": "page_view"}
_GTAG_REFUSES = (
    Reason.INVALID_FIELD,
    Reason.TOO_MANY_NAMES,
    Reason.NO_VISITOR_ID,
    Reason.NO_CONSENT,
)

_SPOKEN = {
    ("POST", "/beacon/v1/batch"): _Spoken(
        summary="RudderStack: what a page sends when it is left",
        query={"writeKey": _KEY},
        body=CallBatch,
        examples={JSON: {"batch": [{"type": "page", "anonymousId": "a-1"}]}},
        takes_batches=True,
        refusals=(*_OF_AN_OBJECT, Reason.MISSING_FIELD),
    ),
    **{
        ("GET", f"/v1/pixel/{kind}"): _Spoken(
            summary=f"Segment and RudderStack: a {kind} call in an image; also as base64",
            query={"writeKey": _KEY, "anonymousId": "a-1", "event": "X"},
            refusals=(
                *(Reason.NOT_JSON, *_OF_AN_OBJECT, *_OF_AN_EVENT, *_OF_A_TIME),
                *(Reason.TOO_LARGE, Reason.UNKNOWN_TYPE, Reason.NO_CONSENT),
            ),
        )
        for kind in pixels.PIXELS
    },
    ("GET", "/i"): _Spoken(
        summary="Snowplow: one event in the parameters",
        query={"aid": _KEY, "e": "pv", "duid": "a-1"},
        refusals=(
            *(Reason.NOT_JSON, *_OF_AN_OBJECT, *_OF_A_TIME, Reason.TOO_LARGE),
            *(*_OF_AN_EVENT, Reason.UNKNOWN_TYPE),
        ),
    ),
    ("POST", "/com.snowplowanalytics.snowplow/tp2"): _Spoken(
        summary="Snowplow: several events; any path of a vendor with a dot and a version does it",
        examples={JSON: {"data": [{"aid": _KEY, "e": "pv", "duid": "a-1"}]}},
        takes_batches=True,
        refusals=_OF_AN_OBJECT,
    ),
    ("POST", "/e"): _Spoken(
        summary="PostHog: one event or several; also as a form with base64 or JSON in `data`",
        examples={JSON: {"api_key": _KEY, "event": "X", "distinct_id": "u-1"}},
        takes_batches=True,
        refusals=(*_OF_AN_OBJECT, *_OF_A_TIME, *_OF_AN_EVENT),
    ),
    ("POST", "/i/v1/analytics/events"): _Spoken(
        summary="PostHog: several events, named in the answer; the token is also a Bearer token",
        examples={JSON: {"api_key": _KEY, "batch": [{"event": "X", "distinct_id": "u-1"}]}},
        refusals=_OF_AN_OBJECT,
    ),
    ("POST", "/api/event"): _Spoken(
        summary="Plausible: one event of a browser, which needs no id",
        examples={JSON: {"domain": _KEY, "name": "pageview", "url": "https://shop.example/"}},
        refusals=(*_OF_AN_OBJECT, *_OF_AN_EVENT),
    ),
    ("POST", "/api/send"): _Spoken(
        summary="Umami: one event",
        examples={JSON: _UMAMI},
        refusals=(
            *(*_OF_AN_OBJECT, *_OF_A_TIME),
            *(*_OF_AN_EVENT, Reason.UNKNOWN_TYPE),
        ),
    ),
    ("POST", "/api/batch"): _Spoken(
        summary="Umami: several events",
        examples={JSON: [_UMAMI]},
        takes_batches=True,
        refusals=_OF_AN_OBJECT,
    ),
    ("POST", "/mp/collect"): _Spoken(
        summary="Google Analytics 4: several events",
        query={"measurement_id": _KEY},
        examples={JSON: {"client_id": "a-1", "events": [{"name": "view_cart"}]}},
        takes_batches=True,
        refusals=_OF_AN_OBJECT,
    ),
    ("GET", "/g/collect"): _Spoken(
        summary="Google Analytics 4: an event of gtag.js in the parameters",
        query=_GTAG,
        refusals=(*_GTAG_REFUSES, Reason.MISSING_FIELD, Reason.TOO_LARGE),
    ),
    ("POST", "/g/collect"): _Spoken(
        summary="Google Analytics 4: events of gtag.js, one a line; what they share in the query",
        query=_GTAG,
        examples={"text/plain": "en=view_cart"},
        takes_batches=True,
        of_a_body=tuple(code for code in OF_A_BODY if code is not Reason.NOT_JSON),
        refusals=(*_GTAG_REFUSES, Reason.MISSING_FIELD),  # an empty body: the event of the query
    ),
    ("GET", "/track"): _Spoken(
        successes=(mixpanel.VERBOSE,),
        summary="Mixpanel: an event in `data`, as JSON or in base64",
        query={"data": json.dumps(_MIXPANEL)},
        takes_batches=True,
        refusals=(*_OF_AN_OBJECT, Reason.NOT_JSON, *_OF_AN_EVENT, *_OF_A_TIME, Reason.TOO_LARGE),
    ),
    ("POST", "/import"): _Spoken(
        successes=(mixpanel.VERBOSE,),
        summary="Mixpanel: events or profiles, as JSON or as a form with `data`",
        examples={JSON: [_MIXPANEL]},
        takes_batches=True,
        refusals=(*_OF_AN_OBJECT, *_OF_AN_EVENT, *_OF_A_TIME),
    ),
    ("POST", "/2/httpapi"): _Spoken(
        summary="Amplitude: several events",
        examples={JSON: {"api_key": _KEY, "events": [{"user_id": "u-1", "event_type": "X"}]}},
        takes_batches=True,
        refusals=_OF_AN_OBJECT,
    ),
    ("POST", "/"): _Spoken(
        summary="Amplitude of old: several events in a form",
        examples={FORM: f'client={_KEY}&e=[{{"event_type":"X","user_id":"u-1"}}]'},
        takes_batches=True,
        refusals=(Reason.TOO_DEEP,),
    ),
    ("POST", "/api/v1/event"): _Spoken(
        summary="Jitsu of old: one event, or several",
        query={"token": _KEY},
        examples={JSON: {"event_type": "page", "user": {"anonymous_id": "a-1"}}},
        takes_batches=True,
        refusals=(*_OF_AN_OBJECT, *_OF_AN_EVENT, *_OF_A_TIME),
    ),
    ("POST", "/httpapi"): _Spoken(
        summary="Amplitude's first version: events in a form, or profiles in `identification`",
        examples={FORM: f'api_key={_KEY}&event=[{{"event_type":"X","user_id":"u-1"}}]'},
        takes_batches=True,
        refusals=(Reason.NOT_AN_OBJECT, Reason.TOO_DEEP),
    ),
    ("POST", "/track"): _Spoken(
        successes=(mixpanel.VERBOSE, posthog.CAPTURE.success, openpanel.TRACK.success),
        summary="Mixpanel, OpenPanel (its key in `openpanel-client-id`) and PostHog of old",
        examples={JSON: _MIXPANEL},
        takes_batches=True,
        refusals=(*_OF_AN_OBJECT, *_OF_AN_EVENT, *_OF_A_TIME),
    ),
    ("POST", "/batch"): _Spoken(
        successes=(amplitude.BATCH.success,),
        summary="PostHog, and Amplitude with `events` in the place of `batch`",
        examples={
            JSON: {"api_key": _KEY, "batch": [{"event": "X", "distinct_id": "u-1"}]},
        },
        takes_batches=True,
        refusals=(*_OF_AN_OBJECT, *_OF_AN_EVENT, *_OF_A_TIME),
    ),
    ("GET", "/matomo.php"): _Spoken(
        summary="Matomo: one event in the parameters",
        query=_MATOMO,
        refusals=(Reason.NOT_JSON, *_MATOMO_REFUSES, Reason.TOO_LARGE),
    ),
    ("POST", "/matomo.php"): _Spoken(
        summary="Matomo: one event in a form, or several in a JSON",
        examples={
            FORM: "&".join(f"{name}={value}" for name, value in _MATOMO.items()),
            JSON: {"requests": [f"?idsite={_KEY}&rec=1&_id=a-1"]},
        },
        takes_batches=True,
        refusals=_MATOMO_REFUSES,
    ),
}
"""The vocabularies by one of their routes."""

_QUESTIONS: tuple[tuple[Literal["get", "post"], str, str, str], ...] = (
    ("get", "/v1/projects/{write_key}/settings", JSON, "Segment: the settings of a source"),
    (
        *("get", "/customerio/v1/projects/{write_key}/settings"),
        *(JSON, "Customer.io: the settings of a source"),
    ),
    ("get", "/sourceConfig/", JSON, "RudderStack: the configuration of a source"),
    ("get", "/array/{token}/config", JSON, "PostHog: the configuration of a project"),
    ("get", "/array/{token}/config.js", "text/javascript", "PostHog: the same as a script"),
    ("post", "/flags/", JSON, "PostHog: feature flags, of which there are none"),
    ("post", "/decide/", JSON, "PostHog: the same for older SDKs"),
)


def sdks() -> Iterator[Operation]:
    """Describe every path that other SDKs than Segment's send to, and all that SDKs ask."""
    for (method, path), vocabulary in ROUTES.items():
        if (method, path) not in segment.ROUTES | jitsu.ROUTES:
            yield _sending("get" if method == "GET" else "post", path, vocabulary)
    for way, path, media, summary in _QUESTIONS:
        not_every_token = (Problem.NOT_FOUND,) if "{token}" in path else ()
        yield Operation(
            method=way,
            path=path,
            summary=summary,
            answers={200: (media,)},
            refusals=(*not_every_token, Problem.ORIGIN_NOT_ALLOWED),
        )


def _sending(method: Literal["get", "post"], path: str, vocabulary: Vocabulary) -> Operation:
    spoken = next((told for route, told in _SPOKEN.items() if ROUTES[route] is vocabulary), None)
    if spoken is None:
        raise LookupError(f"{path}: describe its vocabulary in _SPOKEN")
    of_a_body = spoken.of_a_body if method == "post" else ()
    return Operation(
        method=method,
        path=path,
        summary=spoken.summary,
        answers=_answers((_worded(vocabulary), *spoken.successes), spoken.takes_batches),
        body=spoken.body,
        examples=spoken.examples,
        query=spoken.query,
        refusals=(*of_a_body, *spoken.refusals, *_OF_ALL),
        headers=spoken.headers,
        statuses={code: vocabulary.wording(_refusal(code), "").status for code in STATUSES},
    )


def _refusal(code: Problem | Reason) -> Answer:
    return refusal(code, "")


def _worded(vocabulary: Vocabulary) -> Answer:
    return vocabulary.wording(vocabulary.success, "")


def _answers(successes: tuple[Answer, ...], takes_batches: bool) -> dict[int, tuple[Said, ...]]:
    outcome = (Outcome,) if takes_batches else ()
    answers: dict[int, tuple[Said, ...]] = {200: outcome, 400: outcome} if takes_batches else {}
    told = tuple(success for success in successes if success.body)
    status = successes[0].status
    return answers | {status: (*told, *answers.get(status, ()))}
