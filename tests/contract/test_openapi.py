"""The OpenAPI document: valid, about every path, and as strict as the code that reads calls.

That every answer in it occurs, and no other, is tested in tests/integration/test_openapi_answers.
"""

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from click.testing import CliRunner
from msgspec.structs import fields
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from pipeline.cli import main
from pipeline.collector import intake, server
from pipeline.collector.arrival import Arrival
from pipeline.collector.intake import Intake, Limits
from pipeline.collector.openapi.document import JSON, Operation, document
from pipeline.collector.openapi.operations import OPERATIONS
from pipeline.collector.vocabularies import segment
from pipeline.collector.vocabularies.routes import ROUTES, SET_UP, plain
from schemas.calls import Call, CallBatch, Taken
from schemas.codec import Refused

COLLECTOR = Path(server.__file__).parent
DOCUMENT: dict[str, Any] = json.loads(server.openapi())
PATHS = list(DOCUMENT["paths"])
POSTS = [operation for operation in OPERATIONS if operation.body]

A_PATH = re.compile(r"/[a-z][\w./-]*")
"""Or its beginning: the rest may be a pattern."""

CALL = {"type": "track", "event": "X", "anonymousId": "a"}
KEYS = {f"k{number}": number for number in range(256)}


def schema_of(model: str) -> jsonschema_rs.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{model}", "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


# --- the document --------------------------------------------------------------------------------


def test_the_document_is_valid_openapi_3_1() -> None:
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)
    assert DOCUMENT["openapi"] == "3.1.0"


def test_the_command_prints_what_is_served() -> None:
    assert json.loads(CliRunner().invoke(main, ["openapi"]).stdout) == DOCUMENT


def test_every_operation_has_an_id_of_its_own() -> None:
    ids = [o["operationId"] for path in DOCUMENT["paths"].values() for o in path.values()]
    assert len(ids) == len(set(ids)) == len(OPERATIONS)


def test_what_stands_in_braces_is_a_parameter() -> None:
    links = Operation(method="get", path="/l/{link}/{of}", summary="", answers={200: (Taken,)})
    described = document([links], "1")
    validate(described, cls=OpenAPIV31SpecValidator)
    parameters = described["paths"]["/l/{link}/{of}"]["get"]["parameters"]
    assert [(p["name"], p["in"], p["required"]) for p in parameters] == [
        ("link", "path", True),
        ("of", "path", True),
    ]


# --- every path ----------------------------------------------------------------------------------


def test_every_path_that_the_collector_knows_is_documented() -> None:
    """Else describe a vocabulary in `sdks`, anything else in `operations`."""
    known = {
        f"{source.name}: {path}"
        for source in COLLECTOR.rglob("*.py")
        for path in paths_in(source.read_text())
        if not any(documented.startswith(path) for documented in PATHS)
    }
    assert known == set()
    documented = {(operation.method.upper(), operation.path) for operation in OPERATIONS}
    assert set(ROUTES) <= documented


def test_every_question_of_an_sdk_is_documented() -> None:
    asked = [plain(path.replace("{", "").replace("}", "")) for path in PATHS]
    unknown = {q.path.pattern for q in SET_UP if not any(map(q.path.fullmatch, asked))}
    assert unknown == set()


def test_a_path_without_documentation_is_found() -> None:
    source = 'case = "/found"; LINKS = f"/l/{token}"; SET_UP = "/of/([^/]+)/set"; no = "a/b", "/ c"'
    assert sorted(paths_in(source)) == ["/found", "/l/", "/of/"]


def paths_in(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=str(text)) if (path := A_PATH.match(text)) and " " not in text:
                yield path[0]


# --- as strict as the code -----------------------------------------------------------------------


def test_a_call_has_the_fields_that_are_read_and_the_write_key() -> None:
    read = {field.encode_name for field in fields(intake._Call)}
    assert set(Call.model_json_schema()["properties"]) == read | {"writeKey"}
    batch = {field.encode_name for field in fields(segment._Batch)}
    assert set(CallBatch.model_json_schema()["properties"]) == batch | {"writeKey"}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"anything": [1, {"else": None}]},
        {"messageId": "m" * 128},
        {"messageId": "m" * 129},
        {"messageId": 7},
        {"messageId": None},
        {"messageId": "a\nb"},
        {"event": "x" * 128},
        {"event": "x" * 129},
        {"event": "a\x7f"},
        {"type": None},
        {"type": "click"},
        {"anonymousId": 2**63 - 1},
        {"anonymousId": 2**63},
        {"anonymousId": False, "userId": 7},
        {"anonymousId": 1.5},
        {"userId": "u" * 129},
        {"previousId": ["a"]},
        {"groupId": 7},
        {"name": 7},
        {"category": {}},
        {"properties": KEYS},
        {"properties": KEYS | {"one": "more"}},
        {"traits": []},
        {"traits": [1]},
        {"context": None},
        {"timestamp": "2026-01-01T12:00:00Z"},
        {"timestamp": "2026-01-01T12:00:00+01:00"},
        {"timestamp": "yesterday"},
        {"sentAt": "2026-01-01T12:00:00Z"},
    ],
    ids=lambda more: str(more)[:40],
)
def test_a_call_meets_its_schema_if_and_only_if_it_is_taken(more: dict[str, Any]) -> None:
    call = CALL | more
    assert is_taken(call, "track") == schema_of("Call").is_valid(call)


@pytest.mark.parametrize(
    "more",
    [
        {"timestamp": "2026-01-01T12:00:00"},
        {"originalTimestamp": 1767268800},
        {"sentAt": ""},
        {"sentAt": "yesterday"},
    ],
    ids=str,
)
def test_a_time_is_taken_where_it_is_clear_even_if_it_breaks_the_schema(
    more: dict[str, Any],
) -> None:
    call = CALL | more
    assert is_taken(call, "track")
    assert not schema_of("Call").is_valid(call)


@pytest.mark.parametrize("operation", POSTS, ids=lambda operation: operation.path)
def test_the_example_of_a_path_meets_its_schema(operation: Operation) -> None:
    assert operation.body
    assert schema_of(operation.body.__name__).is_valid(operation.examples[JSON])


def is_taken(call: object, kind: Any) -> bool:
    reader = Intake(Limits(bytes=32_768, depth=16, age=timedelta(days=365)))
    arrival = Arrival("shop", datetime(2026, 1, 1, 12, tzinfo=UTC))
    try:
        reader.touchpoint(json.dumps(call).encode(), arrival, kind)
    except Refused:
        return False
    return True
