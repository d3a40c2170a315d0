"""Segment's and RudderStack's pixels: a call in the query of an image, as mails have it. PURE.

The call is JSON or its base64 in `data`, or stands in parameters with dots
(`properties.price=5`), see https://www.rudderstack.com/docs/api/pixel-api and
https://segment.com/docs/connections/sources/catalog/libraries/server/pixel-tracking-api
"""

from typing import Any, get_args

from pipeline.collector.answers import PIXEL
from pipeline.collector.decoding import JsonObject
from pipeline.collector.request import Request, as_object
from pipeline.collector.vocabularies.helpers import json_or_base64, key_of
from pipeline.collector.vocabularies.vocabulary import Events, Routes, Vocabulary
from schemas.codec import Refused
from schemas.dead_letter import Reason
from schemas.touchpoint import TouchpointType

_USUAL = str.maketrans("-_ ", "+/+")


def _key(request: Request) -> str | None:
    return key_of([_sent(request)], "writeKey")


def _events(request: Request) -> Events:
    return Events([_sent(request)])


def _sent(request: Request) -> JsonObject:
    if (data := request.parameters.get("data")) is None:
        return _nested(request.parameters)
    return as_object(json_or_base64(data if data[:1] == "{" else _padded(data)), "`data`")


def _padded(coded: str) -> str:
    """Give base64 in the usual alphabet, filled up: in a URL it may have neither."""
    plain = coded.translate(_USUAL).rstrip("=")
    return plain + "=" * (-len(plain) % 4)


def _nested(parameters: dict[str, str]) -> JsonObject:
    """Put `context.page.url` where it belongs; a field is not both a text and an object."""
    call: JsonObject = {}
    for name, value in parameters.items():
        *path, last = name.split(".")
        place: Any = call
        for part in path:
            place = place.setdefault(part, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise Refused(Reason.INVALID_FIELD, f"`{name}` is in a field that has a text")
        place[last] = value
    return call


def _call(sent: JsonObject) -> JsonObject:
    return {name: value for name, value in sent.items() if name != "writeKey"}


def _pixel(kind: TouchpointType) -> Vocabulary:
    return Vocabulary(_key, _events, _call, kind=kind, success=PIXEL)


PIXELS = {kind: _pixel(kind) for kind in get_args(TouchpointType)}

ROUTES: Routes = {
    **{("GET", f"/v1/pixel/{kind}"): told for kind, told in PIXELS.items()},
    **{("GET", f"/pixel/v1/{kind}"): PIXELS[kind] for kind in ("track", "page")},
}
