"""The checked-in JSON Schemas: current, and as strict as the code that they describe."""

import tomllib
from functools import lru_cache
from pathlib import Path

import jsonschema_rs
import pytest

from schemas.journeys import SHIPPED
from schemas.json_schema import CONTRACTS, FOLDER, schema_files
from tests.support.examples import contract_of, examples, parsed, title_of

KINDS = ("touchpoint", "tick", "session", "transition", "abandonment", "dead_letter")
# What a schema cannot say: that one of two fields is set, and that bytes are JSON at all.
BEYOND_A_SCHEMA = ("no_visitor_id", "not_json")
INVALID = [p for p in examples(*KINDS, kind="invalid") if not p.stem.startswith(BEYOND_A_SCHEMA)]


@lru_cache
def validator(contract: str) -> jsonschema_rs.Draft202012Validator:
    schema = (FOLDER / f"{contract}.schema.json").read_text()
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def test_the_files_are_what_the_contracts_say_now() -> None:
    """Else run `python -m schemas.json_schema`."""
    assert schema_files() == {path.name: path.read_text() for path in FOLDER.iterdir()}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_schema_says_what_it_describes(contract: str) -> None:
    doc = CONTRACTS[contract].__doc__
    assert doc
    assert doc.splitlines()[0] in (FOLDER / f"{contract}.schema.json").read_text()


@pytest.mark.parametrize("path", examples(*KINDS, kind="valid"), ids=title_of)
def test_a_valid_example_meets_its_schema(path: Path) -> None:
    assert list(validator(contract_of(path)).iter_errors(parsed(path))) == []


@pytest.mark.parametrize("path", INVALID, ids=title_of)
def test_an_invalid_example_breaks_its_schema(path: Path) -> None:
    assert not validator(contract_of(path)).is_valid(parsed(path))


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_a_shipped_journey_model_meets_its_schema(path: Path) -> None:
    model = tomllib.loads(path.read_text())
    assert list(validator("journey_model").iter_errors(model)) == []
