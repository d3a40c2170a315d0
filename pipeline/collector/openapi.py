"""The OpenAPI document of what the collector serves. PURE.

Every path brings its own `Operation`, which stands next to its route; tests find a path without
one, and an answer that its operation does not know.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pipeline.collector.answers import STATUSES, Problem
from schemas.calls import Refusal
from schemas.dead_letter import Reason

_JSON = "application/json"
_MODELS = "#/components/schemas/"
_IN_BRACES = re.compile(r"\{(\w+)\}")
_KEY = "writeKey"

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is said and answered at a `path`, whose variable parts stand in {braces}.

    `answers` are bodies by status, of `media` type if they are not JSON (then without models);
    `refusals` are the words it may answer with otherwise, their statuses are known.
    """

    method: Literal["get", "post"]
    path: str
    summary: str
    answers: Mapping[int, tuple[type[BaseModel], ...]]
    body: type[BaseModel] | None = None
    example: Mapping[str, Any] = field(default_factory=dict)
    media: str = _JSON
    refusals: tuple[Problem | Reason, ...] = ()
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
    found |= {model for o in operations for models in o.answers.values() for model in models}
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
    if names := _IN_BRACES.findall(operation.path):
        described["parameters"] = [_parameter(name) for name in names]
    if operation.body:
        content = {"schema": _of(operation.body), "example": operation.example}
        described["requestBody"] = {"required": True, "content": {_JSON: content}}
    if operation.needs_key:
        described["security"] = [{_KEY: []}, {}]  # {}: the key may stand in the body
    return described


def _id(operation: Operation) -> str:
    return "_".join([operation.method, *re.findall(r"\w+", operation.path)])


def _parameter(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _responses(operation: Operation) -> Schema:
    refused: dict[int, list[str]] = {}
    for code in operation.refusals:
        refused.setdefault(STATUSES[code], []).append(code)
    return {
        str(status): _response(operation, status, refused.get(status, []))
        for status in sorted({*operation.answers, *refused})
    }


def _response(operation: Operation, status: int, codes: list[str]) -> Schema:
    schemas = [_of(model) for model in operation.answers.get(status, ())]
    if codes:
        one_of = {"properties": {"error": {"enum": sorted(codes)}}}
        schemas.append({"allOf": [_of(Refusal), one_of]})
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas} if schemas else {}
    response: Schema = {
        "description": ", ".join(sorted(codes)) or "Success",
        "content": {operation.media if status in operation.answers else _JSON: {"schema": schema}},
    }
    if Problem.UNAVAILABLE in codes:
        seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        response["headers"] = {"Retry-After": seconds}
    return response


def _of(model: type[BaseModel]) -> Schema:
    return {"$ref": f"{_MODELS}{model.__name__}"}
