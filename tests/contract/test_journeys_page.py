"""docs/journeys.md: says what the shipped models say, and its example is a model."""

import re
from pathlib import Path

import pytest

from schemas.journeys import JourneyModel, load_model
from tests.support.journeys_page import (
    MARK,
    PAGE,
    shipped_models,
    write_page,
)

TEXT = PAGE.read_text(encoding="utf-8")
PROSE, _, GENERATED = TEXT.partition(MARK)
MODELS = shipped_models()


def rows() -> dict[str, list[str]]:
    """Give the cells of each touchpoint, by its name."""
    lines = re.findall(r"^\| ([A-Z][^|]+) \| (.+) \|$", GENERATED, re.MULTILINE)
    return {name: re.split(r" ?\| ?", cells) for name, cells in lines}


def test_the_tables_are_what_the_models_say_now() -> None:
    """Else run `python -m tests.support.journeys_page`."""
    assert write_page(PROSE, MODELS) == TEXT


@pytest.mark.parametrize("number", range(len(MODELS)), ids=[model.id for model in MODELS])
def test_a_touchpoint_has_every_phase_that_a_rule_gives_it_and_no_other(number: int) -> None:
    said = {name: set(re.findall(r"\*(\w+)\*", cells[number])) for name, cells in rows().items()}
    wanted: dict[str, set[str]] = {name: set() for name in said}
    for rule in MODELS[number].rules:
        for name in rule.touchpoints:
            wanted[name].add(rule.phase)
    assert said == wanted


def test_the_example_is_a_model_whose_every_phase_is_reached(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PROSE, re.DOTALL)
    path = tmp_path / "tickets.toml"
    path.write_text(example, encoding="utf-8")
    model = load_model(str(path))
    assert (model.id, model.unreached) == ("tickets", ())


def test_the_page_explains_every_key_of_a_rule() -> None:
    schema = JourneyModel.model_json_schema()["$defs"]["Rule"]["properties"]
    explained = set(re.findall(r"^\| `(\w+)` \| ", PROSE.partition("may ask for")[2], re.MULTILINE))
    assert explained == schema.keys() - {"id", "phase"}
