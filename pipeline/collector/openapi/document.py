"""The OpenAPI document of what the collector serves. PURE.

`operations` has an `Operation` for every path; tests find a path without one, and an answer that
its operation does not list.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pipeline.collector.answers import RETRY_AFTER, STATUSES, Answer, Problem
from pipeline.collector.decoding import json_value
from schemas.calls import Refusal
from schemas.dead_letter import Reason

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_MODELS = "#/components/schemas/"
_IN_BRACES = re.compile(r"\{(\w+)\}")
_ID_PARTS = re.compile(r"\w+|(?<=/)$")
"""The last one is empty if the path ends with a slash: its id is another than without."""
_KEY = "writeKey"

Schema = dict[str, Any]

Said = type[BaseModel] | Answer | str
"""The body of an answer: JSON of a model, a fixed text, or anything of a media type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is said and answered at a `path`, whose variable parts stand in {braces}.

    `answers` are what is said by status, nothing if it is an answer without a body; `refusals` are
    the words it may answer with otherwise, with these `statuses`. `examples` are bodies by media
    type, of any shape unless it is that of `body`; `query` has examples of parameters.
    """

    method: Literal["get", "post"]
    path: str
    summary: str
    answers: Mapping[int, tuple[Said, ...]]
    body: type[BaseModel] | None = None
    examples: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    refusals: tuple[Problem | Reason, ...] = ()
    statuses: Mapping[Problem | Reason, int] = field(default_factory=lambda: STATUSES)
    needs_key: bool = False


def document(operations: Iterable[Operation], version: str) -> Schema:
    """Write the document of `operations`; `version` is that of the product."""
    operations = list(operations)
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Touchstream collector",
            "version": version,
            "description": "Takes touchpoints. docs/errors.md explains every error.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": _models(operations),
            "securitySchemes": {
                _KEY: {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The write key as user name, without a password.",
                }
            },
        },
    }


def _models(operations: list[Operation]) -> Schema:
    found = {Refusal} | {o.body for o in operations if o.body}
    said = [each for o in operations for every in o.answers.values() for each in every]
    found |= {each for each in said if isinstance(each, type)}
    ordered = sorted(found, key=lambda model: model.__name__)
    _, schema = models_json_schema(
        [(model, "validation") for model in ordered], ref_template=_MODELS + "{model}"
    )
    definitions: Schema = schema["$defs"]
    return definitions


def _described(operation: Operation) -> Schema:
    described: Schema = {
        "operationId": _id(operation),
        "summary": operation.summary,
        "responses": _responses(operation),
    }
    if parameters := _parameters(operation):
        described["parameters"] = parameters
    if operation.examples:
        schema = _of(operation.body) if operation.body else {}
        content = {
            media: {"schema": schema, "example": example}
            for media, example in operation.examples.items()
        }
        described["requestBody"] = {"required": True, "content": content}
    if operation.needs_key:
        described["security"] = [{_KEY: []}, {}]  # {}: the key may stand in the body
    return described


def _id(operation: Operation) -> str:
    return "_".join([operation.method, *_ID_PARTS.findall(operation.path)])


def _parameters(operation: Operation) -> list[Schema]:
    in_path = [_parameter(name, "path") for name in _IN_BRACES.findall(operation.path)]
    in_query = [
        _parameter(name, "query") | {"required": False, "example": example}
        for name, example in operation.query.items()
    ]
    return in_path + in_query + [_parameter(name, "header") for name in operation.headers]


def _parameter(name: str, place: str) -> Schema:
    return {"name": name, "in": place, "required": True, "schema": {"type": "string"}}


def _responses(operation: Operation) -> Schema:
    refused: dict[int, list[str]] = {}
    for code in operation.refusals:
        refused.setdefault(operation.statuses[code], []).append(code)
    return {
        str(status): _response(operation, status, refused.get(status, []))
        for status in sorted({*operation.answers, *refused})
    }


def _response(operation: Operation, status: int, codes: list[str]) -> Schema:
    schemas: dict[str, list[Schema]] = {}
    for said in operation.answers.get(status, ()):
        media, schema = _said(said)
        schemas.setdefault(media, []).append(schema)
    if codes:
        one_of = {"properties": {"error": {"enum": sorted(codes)}}}
        schemas.setdefault(JSON, []).append({"allOf": [_of(Refusal), one_of]})
    response: Schema = {"description": ", ".join(sorted(codes)) or "Success"}
    if schemas:
        response["content"] = {media: {"schema": _any(each)} for media, each in schemas.items()}
    if not RETRY_AFTER.keys().isdisjoint(codes):
        seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        response["headers"] = {"Retry-After": seconds}
    return response


def _said(said: Said) -> tuple[str, Schema]:
    if isinstance(said, str):
        return said, {}
    if isinstance(said, Answer):
        media = dict(said.headers)["content-type"]
        return media, {"const": json_value(said.body)} if media == JSON else {}
    return JSON, _of(said)


def _any(schemas: list[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _of(model: type[BaseModel]) -> Schema:
    return {"$ref": f"{_MODELS}{model.__name__}"}
