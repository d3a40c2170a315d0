"""Everything that the collector serves, as its OpenAPI document describes it. PURE.

What a page asks before it sends (OPTIONS) is not listed, nor a look whether a link works (HEAD).
"""

from dataclasses import replace

from pipeline.collector.answers import Problem
from pipeline.collector.openapi.document import FORM, JSON, Operation
from pipeline.collector.openapi.sdks import OF_A_BODY, sdks
from pipeline.collector.openapi.tracking import OF_A_BATCH, tracking
from pipeline.collector.vocabularies import jitsu, segment
from pipeline.signed.signature import SIGNATURE, TIMESTAMP
from schemas.calls import Health, Seen, Taken
from schemas.dead_letter import Reason

_NOT_HERE = (Problem.NOT_FOUND, Problem.ORIGIN_NOT_ALLOWED)

_DOORS = (
    Operation(
        method="get",
        path="/n/{token}",
        summary="A newsletter's link: its pixel, where a click leads, the page to unsubscribe",
        answers={200: ("image/gif", "text/html"), 302: ()},
        refusals=(Problem.NOT_FOUND, Problem.UNAVAILABLE),
    ),
    Operation(
        method="post",
        path="/n/{token}",
        summary="Unsubscribe by one click (RFC 8058)",
        answers={200: ("text/html",)},
        examples={FORM: "List-Unsubscribe=One-Click"},
        refusals=(
            *(Problem.NOT_FOUND, *OF_A_BODY, Problem.TOO_MANY_REQUESTS, Problem.UNAVAILABLE),
        ),
    ),
    Operation(
        method="get",
        path="/v1/webhooks/{provider}/{site}",
        summary="Whether a mail provider's webhook is expected",
        answers={200: (Taken,)},
        refusals=_NOT_HERE,
    ),
    Operation(
        method="post",
        path="/v1/webhooks/{provider}/{site}",
        summary="What a mail provider reports, in its own words and signed in its own way",
        answers={200: (Taken,)},
        examples={JSON: [], FORM: "type=campaign"},
        refusals=(
            *(*_NOT_HERE, *OF_A_BODY, Problem.UNAVAILABLE),
            *(Problem.BAD_SIGNATURE, Reason.INVALID_FIELD, Reason.MISSING_FIELD),
            Problem.TOO_MANY_REQUESTS,
        ),
    ),
    replace(
        tracking("/v1/server/batch", None),
        summary="Several calls of a server, which signs them",
        headers=(TIMESTAMP, SIGNATURE),
        refusals=(*OF_A_BATCH, Problem.BAD_SIGNATURE),
    ),
)

_OWN = (
    Operation(
        method="get",
        path="/v1/debug",
        summary="What arrived of a site in the last minutes, and what became of it. "
        "Basic authentication: the site, and one of its server secrets",
        answers={200: (Seen,)},
        headers=("authorization",),
        refusals=(Problem.BAD_SIGNATURE, Problem.ORIGIN_NOT_ALLOWED),
    ),
    Operation(
        method="get",
        path="/beacon.js",
        summary="The beacon; TOUCHSTREAM_COLLECTOR_BEACON_PATH gives it another path",
        answers={200: ("text/javascript",), 304: ()},
    ),
    Operation(
        method="get",
        path="/healthz/live",
        summary="Whether the process answers",
        answers={200: (Health,)},
        refusals=(Problem.ORIGIN_NOT_ALLOWED,),
    ),
    Operation(
        method="get",
        path="/healthz/ready",
        summary="Whether calls can be taken",
        answers={200: (Health,)},
        refusals=(Problem.ORIGIN_NOT_ALLOWED, Problem.UNAVAILABLE),
    ),
    Operation(
        method="get",
        path="/metrics",
        summary="Metrics for Prometheus",
        answers={200: ("text/plain",)},
        refusals=(Problem.ORIGIN_NOT_ALLOWED,),
    ),
    Operation(
        method="get",
        path="/openapi.json",
        summary="This document",
        answers={200: (JSON,)},
        refusals=(Problem.ORIGIN_NOT_ALLOWED,),
    ),
)

OPERATIONS: tuple[Operation, ...] = (
    *(
        tracking(path, vocabulary.kind)
        for (_, path), vocabulary in (segment.ROUTES | jitsu.ROUTES).items()
    ),
    *sdks(),
    *_DOORS,
    *_OWN,
)
"""What is served, with the paths that the settings have if nobody changes them."""
