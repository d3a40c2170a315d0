"""The tracking calls, as the OpenAPI document describes them. PURE."""

from pipeline.collector.answers import STATUSES, Problem
from pipeline.collector.openapi.document import JSON, Operation
from schemas.calls import Call, CallBatch, Outcome, Taken
from schemas.dead_letter import Reason
from schemas.touchpoint import TouchpointType

_OF_A_CALL = tuple(
    code for code in STATUSES if code not in {Problem.NOT_FOUND, Problem.BAD_SIGNATURE}
)
# The other reasons are of single calls: they stand in the outcome.
OF_A_BATCH = tuple(
    code
    for code in _OF_A_CALL
    if code
    not in {
        *(Reason.NO_VISITOR_ID, Reason.UNKNOWN_TYPE, Reason.INVALID_TIME),
        *(Reason.TIME_OUT_OF_RANGE, Reason.TOO_MANY_NAMES, Reason.NO_CONSENT),
    }
)

_EXAMPLE = {
    "messageId": "8f14e45f",
    "anonymousId": "a-1",
    "timestamp": "2026-01-01T12:00:00.000Z",
    "sentAt": "2026-01-01T12:00:01.000Z",
}
_SAYS: dict[TouchpointType, dict[str, object]] = {
    "track": {"event": "Product Viewed", "properties": {"product_id": "p-1", "price": 49.9}},
    "page": {"name": "Cart", "context": {"page": {"url": "https://shop.example/cart"}}},
    "screen": {"name": "Cart"},
    "identify": {"userId": "u-1", "traits": {"plan": "pro"}},
    "alias": {"previousId": "a-1", "userId": "u-1"},
    "group": {"groupId": "g-1"},
}


def tracking(path: str, kind: TouchpointType | None) -> Operation:
    """Describe the path that takes calls of type `kind`, or batches if that is None."""
    if kind is None:
        return Operation(
            method="post",
            path=path,
            summary="Several calls of any type",
            body=CallBatch,
            examples={
                JSON: {"batch": [{"type": name, **_example(name)} for name in ("page", "track")]}
            },
            answers={200: (Taken, Outcome), 400: (Outcome,)},
            refusals=OF_A_BATCH,
            needs_key=True,
        )
    return Operation(
        method="post",
        path=path,
        summary=f"One {kind} call",
        body=Call,
        examples={JSON: _example(kind)},
        answers={200: (Taken,)},
        refusals=_OF_A_CALL,
        needs_key=True,
    )


def _example(kind: TouchpointType) -> dict[str, object]:
    return _EXAMPLE | _SAYS[kind]
