"""The OpenAPI document of the live page's API."""

from collections.abc import Sequence
from dataclasses import make_dataclass
from types import GenericAlias
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from pipeline.live.address import SPANS
from pipeline.live.panels import Panel
from pipeline.live.site import Site
from pipeline.reports.live.people import People
from pipeline.reports.live.person import Person
from pipeline.reports.live.pulse import Pulse
from schemas.calls import Seen

Schema = dict[str, Any]

_FILTERS = {
    "site": "Which site; else the first that the pass covers.",
    "model": "Which journey model; else the first one configured.",
    "span": f"One of {', '.join(SPANS)}: a span that ends now. Default: 1h.",
    "from": "Instead of a span: its beginning, ISO 8601.",
    "to": "Instead of a span: its end, not included, ISO 8601.",
    "channel": "Only what happened on this channel.",
    "segment": "Only people of this segment.",
}
_STREAM = {
    "only": "Only these panels, with commas between them; `pulse`: none.",
    "brief": "Set to anything: the stream ends after a second.",
}
_BEHIND = {
    "of": "step, phase, cell, left, place, crossing, kpi, touchpoint, orders, mailing, page, "
    "source, campaign, device, country or entry.",
    "what": "Which one of these.",
    "where": "The channel of a cell or touchpoint; `lost` or `gone_on` of a step; `came` or "
    "`went_on` of a phase; `waiting` or `won` of what was left; what happened at a place; a column "
    "of a mailing.",
    "currency": "Of orders, and of what was left: only those in this currency.",
}
_REFUSALS = {
    "400": "`bad_address`: an unknown filter; the detail says what to write.",
    "401": "`no_pass`: no pass, a wrong one, or one that has expired.",
    "403": "`other_site`: the pass covers other sites; the detail names them.",
    "503": "`unavailable` or `too_many`: try again later. `no_collector`: it is not there, or "
    "has other TOUCHSTREAM_LIVE_KEYS.",
}


def document(panels: Sequence[Panel], version: str) -> Schema:
    """Build the document; `version` is the version of the product."""
    paths = _paths(panels)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Touchstream live", "version": version, "description": _ABOUT},
        "security": [{"pass": []}],
        "components": {
            "securitySchemes": {
                "pass": {"type": "http", "scheme": "bearer", "description": _HOW_TO_ENTER}
            }
        },
        "paths": dict(sorted(paths.items())),
    }


def _paths(panels: Sequence[Panel]) -> dict[str, Schema]:
    paths: dict[str, Schema] = {
        "/api/site": _path("What a site can be narrowed by", _FILTERS, TypeAdapter(Site)),
        "/api/stream": _path(
            "What changes, as server-sent events: each is called as a path below, or `pulse`, and "
            "holds what that path would answer; or `error` and `retry`, in seconds",
            _FILTERS | _STREAM,
            TypeAdapter(Pulse),
            media="text/event-stream",
        ),
        "/api/people": _path("The people behind a number", _FILTERS | _BEHIND, TypeAdapter(People)),
        "/api/person": _path(
            "One person", _FILTERS | {"person": "The pseudonym."}, TypeAdapter(Person)
        ),
        "/api/requests": _path(
            "What was sent in the last minutes, and what became of it",
            _FILTERS,
            TypeAdapter(Seen),
        ),
    }
    for panel in panels:
        paths[f"/api/{panel.name}"] = _path(panel.about, _FILTERS, _rows(panel.row))
    paths["/api/links.csv"] = _csv_of(paths["/api/person"])
    for path in [
        "/api/people",
        "/api/person",
        "/api/requests",
        *(f"/api/{panel.name}" for panel in panels),
    ]:
        paths[f"{path}.csv"] = _csv_of(paths[path])
    return paths


class _Numbers(GenerateJsonSchema):
    """Money is written as a number."""

    def decimal_schema(self, schema: Any) -> Schema:
        """Describe a Decimal."""
        del schema
        return {"type": "number"}


_ABOUT = "Reads, and nothing else. Every answer is what the live page shows."
_HOW_TO_ENTER = "The token of a link to the live page: `touchstream live --link`."


def _path(
    summary: str,
    parameters: dict[str, str],
    answer: TypeAdapter[Any],
    media: str = "application/json",
) -> Schema:
    schema = answer.json_schema(
        mode="serialization", ref_template="#/$defs/{model}", schema_generator=_Numbers
    )
    answers: Schema = {
        "200": {"description": summary, "content": {media: {"schema": _flat(schema)}}}
    }
    answers |= {status: {"description": text} for status, text in _REFUSALS.items()}
    return {
        "get": {
            "summary": summary,
            "parameters": [
                {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
                for name, text in parameters.items()
            ],
            "responses": answers,
        }
    }


def _rows(row: type) -> TypeAdapter[Any]:
    rows = GenericAlias(tuple, (row, ...))
    return TypeAdapter(make_dataclass(f"{row.__name__}Rows", [("now", str), ("rows", rows)]))


def _csv_of(path: Schema) -> Schema:
    said = path["get"]
    answers = dict(said["responses"])
    answers["200"] = {
        "description": said["summary"],
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
    return {"get": said | {"responses": answers}}


def _flat(schema: Schema) -> Schema:
    """Put each definition in place of its references: the shapes are small and never recursive."""
    defined = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return resolved(defined[part["$ref"].rpartition("/")[2]])
            return {name: resolved(value) for name, value in part.items()}
        return [resolved(each) for each in part] if isinstance(part, list) else part

    flat: Schema = resolved(schema)
    return flat
